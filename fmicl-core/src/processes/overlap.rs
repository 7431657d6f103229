//! Sums of gradients that begin while the backward pass still goes on.

use crate::Result;
use std::fmt;

/// The sums over all processes of the gradients of the parameters that it was made for. It waits in no other call but
/// [`finish`](Overlap::finish).
pub trait Overlap: fmt::Debug {
    /// The next backward pass is the last one before [`finish`](Overlap::finish): a gradient may be summed as soon as
    /// that pass has made it.
    fn begin(&self);

    /// Returns when all gradients are the sums, the same to the bit in each process.
    ///
    /// # Errors
    /// As [`Processes::all_reduce`](super::Processes::all_reduce).
    fn finish(&self) -> Result<()>;
}
