//! Broken files.

use crate::Rng;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};

/// Breaks each file below `folder` in turn, in a way that `seed` decides, and calls `check`: it removes the file, cuts it
/// off, or flips one of its bits. The files are whole again afterwards; empty ones are left alone.
///
/// # Panics
/// With the file and what was done to it, where `check` panics.
pub fn break_each_file(folder: &Path, seed: u64, mut check: impl FnMut()) {
    let mut random = Rng::new(&[seed]);
    for path in files(folder) {
        let whole = std::fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        if whole.is_empty() {
            continue;
        }
        let damage = damage(&path, &whole, &mut random);
        let checked = catch_unwind(AssertUnwindSafe(&mut check));
        std::fs::write(&path, whole).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        if checked.is_err() {
            panic!("a law is broken (above) where {} is {damage}", path.display());
        }
    }
}

/// All files below a folder, sorted.
fn files(folder: &Path) -> Vec<PathBuf> {
    let Ok(entries) = std::fs::read_dir(folder) else {
        // An example without files.
        return vec![];
    };
    let mut found = Vec::new();
    for path in entries.flatten().map(|entry| entry.path()) {
        if path.is_dir() {
            found.extend(files(&path))
        } else {
            found.push(path)
        }
    }
    found.sort();
    found
}

/// Breaks the file, which is not empty, and says how.
fn damage(path: &Path, whole: &[u8], random: &mut Rng) -> String {
    let failed = |error: std::io::Error| panic!("{}: {error}", path.display());
    let length = whole.len();
    // Headers and ends are hit as often as all that lies between.
    let at = match random.below(3) {
        0 => random.below(length.min(64)),
        1 => length.saturating_sub(1 + random.below(64)),
        _ => random.below(length),
    };
    match random.below(8) {
        0 => {
            std::fs::remove_file(path).unwrap_or_else(failed);
            "missing".into()
        }
        1..=3 => {
            std::fs::write(path, &whole[..at]).unwrap_or_else(failed);
            format!("cut off after {at} bytes")
        }
        _ => {
            let (mut broken, bit) = (whole.to_vec(), random.below(8));
            broken[at] ^= 1 << bit;
            std::fs::write(path, broken).unwrap_or_else(failed);
            format!("broken at byte {at}, bit {bit}")
        }
    }
}
