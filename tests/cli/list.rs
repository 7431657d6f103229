//! The list of parts.

use super::*;

#[test]
fn the_list_as_json_has_every_line_of_the_list() {
    let json: serde_json::Value = serde_json::from_slice(&run(&["list", "divergence", "--json"]).stdout).unwrap();
    let list = text(&run(&["list", "divergence"]).stdout);
    let parts = json.as_array().unwrap();
    assert!(!parts.is_empty());
    for part in parts {
        let origin = format!(
            "({} {})",
            part["crate"].as_str().unwrap(),
            part["version"].as_str().unwrap()
        );
        assert!(
            list.contains(part["name"].as_str().unwrap()) && list.contains(&origin),
            "{part}"
        );
    }
}

#[test]
fn the_reference_in_docs_is_what_the_program_prints() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/REFERENCE.md");
    let printed = text(&run(&["list", "--doc"]).stdout);
    let kept = std::fs::read_to_string(path).unwrap();
    let differs = printed
        .lines()
        .zip(kept.lines())
        .find(|(printed, kept)| printed != kept);
    assert!(
        printed == kept,
        "docs/REFERENCE.md is not current, see {differs:?}; `make reference` writes it"
    );
}

#[test]
fn every_option_of_every_part_is_described() {
    let printed = text(&run(&["list", "--doc"]).stdout);
    let bare: Vec<_> = printed.lines().filter(|line| line.ends_with("|  |")).collect();
    assert!(printed.contains("\n| `"), "{printed}");
    assert!(
        bare.is_empty(),
        "no doc comment, or no derive of `Documented`: {bare:#?}"
    );
}

#[test]
fn a_reader_that_leaves_early_is_no_error() {
    let mut child = fmicl(&["list", "--json"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    // Nobody reads: the pipe is closed before the first line.
    drop(child.stdout.take());
    let mut message = String::new();
    child.stderr.take().unwrap().read_to_string(&mut message).unwrap();
    assert_eq!((child.wait().unwrap().code(), &*message), (Some(0), ""));
}
