//! The commit that is built into the program: of a repository, of a package, and where nothing is known.

#![expect(clippy::unwrap_used, reason = "helpers of tests")]

#[path = "../build/commit.rs"]
mod commit;

use std::fs;
use std::path::Path;
use std::process::Command;
use tempfile::TempDir;

/// What git says in a folder; nothing where it refuses, or is not installed.
fn git(folder: &Path, args: &[&str]) -> Option<String> {
    let mut command = Command::new("git");
    // Whoever runs the tests may have it sign commits, or run hooks.
    command
        .env("GIT_CONFIG_GLOBAL", "/dev/null")
        .env("GIT_CONFIG_NOSYSTEM", "1");
    command.args(["-c", "user.name=x", "-c", "user.email=x@example.com", "-C"]);
    let output = command.arg(folder).args(args).output().ok()?;
    let text = String::from_utf8(output.stdout).unwrap();
    output.status.success().then(|| text.trim().to_string())
}

fn write(folder: &Path, name: &str, text: &str) {
    let path = folder.join(name);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, text).unwrap();
}

/// A package that no repository knows.
fn package() -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    for (name, text) in [("Cargo.toml", "[package]"), ("src/lib.rs", ""), ("README.md", "")] {
        write(folder.path(), name, text);
    }
    folder
}

/// A package in a repository of its own, which may have a commit; nothing where there is no git.
fn repository(commits: bool) -> Option<TempDir> {
    let folder = package();
    let path = folder.path();
    if git(path, &["init", "--quiet"]).is_none() {
        eprintln!("git is not installed: nothing is tested of a repository");
        return None;
    }
    git(path, &["add", "."]).unwrap();
    if commits {
        git(path, &["commit", "--quiet", "--message", "x"]).unwrap();
    }
    Some(folder)
}

fn of(folder: &Path) -> Option<String> {
    commit::of(folder, "git")
}

#[test]
fn a_repository_tells_its_commit_and_whether_sources_differ_from_it() {
    let Some(folder) = repository(true) else { return };
    let path = folder.path();
    let head = git(path, &["rev-parse", "HEAD"]).unwrap();
    assert_eq!(of(path), Some(head.clone()));
    write(path, "README.md", "other words");
    write(path, "src/new.rs", "");
    assert_eq!(
        of(path),
        Some(head.clone()),
        "no source that is compiled from the commit"
    );
    write(path, "src/lib.rs", "fn other() {}");
    assert_eq!(of(path), Some(format!("{head}-dirty")));
    git(path, &["add", "."]).unwrap();
    git(path, &["commit", "--quiet", "--message", "y"]).unwrap();
    let next = git(path, &["rev-parse", "HEAD"]).unwrap();
    assert_ne!(next, head);
    assert_eq!(of(path), Some(next));
}

#[test]
fn a_package_tells_the_commit_that_it_was_made_of_wherever_it_lies() {
    let sha = "0123456789abcdef0123456789abcdef01234567";
    let note =
        |dirty: &str| format!("{{\n  \"git\": {{\n    \"sha1\": \"{sha}\"{dirty}\n  }},\n  \"path_in_vcs\": \"x\"\n}}");
    for folder in [Some(package()), repository(true)].into_iter().flatten() {
        let path = folder.path();
        write(path, ".cargo_vcs_info.json", &note(""));
        assert_eq!(of(path).as_deref(), Some(sha));
        write(path, ".cargo_vcs_info.json", &note(",\n    \"dirty\": true"));
        assert_eq!(of(path), Some(format!("{sha}-dirty")));
    }
}

#[test]
fn without_git_a_repository_or_a_commit_nothing_is_claimed() {
    let alone = package();
    assert_eq!(of(alone.path()), None);
    write(alone.path(), ".cargo_vcs_info.json", "{}");
    assert_eq!(of(alone.path()), None);
    assert_eq!(of(Path::new("/nowhere")), None);
    if let Some(young) = repository(false) {
        assert_eq!(of(young.path()), None);
    }
    let Some(folder) = repository(true) else { return };
    assert_eq!(commit::of(folder.path(), "/nowhere/git"), None);
    // A package that lies in the repository of somebody else is no part of it.
    write(folder.path(), "vendor/Cargo.toml", "[package]");
    assert_eq!(of(&folder.path().join("vendor")), None);
}
