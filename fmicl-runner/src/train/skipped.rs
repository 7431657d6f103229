//! `skipped.jsonl`: the samples that could not be read, a line each.

use crate::left_out::{LeftOut, Skip};
use crate::run::Lines;
use fmicl_core::Result;
use serde::Deserialize;
use std::path::PathBuf;

/// The list of samples that could not be read; by default there is no file, and they are forgotten.
#[derive(Debug, Default)]
pub struct Skipped(Lines);

impl Skipped {
    /// The list in a file, which may be there from before: what it holds is told to `left_out`.
    ///
    /// # Errors
    /// The disk's.
    pub fn at(path: PathBuf, left_out: &LeftOut) -> Result<Self> {
        let (lines, _) = Lines::open(path, |line| {
            let listed = Skip::deserialize(line).map(|skip| left_out.know(&skip));
            listed.is_ok()
        })?;
        Ok(Skipped(lines))
    }

    /// Lists what was left out since the last time.
    ///
    /// # Errors
    /// None of the disk's: see [`Lines::add`].
    pub fn list(&mut self, left_out: &LeftOut) -> Result<()> {
        left_out.take().iter().try_for_each(|skip| self.0.add(skip))
    }
}
