//! What runs a sweep file spans, and under which names.

use super::{SWEEP, finish, write};
use crate::{cell::Cell, grid, outcome::Outcome};
use std::fs;
use std::path::Path;

#[test]
fn the_grid_is_every_combination_with_every_seed() {
    let folder = tempfile::tempdir().unwrap();
    let file = write(folder.path(), SWEEP);
    let cells = grid::cells(&file, None, &["train.epochs=3".into()], &[], folder.path()).unwrap();
    assert_eq!(cells.len(), 8);
    assert_eq!(cells[5].title(), "tsallis alpha=2.5, small, seed 1");
    let name = cells[5].dir.strip_prefix(folder.path()).unwrap();
    assert_eq!(name, Path::new("runs/tsallis-alpha-2.5_small_seed-1"));
    assert_eq!(
        cells[5].sets(),
        [
            "train.lr=0.2",
            "objective.divergence={ alpha = 2.5, name = \"tsallis\" }",
            "backbone.width=2",
            "train.epochs=3",
            "seed=1"
        ]
    );
}

#[test]
fn a_scale_lies_under_the_axes_and_has_its_own_seeds() {
    let folder = tempfile::tempdir().unwrap();
    let file = write(folder.path(), SWEEP);
    let cells = grid::cells(&file, Some("tiny"), &[], &[], folder.path()).unwrap();
    assert_eq!((cells.len(), cells[0].seed), (4, 5));
    let config = |sets: &[String]| fmicl_runner::config::load(&folder.path().join("x.toml"), sets).unwrap();
    let experiment = config(&cells[1].sets());
    assert_eq!(experiment.train.batch_size, 4);
    assert!(experiment.to_toml().unwrap().contains("width = 8"), "the axis wins");
    let unknown = grid::cells(&file, Some("tyny"), &[], &[], folder.path()).unwrap_err();
    assert_eq!(
        unknown[0].to_string(),
        "--scale tyny: no such scale (did you mean `tiny`?); scales: tiny"
    );
}

#[test]
fn the_experiment_s_own_seed_is_taken_where_a_sweep_has_none() {
    let folder = tempfile::tempdir().unwrap();
    let file = write(folder.path(), "experiment = 'y.toml'");
    let experiment = format!("seed = 7\n{}", super::EXPERIMENT);
    fs::write(folder.path().join("y.toml"), experiment).unwrap();
    let cells = grid::cells(&file, None, &[], &[], folder.path()).unwrap();
    assert_eq!((cells.len(), cells[0].title()), (1, "seed 7".into()));
    assert!(cells[0].dir.ends_with("runs/seed-7"), "{}", cells[0].dir.display());
}

#[test]
fn an_init_is_relative_to_the_sweep_file_in_its_runs_too() {
    let folder = tempfile::tempdir().unwrap();
    let sweep =
        "experiment = 'x.toml'\nseeds = [0]\n[[axis]]\nname = 'start'\nkey = 'init'\nvalues = ['w.safetensors']";
    let file = write(folder.path(), sweep);
    let cells = grid::cells(&file, None, &[], &[], folder.path()).unwrap();
    let run = fmicl_runner::config::load(&cells[0].experiment, &cells[0].sets()).unwrap();
    assert_eq!(run.init, Some(folder.path().join("w.safetensors")));
    assert_eq!(fmicl_runner::run::RunDir::config_of(&run).unwrap(), cells[0].config);
}

#[test]
fn only_keeps_the_values_that_it_names() {
    let folder = tempfile::tempdir().unwrap();
    let file = write(folder.path(), SWEEP);
    let only = |only: &[&str]| {
        let only: Vec<String> = only.iter().map(|only| only.to_string()).collect();
        grid::cells(&file, Some("tiny"), &[], &only, folder.path())
            .map(|cells| cells.iter().map(Cell::title).collect::<Vec<_>>())
            .map_err(|errors| errors[0].to_string())
    };
    assert_eq!(only(&["size=large", "divergence=kl"]).unwrap(), ["kl, large, seed 5"]);
    assert_eq!(only(&["size=large", "size=small"]).unwrap().len(), 4);
    assert_eq!(
        only(&["size=larg"]).unwrap_err(),
        "--only size=larg: no such value (did you mean `large`?); values: small, large"
    );
    assert_eq!(
        only(&["sice=large"]).unwrap_err(),
        "--only sice=large: no such axis (did you mean `size`?); axes: divergence, size"
    );
}

#[test]
fn a_finished_run_is_done_and_one_of_another_config_is_in_the_way() {
    let folder = tempfile::tempdir().unwrap();
    let file = write(folder.path(), SWEEP);
    let cells = || grid::cells(&file, None, &[], &[], folder.path()).unwrap();
    let cell = &cells()[0];
    assert!(!cell.is_done().unwrap());
    let config = fmicl_runner::config::load(&cell.experiment, &cell.sets())
        .unwrap()
        .to_toml()
        .unwrap();
    fs::create_dir_all(&cell.dir).unwrap();
    fs::write(cell.dir.join("config.toml"), &config).unwrap();
    assert!(!cell.is_done().unwrap(), "it was broken off");
    finish(cell, 0.5, 0.1);
    assert!(cell.is_done().unwrap());
    let result = cell.dir.join("result.json");
    let of_more = fs::read_to_string(&result).unwrap();
    fs::write(&result, of_more.replace("\"epochs\":1", "\"epochs\":9")).unwrap();
    assert!(!cell.is_done().unwrap(), "the result is of other epochs");
    assert!(matches!(cell.outcome().unwrap(), Outcome::Waiting));
    fs::write(&result, of_more).unwrap();
    let explained = format!("# objective.alpha = 5.0 by default: a reason\n{config}");
    fs::write(cell.dir.join("config.toml"), explained).unwrap();
    assert!(cell.is_done().unwrap(), "a reason makes no other run");
    fs::write(cell.dir.join("config.toml"), config.replace("lr = 0.2", "lr = 0.3")).unwrap();
    let error = cell.is_done().unwrap_err().to_string();
    assert!(error.contains("(`train.lr = 0.3`, now `train.lr = 0.2`)"), "{error}");
}
