//! A reader that hostile bytes are given to.

use crate::memory_of;
use std::path::{Path, PathBuf};

/// The most memory that hostile files may make a reader take, in bytes: they have less than 1 MiB here, and photos less than
/// 4 KiB, of which no more can be made than 8,256 pixels a byte, 100 MB.
pub const MOST: usize = 128 << 20;

type Read = Box<dyn Fn(&[u8])>;

/// A reader under test.
pub struct Target {
    name: String,
    seeds: Vec<Vec<u8>>,
    read: Read,
}

impl Target {
    /// `read` panics where what a reader promises does not hold. `seeds` are whole inputs, to begin with.
    pub(crate) fn new(name: impl Into<String>, seeds: Vec<Vec<u8>>, read: impl Fn(&[u8]) + 'static) -> Self {
        Target {
            name: name.into(),
            seeds,
            read: Box::new(read),
        }
    }

    /// Its name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Whole inputs, and those of `corpus/NAME/`.
    pub fn inputs(&self) -> Vec<Vec<u8>> {
        let mut inputs = self.seeds.clone();
        let mut paths: Vec<PathBuf> = match std::fs::read_dir(self.corpus()) {
            Ok(entries) => entries.flatten().map(|entry| entry.path()).collect(),
            // Nothing has gone wrong with it yet.
            Err(_) => vec![],
        };
        paths.sort();
        let read = |path: &PathBuf| std::fs::read(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        inputs.extend(paths.iter().map(read));
        inputs
    }

    /// The folder of inputs that are kept.
    pub fn corpus(&self) -> PathBuf {
        Path::new(env!("CARGO_MANIFEST_DIR")).join("corpus").join(&self.name)
    }

    /// Gives `input` to the reader.
    ///
    /// # Panics
    /// Where the reader does, breaks a promise, or takes more than 128 MiB.
    pub fn run(&self, input: &[u8]) {
        let taken = memory_of(|| (self.read)(input));
        let (name, length) = (&self.name, input.len());
        assert!(
            taken <= MOST,
            "{name} took {taken} bytes of memory for {length} of input"
        );
    }
}
