//! The project's own experiments.

use super::*;

/// The experiments in a folder and below: what is no sweep, and no scales of sweeps.
fn experiments(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for path in std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()) {
        if path.is_dir() {
            found.extend(experiments(&path));
        } else if path.extension().is_some_and(|extension| extension == "toml") {
            let text = std::fs::read_to_string(&path).unwrap();
            let keys: toml::Table = toml::from_str(&text).unwrap();
            if ["dataset", "extends"].iter().any(|key| keys.contains_key(*key)) {
                found.push(path);
            }
        }
    }
    found
}

/// The changes that put tiny files where what an experiment names is not on this machine.
fn stand_ins(experiment: &Experiment, bert: &Path) -> Vec<String> {
    let views = experiment.views.reads().into_iter().map(|reads| ("views", reads));
    let backbone = experiment.backbone.reads().into_iter().map(|reads| ("backbone", reads));
    let missing = views.chain(backbone).filter(|(_, reads)| !reads.path.exists());
    let mut sets: Vec<_> = missing
        .map(|(part, reads)| format!("{part}.{}={bert:?}", reads.option))
        .collect();
    if !sets.is_empty() {
        sets.push("views.max_length=12".into());
    }
    sets
}

#[test]
fn every_experiment_builds() {
    let _turn = RANDOM.lock().unwrap_or_else(PoisonError::into_inner);
    let folder = tempfile::tempdir().unwrap();
    let bert = published(folder.path());
    let found = experiments(&Path::new(env!("CARGO_MANIFEST_DIR")).join("experiments"));
    assert!(found.len() >= 10, "{found:?}");
    for path in found {
        let load = |sets: &[String]| config::load(&path, sets).unwrap_or_else(|error| panic!("{error}"));
        let experiment = load(&stand_ins(&load(&[]), &bert));
        Model::build(&experiment, Device::Cpu).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        let text = std::fs::read_to_string(&path).unwrap();
        let line = "line 1 names the source";
        assert!(text.starts_with("# Source: "), "{}: {line}", path.display());
    }
}
