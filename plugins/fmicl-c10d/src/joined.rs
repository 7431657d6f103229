//! Processes that have met, and who is to blame where a call fails.

use crate::blame::Blame;
use crate::group::Group;
use fmicl_core::{Error, Result};
use std::cell::Cell;
use std::time::{Duration, Instant};

/// Processes that have met.
#[derive(Debug)]
pub struct Joined {
    pub(crate) group: Group,
    pub(crate) rank: usize,
    pub(crate) size: usize,
    pub(crate) blame: Blame,
    /// Bytes of gradients that are summed in one call.
    pub(crate) bucket: i64,
    /// Whether this process has left the others.
    pub(crate) gone: Cell<bool>,
    pub(crate) called: Cell<Duration>,
}

impl Joined {
    /// The process `rank` of `size`, which keeps the store where `serves`; `patience` is how long an answer is waited for
    /// where something has gone wrong, `bucket` the bytes of gradients that are summed in one call, 0 for all after the backward
    /// pass.
    pub fn new(group: Group, rank: usize, size: usize, serves: bool, patience: Duration, bucket: i64) -> Self {
        let blame = Blame {
            rank,
            size,
            serves,
            patience,
        };
        Joined {
            group,
            rank,
            size,
            blame,
            bucket,
            gone: Cell::new(false),
            called: Cell::default(),
        }
    }

    /// What carries the calls.
    pub fn group(&self) -> &Group {
        &self.group
    }

    /// The call's result, or who is to blame.
    pub fn call<T>(&self, work: impl FnOnce(&Group) -> Result<T>) -> Result<T> {
        let begun = Instant::now();
        let done = work(&self.group);
        self.called.set(self.called.get() + begun.elapsed());
        done.map_err(|error| {
            if self.gone.replace(true) {
                return error;
            }
            Error::Run(self.blame.find(&self.group, &error.to_string()))
        })
    }
}
