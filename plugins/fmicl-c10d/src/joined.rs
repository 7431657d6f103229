//! What the processes do together.

use crate::blame::Blame;
use crate::group::Group;
use crate::sums::Sums;
use fmicl_core::tch::Tensor;
use fmicl_core::{Error, Overlap, Parameters, Processes, Result};
use std::cell::Cell;
use std::rc::Rc;
use std::time::{Duration, Instant};

/// Processes that have met.
#[derive(Debug)]
pub struct Joined {
    group: Group,
    rank: usize,
    size: usize,
    blame: Blame,
    /// Bytes of gradients that are summed in one call.
    bucket: i64,
    /// Whether this process has left the others.
    gone: Cell<bool>,
    called: Cell<Duration>,
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

impl Processes for Joined {
    fn rank(&self) -> usize {
        self.rank
    }

    fn size(&self) -> usize {
        self.size
    }

    fn all_reduce(&self, tensor: &mut Tensor) -> Result<()> {
        self.call(|group| group.all_reduce(tensor))
    }

    fn all_gather(&self, tensor: &Tensor) -> Result<Tensor> {
        let mut shape = tensor.size();
        shape.insert(0, self.size as i64);
        let mut all = Tensor::empty(shape, (tensor.kind(), tensor.device()));
        self.call(|group| group.all_gather(tensor, &mut all))?;
        Ok(all)
    }

    fn broadcast(&self, tensor: &mut Tensor) -> Result<()> {
        self.call(|group| group.broadcast(tensor))
    }

    fn sum(&self, tensor: &Tensor) -> Result<Tensor> {
        self.call(|group| group.sum(tensor))
    }

    fn overlap(self: Rc<Self>, parameters: &Parameters) -> Result<Option<Box<dyn Overlap>>> {
        let device = parameters.groups.first().map(|group| group.grads.device());
        // What has to be copied to where the backend works on it would hold the backward pass up.
        if self.bucket == 0 || device != Some(self.group.device()) {
            return Ok(None);
        }
        let sums = Sums::new(self.clone(), parameters, self.bucket)?;
        Ok(Some(Box::new(sums)))
    }

    fn called(&self) -> Duration {
        self.called.get()
    }

    fn leave(&self, why: &str) {
        if !self.gone.replace(true) {
            self.blame.leave(&self.group, why);
        }
    }
}
