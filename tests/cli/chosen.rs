//! Values of the objective that are chosen for the architecture.

use super::*;
use std::path::Path;

/// The lines of `check` on what was chosen, and the keys that are not at their defaults.
fn checked(folder: &Path, architecture: &str, objective: &str) -> (Vec<String>, String) {
    let (chosen, others, _) = all_of(folder, architecture, objective);
    (chosen, others)
}

/// And all that `check` says.
fn all_of(folder: &Path, architecture: &str, objective: &str) -> (Vec<String>, String, String) {
    let path = folder.join("x.toml");
    let experiment = format!(
        "dataset = 'digits'\nbackbone = {{ name = 'resnet', stem = 'cifar', width = 8 }}\noptimizer = 'sgd'\n\
         architecture = {{ name = '{architecture}' }}\nobjective = {{ name = 'f-micl', divergence = 'kl', {objective} }}\n\
         train = {{ epochs = 1, batch_size = 8, lr = 0.1 }}\n"
    );
    std::fs::write(&path, experiment).unwrap();
    let output = fmicl(&["check", path.to_str().unwrap()]).output().unwrap();
    let stdout = text(&output.stdout);
    assert!(output.status.success(), "{}", text(&output.stderr));
    let chosen = stdout.lines().filter_map(|line| line.strip_prefix("  default   "));
    let chosen = chosen.map(|line| line.split(" by default under ").next().unwrap().to_string());
    let (_, others) = stdout.split_once("options that are not at their defaults:").unwrap();
    (chosen.collect(), others.to_string(), stdout.clone())
}

#[test]
fn they_are_shown_and_count_as_defaults() {
    let folder = tempfile::tempdir().unwrap();
    let gaussian = "similarity = 'gaussian'";
    let best = |alpha: &str| {
        vec![
            "objective.shift = \"best\"".to_string(),
            format!("objective.alpha = {alpha}"),
        ]
    };
    let (chosen, others) = checked(folder.path(), "simclr", gaussian);
    assert_eq!(chosen, best("5.0"));
    assert!(!others.contains("alpha") && !others.contains("shift"), "{others}");
    for architecture in ["moco", "moco-v3"] {
        let (chosen, others) = checked(folder.path(), architecture, gaussian);
        let by_batch = [
            "objective.similarity.mu = \"batch\"",
            "objective.shift = \"none\"",
            "objective.alpha = 1.0",
        ];
        assert_eq!(chosen, by_batch, "{architecture}");
        assert!(!others.contains("mu ="), "{others}");
        // No factor to choose.
        assert_eq!(
            checked(folder.path(), architecture, "similarity = 'cosine'").0,
            best("1.0")
        );
    }
}

#[test]
fn what_is_given_is_kept_and_the_rest_follows_it() {
    let folder = tempfile::tempdir().unwrap();
    let chosen = |architecture: &str, objective: &str| checked(folder.path(), architecture, objective).0;
    let fixed = "similarity = { name = 'gaussian', mu = 1.0 }";
    let none = "objective.shift = \"none\"";
    assert_eq!(chosen("simclr", fixed), [none, "objective.alpha = 1.0"]);
    assert_eq!(chosen("moco", &format!("{fixed}, alpha = 40.0")), [none]);
    // The factor of the batch would leave an alpha of `kl` without effect.
    assert_eq!(
        chosen("moco", "similarity = 'gaussian', alpha = 2.0"),
        ["objective.shift = \"best\""]
    );
    assert_eq!(
        chosen("moco", "similarity = 'gaussian', shift = 'none'"),
        ["objective.alpha = 1.0"]
    );
    assert!(chosen("simclr", "similarity = 'gaussian', shift = 'best', alpha = 2.0").is_empty());
}

#[test]
fn what_may_collapse_is_said() {
    let folder = tempfile::tempdir().unwrap();
    for (architecture, objective, is_doubtful) in [
        ("moco", "similarity = 'gaussian'", false),
        ("moco", "similarity = 'cosine'", false),
        ("moco", "similarity = 'gaussian', alpha = 2.0", true),
        ("moco", "similarity = { name = 'gaussian', mu = 1.0 }", true),
        (
            "simclr",
            "similarity = { name = 'gaussian', mu = 1.0 }, alpha = 40.0",
            false,
        ),
    ] {
        let (_, others, notes) = all_of(folder.path(), architecture, objective);
        assert_eq!(
            notes.contains("do not balance"),
            is_doubtful,
            "{architecture}, {objective}: {others}"
        );
    }
}

#[test]
fn a_run_says_them_in_its_config_and_is_the_same_when_it_is_read_again() {
    let folder = tempfile::tempdir().unwrap();
    checked(folder.path(), "moco", "similarity = 'gaussian'");
    let path = folder.path().join("x.toml");
    let run = folder.path().join("run");
    let (path, run) = (path.to_str().unwrap(), run.to_str().unwrap());
    let small = [
        "--set",
        "architecture.queue=8",
        "--set",
        "dataset={name='subset',train=8,of='digits'}",
    ];
    let evaluations = ["--set", "evaluations.knn=false", "--set", "evaluations.linear=false"];
    let train = [&["train", path, "--out", run], &small[..], &evaluations[..]].concat();
    let output = fmicl(&train).output().unwrap();
    assert!(output.status.success(), "{}", text(&output.stderr));
    let config = std::fs::read_to_string(folder.path().join("run/config.toml")).unwrap();
    let first = "# objective.similarity.mu = \"batch\" by default under `moco`: ";
    assert!(config.starts_with(first), "{config}");
    let again = fmicl(&["check", &format!("{run}/config.toml")]).output().unwrap();
    let stdout = text(&again.stdout);
    assert!(again.status.success() && !stdout.contains("  default  "), "{stdout}");
    assert!(stdout.contains("objective.similarity.mu = \"batch\""), "{stdout}");
}
