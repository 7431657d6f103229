//! The commit that is built into the program: of a repository, of a package, and where nothing is known.

#![expect(clippy::unwrap_used, reason = "helpers of tests")]

#[path = "../build/commit.rs"]
mod commit;

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use tempfile::TempDir;

const SHA: &str = "0123456789abcdef0123456789abcdef01234567";

/// A package, and a program that answers as git does where `changed` are the sources that differ; without a commit it fails
/// as outside a repository.
fn package(commit: Option<&str>, changed: &str) -> (TempDir, String) {
    let folder = tempfile::tempdir().unwrap();
    let git = folder.path().join("git.sh");
    let answers = match commit {
        Some(commit) => format!(
            "case \"$*\" in *ls-files*) echo Cargo.toml;; *rev-parse*) echo {commit};; *status*) printf '{changed}';; \
             *) exit 1;; esac"
        ),
        None => "exit 128".into(),
    };
    fs::write(&git, format!("#!/bin/sh\n{answers}\n")).unwrap();
    fs::set_permissions(&git, fs::Permissions::from_mode(0o755)).unwrap();
    let git = git.to_str().unwrap().to_string();
    (folder, git)
}

fn of(commit: Option<&str>, changed: &str, note: Option<&str>) -> Option<String> {
    let (folder, git) = package(commit, changed);
    if let Some(note) = note {
        fs::write(folder.path().join(".cargo_vcs_info.json"), note).unwrap();
    }
    commit::of(folder.path(), &git)
}

#[test]
fn a_repository_tells_its_commit_and_whether_sources_differ_from_it() {
    assert_eq!(of(Some(SHA), "", None).as_deref(), Some(SHA));
    let dirty = of(Some(SHA), " M src/lib.rs\\n", None);
    assert_eq!(dirty, Some(format!("{SHA}-dirty")));
}

#[test]
fn a_package_tells_the_commit_that_it_was_made_of_wherever_it_lies() {
    let other = "fedcba9876543210fedcba9876543210fedcba98";
    let note =
        |dirty: &str| format!("{{\n  \"git\": {{\n    \"sha1\": \"{SHA}\"{dirty}\n  }},\n  \"path_in_vcs\": \"x\"\n}}");
    assert_eq!(of(Some(other), "", Some(&note(""))).as_deref(), Some(SHA));
    assert_eq!(
        of(None, "", Some(&note(",\n    \"dirty\": true"))),
        Some(format!("{SHA}-dirty"))
    );
}

#[test]
fn without_git_a_repository_or_a_commit_nothing_is_claimed() {
    assert_eq!(of(None, "", None), None);
    assert_eq!(of(Some("HEAD"), "", None), None);
    assert_eq!(of(None, "", Some("{}")), None);
    let (folder, _) = package(None, "");
    assert_eq!(commit::of(folder.path(), "/nowhere/git"), None);
    assert_eq!(commit::of(Path::new("/nowhere"), "/nowhere/git"), None);
}
