//! The binary `fmicl` as a user meets it: exit codes, and errors in one line.

#![expect(clippy::unwrap_used, reason = "helpers of tests")]

#[path = "cli/chosen.rs"]
mod chosen;
#[path = "cli/list.rs"]
mod list;
// The crates that the program links.
#[expect(dead_code, reason = "the tests have a `main` of their own")]
#[path = "../src/main.rs"]
mod program;
#[cfg(target_os = "linux")]
#[path = "support/pty.rs"]
mod pty;
#[path = "support/published.rs"]
mod published;
#[path = "cli/terminal.rs"]
mod terminal;

use published::published;
use std::io::Read;
use std::process::{Command, Output, Stdio};

fn fmicl(args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_fmicl"));
    command.args(args);
    command
}

fn run(args: &[&str]) -> Output {
    fmicl(args).output().unwrap()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// The exit code and stderr of a command that prints nothing else.
fn error(args: &[&str]) -> (i32, String) {
    let output = run(args);
    assert!(output.stdout.is_empty(), "{}", text(&output.stdout));
    (output.status.code().unwrap(), text(&output.stderr))
}

#[test]
fn a_fault_of_the_config_is_one_line_and_exit_code_2() {
    for command in ["train", "check"] {
        let (code, line) = error(&[command, "no-such.toml"]);
        assert_eq!(
            (code, &*line),
            (2, "error: no-such.toml: there is no such file; name a TOML file\n")
        );
    }
}

#[test]
fn a_sweep_and_an_experiment_in_each_others_place_are_one_line() {
    let experiments = concat!(env!("CARGO_MANIFEST_DIR"), "/experiments");
    let sweep = format!("{experiments}/paper/similarity.toml");
    for command in ["train", "check"] {
        let line = format!("error: {sweep}: is a sweep, not an experiment; run it with `fmicl sweep`\n");
        assert_eq!(error(&[command, &sweep]), (2, line));
    }
    let experiment = format!("{experiments}/quickstart.toml");
    let line = format!("error: {experiment}: is an experiment, not a sweep; train it with `fmicl train`\n");
    assert_eq!(error(&["sweep", &experiment]), (2, line));
}

#[test]
fn an_unknown_kind_names_the_nearest_and_all() {
    let expected = "error: no kind of part named `divergense` (did you mean `divergence`?); kinds: architecture, \
                    backbone, command, dataset, divergence, engine, evaluation, objective, optimizer, pretrained, schedule, similarity, tracker, transform, views\n";
    assert_eq!(error(&["list", "divergense"]), (2, expected.to_string()));
}

#[test]
fn the_help_has_a_line_for_each_linked_verb_below_a_heading() {
    let listed: serde_json::Value = serde_json::from_slice(&run(&["list", "command", "--json"]).stdout).unwrap();
    let help = text(&run(&["--help"]).stdout);
    let verbs = listed.as_array().unwrap();
    for verb in [
        "train", "sweep", "export", "figures", "report", "views", "data", "verify", "schema", "runs", "diff", "watch",
    ] {
        assert!(
            verbs.iter().any(|listed| listed["name"] == verb),
            "{verb} is not linked"
        );
    }
    for verb in verbs {
        let [name, summary] = ["name", "summary"].map(|key| verb[key].as_str().unwrap());
        let is_its = |line: &&str| line.trim_start().split(' ').next() == Some(name) && line.ends_with(summary);
        assert_eq!(help.lines().filter(is_its).count(), 1, "{name} in\n{help}");
    }
    for heading in ["Train:", "Evaluate:", "Use an encoder:", "Look things up:", "Options:"] {
        assert_eq!(
            help.lines().filter(|line| *line == heading).count(),
            1,
            "{heading} in\n{help}"
        );
    }
}

#[test]
fn a_wrong_command_line_is_exit_code_2() {
    for args in [
        &["trian"][..],
        &["list", "--jsn"],
        &["check"],
        &["check", "x.toml", "--device", "gpu"],
    ] {
        assert_eq!(error(args).0, 2, "{args:?}");
    }
    assert_eq!(run(&["--version"]).status.code(), Some(0));
}

#[test]
fn what_is_no_run_is_said_with_what_would_work() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("x.toml");
    std::fs::write(&file, "").unwrap();
    let missing = folder.path().join("missing");
    let weights = published(folder.path());
    let wanted = "name a run directory, one that `train` wrote";
    for (path, why) in [
        (&missing, format!("there is no such folder; {wanted}")),
        (&file, format!("is a file; {wanted}")),
        (
            &weights,
            "is a folder of published weights, not a run directory: use it with `fmicl embed` or `fmicl eval`".into(),
        ),
        (
            &folder.path().to_path_buf(),
            format!("is not a run directory: it has no config.toml; {wanted}"),
        ),
    ] {
        let path = path.to_str().unwrap();
        for command in ["features", "export"] {
            assert_eq!(error(&[command, path]), (1, format!("error: {path}: {why}\n")));
        }
    }
    let path = folder.path().to_str().unwrap();
    let neither = "is neither a run directory, with a config.toml, nor a complete folder of published weights (exported, \
                   hugging-face, timm, torchvision)";
    for command in ["embed", "eval"] {
        assert_eq!(error(&[command, path]), (1, format!("error: {path}: {neither}\n")));
    }
    let (file, missing) = (file.to_str().unwrap(), missing.to_str().unwrap());
    assert_eq!(
        error(&["eval", file]),
        (1, format!("error: {file}: is a file; {wanted}\n"))
    );
    assert_eq!(
        error(&["eval", missing]).1,
        format!(
            "error: {missing}: there is no such file or folder; {wanted}, or a file or folder of published weights (.safetensors)\n"
        )
    );
}

