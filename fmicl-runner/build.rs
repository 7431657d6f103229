//! Tells the program the commit of its sources, `FMICL_COMMIT`, where it is known.
//!
//! It runs again where sources have changed, of this package or of the workspace's others; not at a commit, which changes
//! none. So a program that was built of changed sources stays `-dirty` after they are committed, until it is built anew.

#[path = "build/commit.rs"]
mod commit;

use std::path::{Path, PathBuf};

fn main() {
    let folder = PathBuf::from(std::env::var_os("CARGO_MANIFEST_DIR").unwrap_or_default());
    let mut watched = vec![folder.join("build"), folder.join("../Cargo.lock")];
    for package in std::iter::once(folder.clone()).chain(workspace(&folder)) {
        watched.extend(["src", "Cargo.toml", "build.rs"].map(|name| package.join(name)));
    }
    // Cargo takes a path that is not there for one that has changed.
    for path in watched.iter().filter(|path| path.exists()) {
        println!("cargo::rerun-if-changed={}", path.display());
    }
    if let Some(commit) = commit::of(&folder, "git") {
        println!("cargo::rustc-env=FMICL_COMMIT={commit}");
    }
}

/// The packages beside this one, where it lies in its workspace: a program is made of some of them.
fn workspace(folder: &Path) -> Vec<PathBuf> {
    let root = folder.join("..");
    if !root.join("src/main.rs").exists() {
        return Vec::new();
    }
    let within = |folder: &Path| std::fs::read_dir(folder).into_iter().flatten().flatten();
    let places = within(&root)
        .chain(within(&root.join("plugins")))
        .map(|entry| entry.path());
    let packages = places.filter(|place| place.join("Cargo.toml").exists());
    packages.chain([root.clone()]).collect()
}
