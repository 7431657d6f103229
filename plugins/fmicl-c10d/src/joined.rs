//! Process group, and the identification of the failed process.

use crate::blame::Blame;
use crate::group::Group;
use fmicl_core::{Error, Result};
use std::cell::Cell;
use std::time::{Duration, Instant};

/// Process group after all processes have joined.
#[derive(Debug)]
pub struct Joined {
    pub(crate) group: Group,
    pub(crate) rank: usize,
    pub(crate) size: usize,
    pub(crate) blame: Blame,
    /// Size of a bucket of gradients in bytes.
    pub(crate) bucket: i64,
    /// `true` if this process has left the group.
    pub(crate) gone: Cell<bool>,
    pub(crate) called: Cell<Duration>,
}

impl Joined {
    /// Process `rank` of `size`, which hosts the store if `serves`. `patience` is the time to wait for the others'
    /// reasons after a failure, `bucket` the bytes of gradients in a bucket, 0 for all after the backward pass.
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

    /// Process group that carries the calls.
    pub fn group(&self) -> &Group {
        &self.group
    }

    /// Result of the call, or an error that names the failed process.
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
