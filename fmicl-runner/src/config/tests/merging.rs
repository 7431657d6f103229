//! How files and `--set` become one experiment, and that it can be written back.

use super::{GOOD, error_of, folder, loaded, try_load};

#[test]
fn the_resolved_file_loads_as_the_same_experiment() {
    let sets = [
        "train.clip_grad_norm=1",
        "device=cuda:1",
        "seed=7",
        "objective.divergence={name='tsallis',alpha=1.5}",
    ];
    let experiment = loaded(&[("x.toml", GOOD)], &sets);
    let written = experiment.to_toml().unwrap();
    let again = loaded(&[("x.toml", &written)], &[]);
    assert_eq!(again.to_toml().unwrap(), written);
    for default in [
        "accumulate = 1",
        "name = \"single\"",
        "temperature = 0.1",
        "alpha = 1.5",
        "nesterov = false",
    ] {
        assert!(written.contains(default), "{default} is not in\n{written}");
    }
    assert_eq!(
        (again.seed, again.train.clip_grad_norm, again.train.final_lr),
        (7, Some(1.0), 0.0)
    );
    assert_eq!(format!("{:?}", again.objective), format!("{:?}", experiment.objective));
}

/// How `objective` looks after the sets.
fn objective(sets: &[&str]) -> toml::Table {
    let table: toml::Table = loaded(&[("x.toml", GOOD)], sets).to_toml().unwrap().parse().unwrap();
    table["objective"].as_table().unwrap().clone()
}

#[test]
fn a_set_reaches_into_parts() {
    let changed = objective(&["objective.alpha=2", "objective.similarity.sigma=1"]);
    assert_eq!(changed["alpha"].as_float(), Some(2.0));
    assert_eq!(changed["similarity"]["sigma"].as_float(), Some(1.0));
    assert_eq!(changed["divergence"]["name"].as_str(), Some("kl"), "the rest stays");
}

#[test]
fn a_set_replaces_a_part_by_name_and_drops_the_old_options() {
    let changed = objective(&["objective.similarity=cosine"]);
    assert_eq!(changed["similarity"]["name"].as_str(), Some("cosine"));
    assert!(changed["similarity"].get("sigma").is_none());
    let changed = objective(&["objective.divergence=tsallis", "objective.divergence.alpha=3"]);
    assert_eq!(
        changed["divergence"]["alpha"].as_float(),
        Some(3.0),
        "a name takes options"
    );
    let changed = objective(&["objective.similarity.name=linear"]);
    assert_eq!(changed["similarity"]["name"].as_str(), Some("linear"));
}

#[test]
fn a_file_takes_what_it_does_not_say_from_the_one_it_extends() {
    let child = "extends = \"mid.toml\"\noptimizer.momentum = 0.5\n[train]\nlr = 0.1\n[eval]\nevery = 2";
    let mid = "extends = \"base.toml\"\narchitecture.out = 16\ntrain.epochs = 9";
    let experiment = loaded(&[("x.toml", child), ("mid.toml", mid), ("base.toml", GOOD)], &[]);
    let train = &experiment.train;
    assert_eq!(
        (train.lr, train.epochs, train.batch_size, experiment.eval.every),
        (0.1, 9, 8, 2)
    );
    assert!(
        format!("{:?}", experiment.architecture).contains("out = 16"),
        "a name takes options"
    );
    assert!(format!("{:?}", experiment.optimizer).contains("momentum = 0.5"));
}

#[test]
fn a_part_that_is_named_takes_options_from_a_file_that_names_none() {
    let own = "optimizer = { name = \"sgd\", extends = \"sgd.toml\" }";
    let text = GOOD
        .lines()
        .map(|line| if line.starts_with("optimizer") { own } else { line });
    let text = text.collect::<Vec<_>>().join("\n");
    let experiment = loaded(
        &[("x.toml", &text), ("sgd.toml", "momentum = 0.25\nnesterov = true")],
        &[],
    );
    let optimizer = format!("{:?}", experiment.optimizer);
    assert!(
        optimizer.contains("momentum = 0.25") && optimizer.contains("nesterov = true"),
        "{optimizer}"
    );
}

#[test]
fn an_error_names_the_file_that_it_is_in() {
    let files = |child: &str| {
        let folder = folder(&[("x.toml", child), ("base.toml", GOOD)]);
        try_load(folder.path(), &[]).unwrap_err()
    };
    assert_eq!(
        files("extends = \"base.toml\"\ntrain.warmup_epochs = 5"),
        "x.toml:2:7: train.warmup_epochs: 5 is not below the 4 epochs of the run; use 0 for no warm-up"
    );
    assert_eq!(
        files("extends = \"base.toml\"\ntrain.final_lr = 0.5\ntrain.epochs = 1\ntrain.lr = 0.1"),
        "x.toml:2:7: train.final_lr: 0.5 is not from 0 to lr, 0.1"
    );
    let broken = GOOD.replace("\"sgd\", momentum = 0.8", "\"sgd\", momentum = 'x'");
    let folder = folder(&[("x.toml", "extends = \"base.toml\"\nseed = 1"), ("base.toml", &broken)]);
    assert_eq!(
        try_load(folder.path(), &[]).unwrap_err(),
        "base.toml:6:29: optimizer.momentum: expected a number, found the string \"x\""
    );
}

