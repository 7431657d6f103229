//! Process group of a run, and its collectives.
//!
//! Every process computes the same loss, that of the global batch: features are all-gathered
//! ([`crate::Pairing::gather`]), and the tiles of pairs are divided between processes as between threads
//! ([`crate::estimator`]). In each process the loss has a gradient with respect to its own features only, so `dL/dtheta
//! = sum_r dL/dz_r dz_r/dtheta`: the gradient is the *sum* of those of all processes.

use crate::{Error, Overlap, Parameters, Result};
use std::fmt;
use std::rc::Rc;
use std::time::Duration;
use tch::Tensor;

/// Process group. All processes make the same calls in the same order.
///
/// An error is one line that names the failed process, if it is known; after an error every call fails.
pub trait Processes: fmt::Debug {
    /// Rank of this process, from 0 to `size() - 1`.
    fn rank(&self) -> usize;

    /// World size: the number of processes.
    fn size(&self) -> usize;

    /// Replaces `tensor` by its sum over all processes, the same to the bit in each of them.
    ///
    /// # Errors
    /// [`crate::Error`] if another process has stopped, or does not answer before the timeout.
    fn all_reduce(&self, tensor: &mut Tensor) -> Result<()>;

    /// `[size, ...]`: the tensor of each process, in the order of ranks, without gradient. All have the same shape.
    ///
    /// # Errors
    /// As [`all_reduce`](Processes::all_reduce).
    fn all_gather(&self, tensor: &Tensor) -> Result<Tensor>;

    /// Replaces `tensor` by that of rank 0.
    ///
    /// # Errors
    /// As [`all_reduce`](Processes::all_reduce).
    fn broadcast(&self, tensor: &mut Tensor) -> Result<()>;

    /// Differentiable sum over all processes: the gradient of a summand is the sum over processes of the gradients with
    /// respect to their copies of the sum. The backward pass is a collective, too.
    ///
    /// # Errors
    /// As [`all_reduce`](Processes::all_reduce), and if the engine does not support it.
    fn sum(&self, tensor: &Tensor) -> Result<Tensor>;

    /// Returns a reducer that sums the parameters' gradients over the processes during the backward pass; `None` if
    /// they can only be summed afterwards, by [`all_reduce`](Processes::all_reduce).
    ///
    /// # Errors
    /// Errors of [`all_reduce`](Processes::all_reduce).
    fn overlap(self: Rc<Self>, _parameters: &Parameters) -> Result<Option<Box<dyn Overlap>>> {
        Ok(None)
    }

    /// Time that this process has spent in collectives, waiting included.
    fn called(&self) -> Duration {
        Duration::ZERO
    }

    /// Tells the other processes the reason why this one stops.
    fn leave(&self, _why: &str) {}
}

impl dyn Processes + '_ {
    /// Returns true if the world size is above 1.
    pub fn are_many(&self) -> bool {
        self.size() > 1
    }

    /// Barrier: returns when all processes have called it.
    ///
    /// # Errors
    /// As [`Processes::all_reduce`].
    pub fn wait(&self) -> Result<()> {
        self.all_reduce(&mut Tensor::from(0i64))
    }

    /// A text of each process, in the order of ranks.
    ///
    /// # Errors
    /// As [`Processes::all_reduce`].
    pub fn gather_texts(&self, text: &str) -> Result<Vec<String>> {
        let bytes = Tensor::from_slice(text.as_bytes());
        let lengths = Vec::<i64>::try_from(self.all_gather(&Tensor::from(bytes.size()[0]))?)?;
        let longest = lengths.iter().max().copied().unwrap_or(0);
        let padded = bytes.constant_pad_nd([0, longest - bytes.size()[0]]);
        let all = self.all_gather(&padded)?;
        let of = |(rank, &length): (usize, &i64)| {
            let bytes = Vec::<u8>::try_from(all.get(rank as i64).narrow(0, 0, length))?;
            Ok(String::from_utf8_lossy(&bytes).into_owned())
        };
        lengths.iter().enumerate().map(of).collect()
    }

    /// Returns an error if `text`, described by `what`, differs between processes.
    ///
    /// # Errors
    /// [`Error::Run`] with the first line that differs, in every process the same.
    pub fn require_same(&self, what: &str, text: &str) -> Result<()> {
        let texts = self.gather_texts(text)?;
        let Some((rank, other)) = texts.iter().enumerate().find(|(_, other)| **other != texts[0]) else {
            return Ok(());
        };
        let mut lines = texts[0]
            .lines()
            .map(Some)
            .chain(std::iter::repeat(None))
            .zip(other.lines().map(Some).chain(std::iter::repeat(None)));
        let differs = lines.find(|(first, other)| first != other || (first.is_none() && other.is_none()));
        let (first, other) = differs.unwrap_or((None, None));
        let words = |line: Option<&str>| line.map_or("nothing there".into(), |line| format!("`{line}`"));
        Err(Error::Run(format!(
            "{what} of rank {rank} is not that of rank 0: {} and {}; start all processes alike",
            words(other),
            words(first)
        )))
    }

    /// The largest of each number over all processes.
    ///
    /// # Errors
    /// As [`Processes::all_reduce`].
    pub fn largest<const N: usize>(&self, numbers: [i64; N]) -> Result<[i64; N]> {
        let all = self.all_gather(&Tensor::from_slice(&numbers))?;
        let largest = Vec::<i64>::try_from(all.amax([0].as_slice(), false))?;
        Ok(std::array::from_fn(|index| largest[index]))
    }

    /// Text of rank 0, in every process.
    ///
    /// # Errors
    /// As [`Processes::all_reduce`].
    pub fn text_of_first(&self, text: &str) -> Result<String> {
        Ok(self.gather_texts(text)?.swap_remove(0))
    }
}
