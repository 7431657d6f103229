//! The options that are not at their defaults.

use super::{GOOD, loaded};

#[test]
fn every_option_that_is_no_default_is_shown_with_its_place() {
    let child = "extends = 'base.toml'\n[backbone]\nname = 'resnet'\ndepth = 34\n[train]\nlog_every = 50\nlr = 0.1";
    let base = "backbone = { name = 'resnet', width = 8, stem = 'cifar' }\nobjective.divergence = 'js'";
    let good = GOOD.lines().filter(|line| !line.starts_with("backbone"));
    let good: String = good.map(|line| format!("{line}\n")).collect();
    let files = [
        ("x.toml", child.to_string()),
        ("base.toml", format!("extends = 'good.toml'\n{base}")),
        ("good.toml", good),
    ];
    let files: Vec<_> = files.iter().map(|(name, text)| (*name, &**text)).collect();
    let experiment = loaded(&files, &["seed=0", "optimizer.nesterov=true"]);
    let shown: Vec<String> = experiment.given().unwrap().iter().map(ToString::to_string).collect();
    let has = |line: &str| shown.iter().filter(|shown| shown.starts_with(line)).count();
    for (key, place) in [
        ("backbone = \"resnet\"", "x.toml:3:1"),
        ("backbone.depth = 34", "x.toml:4:1"),
        ("backbone.width = 8", "base.toml:2:31"),
        ("objective.divergence = \"js\"", "base.toml:3:11"),
        ("optimizer.nesterov = true", "--set optimizer.nesterov=true"),
        ("train.lr = 0.1", "x.toml:7:1"),
    ] {
        let line = shown.iter().find(|line| line.starts_with(&format!("{key}  (")));
        let line = line.unwrap_or_else(|| panic!("{key} is not in {shown:#?}"));
        assert!(line.ends_with(&format!("{place})")), "{line}");
    }
    // Defaults, whether they are written or not.
    for key in [
        "seed",
        "train.log_every",
        "eval",
        "engine",
        "views",
        "optimizer.weight_decay",
    ] {
        assert_eq!(has(key), 0, "{key}: {shown:#?}");
    }
    // They are the whole experiment.
    let keys = shown
        .iter()
        .map(|line| line.split("  (").next().unwrap().to_string() + "\n");
    let named = |line: String| match line.split_once(" = ") {
        Some((
            key @ ("dataset"
            | "backbone"
            | "architecture"
            | "objective"
            | "objective.divergence"
            | "objective.similarity"
            | "optimizer"),
            name,
        )) => {
            format!("{key}.name = {name}")
        }
        _ => line,
    };
    let again = loaded(&[("x.toml", &keys.map(named).collect::<String>())], &[]);
    assert_eq!(again.to_toml().unwrap(), experiment.to_toml().unwrap());
}
