//! Runs that are stopped while they write, and are compared with others.

use crate::bench::Bench;
use crate::metrics::metrics;
use crate::state::{checkpoint, steps};
use std::path::PathBuf;

impl Bench {
    /// That both runs are the same at step `last`, to the bit.
    pub fn same(&self, a: &str, b: &str, last: u64) {
        let [a, b] = [a, b].map(|name| self.path(name));
        assert!(checkpoint(&a, last) == checkpoint(&b, last), "other weights");
        assert_eq!(metrics(&a), metrics(&b));
        assert_eq!(steps(&a), steps(&b));
    }

    /// Returns true if a checkpoint is being written.
    pub fn is_writing(&self, name: &str) -> bool {
        let is_partial = |path: &PathBuf| path.extension().is_some_and(|extension| extension == "partial");
        self.checkpoints(name).iter().any(is_partial)
    }
}

/// A checkpoint after every step, and steps for a few seconds.
pub fn often(experiment: &str) -> String {
    experiment.replace("epochs = 3,", "epochs = 100, checkpoint_minutes = 1e-6, keep = 2,")
}
