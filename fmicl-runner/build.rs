//! Tells the program the commit of its sources, `FMICL_COMMIT`, where it is known.
//!
//! It runs again where sources have changed, of this package or of those that it depends on, which compiles this package
//! again in any case; not at a commit, which changes none. So a program that was built of changed sources stays `-dirty`
//! after they are committed, until it is built anew.

#[path = "build/commit.rs"]
mod commit;

use std::path::{Path, PathBuf};

fn main() {
    let folder = PathBuf::from(std::env::var_os("CARGO_MANIFEST_DIR").unwrap_or_default());
    let mut watched = vec![
        folder.join("build.rs"),
        folder.join("build"),
        folder.join("../Cargo.lock"),
    ];
    for package in std::iter::once(folder.clone()).chain(neighbours(&folder)) {
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

/// The folders of the workspace's packages that this one depends on, where it lies in the workspace.
fn neighbours(folder: &Path) -> Vec<PathBuf> {
    let manifest = std::fs::read_to_string(folder.join("Cargo.toml")).unwrap_or_default();
    let names = manifest
        .lines()
        .filter_map(|line| line.strip_suffix(".workspace = true"));
    let places = names.flat_map(|name| ["..", "../plugins"].map(|above| folder.join(above).join(name)));
    places.filter(|place| place.join("Cargo.toml").exists()).collect()
}
