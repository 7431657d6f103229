//! Reducer: sums of gradients that overlap with the backward pass.

use crate::Result;
use std::fmt;

/// Reducer: sums the gradients of its parameters over all processes, in buckets, during the backward pass. Only
/// [`finish`](Overlap::finish) waits.
pub trait Overlap: fmt::Debug {
    /// Announces that the next backward pass is the last one before [`finish`](Overlap::finish): a gradient may be
    /// summed as soon as it is complete.
    fn begin(&self);

    /// Waits until all gradients are sums, equal to the bit in each process.
    ///
    /// # Errors
    /// As [`Processes::all_reduce`](crate::Processes::all_reduce).
    fn finish(&self) -> Result<()>;
}
