//! Collectives of the processes that have joined.

use crate::joined::Joined;
use crate::sums::Sums;
use fmicl_core::tch::Tensor;
use fmicl_core::{Overlap, Parameters, Processes, Result};
use std::rc::Rc;
use std::time::Duration;

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