#[test]
fn an_option_that_is_a_key_of_the_experiment_is_pointed_to_set() {
    let tip = |args: &[&str]| {
        let (code, message) = error(args);
        assert_eq!(code, 2, "{message}");
        let tips: Vec<_> = message.lines().filter(|line| line.contains("tip: ")).collect();
        tips.join("").trim().to_string()
    };
    let set = |set: &str| format!("tip: an option of the experiment is set by '--set {set}'");
    assert_eq!(tip(&["train", "x.toml", "--epochs", "3"]), set("train.epochs=3"));
    assert_eq!(tip(&["check", "x.toml", "--batch-size=64"]), set("train.batch_size=64"));
    assert_eq!(
        tip(&["sweep", "x.toml", "--objective", "infonce"]),
        set("objective=infonce")
    );
    assert_eq!(tip(&["train", "x.toml", "--lr"]), set("train.lr=..."));
    let (code, message) = error(&["train", "x.toml", "--seed", "-1"]);
    assert!(
        code == 2
            && message.starts_with(
                "error: invalid value '-1' for '--seed <SEED>': a seed is a whole number from 0 to 18446744073709551615\n"
            ),
        "{message}"
    );
}

#[test]
fn a_gpu_that_is_not_there_says_what_is() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("x.toml");
    let experiment = r#"
        dataset = "digits"
        backbone = { name = "resnet", stem = "cifar", width = 8 }
        architecture = "simclr"
        objective = { name = "f-micl", divergence = "kl", similarity = "gaussian" }
        optimizer = "sgd"
        train = { epochs = 1, batch_size = 8, lr = 0.1 }
    "#;
    std::fs::write(&path, experiment).unwrap();
    let (code, message) = error(&["check", path.to_str().unwrap(), "--device", "cuda:99"]);
    assert_eq!(code, 2);
    assert!(
        message.starts_with("error: --set device=cuda:99: no GPU 99: "),
        "{message}"
    );
    assert_eq!(message.lines().count(), 1, "{message}");
}

#[test]
fn no_escape_codes_reach_a_file() {
    let output = fmicl(&["train"]).env("NO_COLOR", "1").output().unwrap();
    assert!(!output.stderr.contains(&0x1b));
}

#[test]
fn a_tilde_on_the_command_line_is_the_users_folder() {
    let folder = tempfile::tempdir().unwrap();
    let home = folder.path().to_str().unwrap();
    std::fs::write(
        folder.path().join("x.toml"),
        "dataset = { name = 'image-folder', root = '~/d' }",
    )
    .unwrap();
    let stderr = |args: &[&str]| {
        let output = fmicl(args).current_dir(&folder).env("HOME", home).output().unwrap();
        (output.status.code().unwrap(), text(&output.stderr))
    };
    let wanted = "there is no such folder; name a run directory, one that `train` wrote";
    for word in ["~/r", "~/r/"] {
        let found = stderr(&["features", word]);
        assert_eq!(found.1, format!("error: {home}{}: {wanted}\n", &word[1..]));
    }
    // No shell expands it there.
    let (code, message) = stderr(&["train", "~/none.toml", "--out=~/r1"]);
    assert_eq!(
        (code, &*message),
        (
            2,
            &*format!("error: {home}/none.toml: there is no such file; name a TOML file\n")
        )
    );
    let (code, message) = stderr(&["export", "~/r", "--out=~you/x.pt"]);
    assert!(
        code == 2 && message.starts_with("error: --out=~you/x.pt: the folder of another user "),
        "{message}"
    );
    assert_eq!(std::fs::read_dir(&folder).unwrap().count(), 1, "nothing was made");
}

#[test]
fn of_the_same_key_given_twice_none_is_passed_over() {
    let (code, message) = error(&["check", "x.toml", "--seed", "1", "--set", "seed=2"]);
    let expected = "error: --set seed=2: there is --seed 1 as well: give only one of the two\n";
    assert_eq!((code, &*message), (2, expected));
}
