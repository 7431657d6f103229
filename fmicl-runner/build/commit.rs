//! The commit of the sources that are compiled.

use std::path::Path;
use std::process::Command;

/// What is compiled, anywhere in the repository.
const SOURCES: [&str; 6] = [":/*.rs", ":/*.c", ":/*.cc", ":/*.gz", ":/*Cargo.toml", ":/*Cargo.lock"];

/// The commit of the package in `folder`: what `cargo package` noted in it, or else what `git` says, with `-dirty` where
/// sources differ from it. Nothing where neither knows.
pub fn of(folder: &Path, git: &str) -> Option<String> {
    noted(folder).or_else(|| asked(folder, git))
}

fn noted(folder: &Path) -> Option<String> {
    let text = std::fs::read_to_string(folder.join(".cargo_vcs_info.json")).ok()?;
    let text: String = text.split_whitespace().collect();
    let commit = text.split_once("\"sha1\":\"")?.1.split('"').next()?;
    commit_of(commit, text.contains("\"dirty\":true"))
}

fn asked(folder: &Path, git: &str) -> Option<String> {
    let ask = |args: &[&str]| {
        let mut command = Command::new(git);
        // Whoever works in the repository meanwhile is not kept from it.
        command.arg("--no-optional-locks").arg("-C").arg(folder).args(args);
        let output = command.output().ok().filter(|output| output.status.success())?;
        String::from_utf8(output.stdout).ok()
    };
    // A package that lies in a repository of somebody else is no part of it.
    ask(&["ls-files", "--error-unmatch", "Cargo.toml"])?;
    let commit = ask(&["rev-parse", "HEAD"])?;
    let changed = ask(&[&["status", "--porcelain", "--untracked-files=no", "--"], &SOURCES[..]].concat())?;
    commit_of(commit.trim(), !changed.trim().is_empty())
}

fn commit_of(commit: &str, dirty: bool) -> Option<String> {
    let is_one = commit.len() >= 40 && commit.bytes().all(|byte| byte.is_ascii_hexdigit());
    is_one.then(|| format!("{commit}{}", if dirty { "-dirty" } else { "" }))
}