#[test]
fn a_wrong_extends_is_an_error_at_its_line() {
    assert_eq!(
        error_of("\nextends = \"none.toml\"", &[]),
        "x.toml:2:1: extends: none.toml: there is no such file; name a TOML file"
    );
    assert_eq!(
        error_of("extends = 3", &[]),
        "x.toml:1:1: extends: expected a text in quotes, the path of another file"
    );
    let folder = folder(&[
        ("x.toml", "extends = \"y.toml\""),
        ("y.toml", "seed = 1\nextends = \"x.toml\""),
    ]);
    assert_eq!(
        try_load(folder.path(), &[]).unwrap_err(),
        "y.toml:2:1: extends: x.toml is being read already: a file cannot extend itself"
    );
}

#[test]
fn init_is_relative_to_the_file_that_names_it() {
    let shared = folder(&[("base.toml", &format!("init = 'w.safetensors'\n{GOOD}"))]);
    let mine = folder(&[("x.toml", &format!("extends = '{}/base.toml'", shared.path().display()))]);
    let init = |sets: &[&str]| try_load(mine.path(), sets).unwrap().init.unwrap();
    assert_eq!(init(&[]), shared.path().join("w.safetensors"));
    assert_eq!(
        init(&["init=other.safetensors"]),
        std::path::Path::new("other.safetensors")
    );
    assert_eq!(init(&["init=/a.safetensors"]), std::path::Path::new("/a.safetensors"));
}

#[test]
fn a_name_alone_takes_nothing_of_an_older_part_of_that_name() {
    let momentum = |child: &str| {
        let child = format!("extends = 'base.toml'\n{child}");
        let experiment = loaded(&[("x.toml", &child), ("base.toml", GOOD)], &[]);
        format!("{:?}", experiment.optimizer).contains("momentum = 0.8")
    };
    assert!(momentum("optimizer = { name = 'sgd' }"));
    assert!(!momentum("optimizer = 'sgd'"));
}

#[test]
fn a_tilde_is_the_users_folder_and_never_a_folder_of_that_name() {
    let home = std::env::home_dir().unwrap();
    let folder = folder(&[("x.toml", &format!("init = '~/w'\n{GOOD}"))]);
    let init = |sets: &[&str]| try_load(folder.path(), sets).map(|experiment| experiment.init.unwrap());
    assert_eq!(init(&[]).unwrap(), home.join("w"));
    assert_eq!(init(&["init=~/v"]).unwrap(), home.join("v"));
    let other =
        "the folder of another user is not looked up: write the whole path, or ./~you/w for a name that begins with ~";
    assert_eq!(
        init(&["init=~you/w"]).unwrap_err(),
        format!("--set init=~you/w: ~you/w: {other}")
    );
    let extends = super::folder(&[("x.toml", "\nextends = '~you/w'")]);
    assert_eq!(
        try_load(extends.path(), &[]).unwrap_err(),
        format!("x.toml:2:1: extends: ~you/w: {other}")
    );
}

#[test]
fn a_table_takes_what_it_does_not_say_from_the_file_that_it_extends_and_the_last_one_counts() {
    let recipes = tempfile::tempdir().unwrap();
    std::fs::create_dir(recipes.path().join("views")).unwrap();
    let write = |name: &str, text: &str| std::fs::write(recipes.path().join(name), text).unwrap();
    write("views/small.toml", "size = 16\nflip = 0.0\njitter.hue = 0.3");
    write("views/photos.toml", "extends = 'common.toml'\nsize = 224");
    write("views/common.toml", "grayscale = 0.4\nsize = 1");
    write(
        "x.toml",
        &format!("{GOOD}\n[views]\nextends = 'views/small.toml'\njitter.hue = 0.1\nblur = true"),
    );
    write("child.toml", "extends = 'x.toml'\nviews.extends = 'views/photos.toml'");
    let views = |name: &str, sets: &[&str]| {
        let sets: Vec<_> = sets.iter().map(|set| set.to_string()).collect();
        let experiment = super::load(&recipes.path().join(name), &sets).map_err(|error| error.to_string());
        experiment.map(|experiment| experiment.to_table().unwrap()["views"].clone())
    };
    let whose = |views: &toml::Value| {
        let number = |value: &toml::Value| value.as_float().unwrap();
        (
            views["size"].as_integer().unwrap(),
            number(&views["flip"]["p"]),
            number(&views["jitter"]["hue"]),
            number(&views["grayscale"]["p"]),
        )
    };
    // What the table says stays, and nothing of a recipe that another one replaces.
    assert_eq!(whose(&views("x.toml", &[]).unwrap()), (16, 0.0, 0.1, 0.2));
    assert_eq!(whose(&views("child.toml", &[]).unwrap()), (224, 0.5, 0.1, 0.4));
    let small = recipes.path().join("views/small.toml");
    let set = format!("views.extends={}", small.display());
    assert_eq!(
        whose(&views("child.toml", &[&set, "views.size=20"]).unwrap()),
        (20, 0.0, 0.1, 0.2)
    );

    let folder = format!("{}/", recipes.path().display());
    let error = |sets: &[&str]| views("child.toml", sets).unwrap_err().replace(&folder, "");
    let missing = error(&["views.extends=no.toml"]);
    assert!(
        missing.starts_with("--set views.extends=no.toml: no.toml: there is no such file"),
        "{missing}"
    );
    write("views/common.toml", "jitter.hue = 'x'");
    assert_eq!(
        views("child.toml", &["views.jitter={ p = 0.5 }"]).unwrap()["jitter"]["hue"].as_float(),
        Some(0.1)
    );
    write("views/common.toml", "size = 1\nflip = 3");
    assert_eq!(
        error(&[]),
        "views/common.toml:2:1: views.flip.p: 3 is not a probability"
    );
    write("views/common.toml", "extends = 'photos.toml'");
    let circle = error(&[]);
    assert!(
        circle.contains("views/photos.toml is being read already: a file cannot extend itself"),
        "{circle}"
    );
}
