//! Work that all processes do together, each its share.
//!
//! What shares work lies deep inside: tiles in an objective, batch norms in a backbone. A thread is told once whom it works
//! with, so that no objective and no backbone has to pass it on; one that shares nothing computes all, and is right, too.

use super::Processes;
use crate::{Error, Result};
use std::cell::RefCell;
use std::rc::Rc;
use tch::Tensor;

/// Whom this thread works with, and what went wrong.
#[derive(Debug)]
struct Together {
    processes: Rc<dyn Processes>,
    norms: bool,
    failure: Option<Error>,
}

thread_local! {
    static TOGETHER: RefCell<Option<Together>> = const { RefCell::new(None) };
}

/// Does `work` with the other processes, which do the same: tiles of pairs are dealt out to all of them. With `norms`,
/// batch norms see the batch of all of them ([`norms_together`]).
///
/// # Errors
/// The first call to the others that failed; what `work` gave is then worth nothing.
pub fn together<T>(processes: &Rc<dyn Processes>, norms: bool, work: impl FnOnce() -> T) -> Result<T> {
    /// Leaves the thread alone again, after a panic too.
    struct Alone;
    impl Drop for Alone {
        fn drop(&mut self) {
            TOGETHER.take();
        }
    }
    if !processes.are_many() {
        return Ok(work());
    }
    let _alone = Alone;
    TOGETHER.set(Some(Together {
        processes: processes.clone(),
        norms,
        failure: None,
    }));
    let done = work();
    match TOGETHER.take().and_then(|together| together.failure) {
        Some(error) => Err(error),
        None => Ok(done),
    }
}

/// What `call` gives with the other processes; none where there is none, or one has failed before.
fn with<T>(call: impl FnOnce(&dyn Processes) -> Result<T>) -> Option<T> {
    TOGETHER.with_borrow_mut(|together| {
        let together = together.as_mut().filter(|together| together.failure.is_none())?;
        match call(&*together.processes) {
            Ok(done) => Some(done),
            Err(error) => {
                together.failure = Some(error);
                None
            }
        }
    })
}

/// This process's share of what all have.
pub(crate) fn deal<T>(items: Vec<T>) -> Vec<T> {
    let (rank, size) = share();
    items.into_iter().skip(rank).step_by(size).collect()
}

/// What the processes have made of their shares, `[size, ...]`. Where one has failed, this one's own in their places: the
/// work goes on to its end, which is worth nothing.
pub(crate) fn gathered(part: Tensor) -> Tensor {
    let own = || Tensor::stack(&vec![&part; share().1], 0);
    with(|processes| processes.all_gather(&part)).unwrap_or_else(own)
}

/// Replaces a gradient by its sum over the processes.
pub(crate) fn sum_gradients(gradient: &mut Tensor) {
    let _ = with(|processes| processes.all_reduce(gradient));
}

/// Where batch norms see the batch of all processes: the sum of `statistics` over them, with gradient, and their number.
pub fn norms_together(statistics: &Tensor) -> Option<(Tensor, usize)> {
    if !TOGETHER.with_borrow(|together| together.as_ref().is_some_and(|together| together.norms)) {
        return None;
    }
    with(|processes| Ok((processes.sum(statistics)?, processes.size())))
}

/// The rows of all processes, `[size * N, ...]` in the order of ranks, without gradient; this one's own where it works
/// alone. All have the same shape.
pub fn rows_of_all(rows: &Tensor) -> Tensor {
    gathered(rows.detach()).flatten(0, 1)
}

/// The rank of this process and the number of processes that work together here.
pub fn share() -> (usize, usize) {
    let share = |together: &Together| (together.processes.rank(), together.processes.size());
    TOGETHER.with_borrow(|together| together.as_ref().map_or((0, 1), share))
}
