//! Work shared by all processes of a run.
//!
//! Shared work is deep inside other code: tiles in an objective, batch norms in a backbone. So the process group is a
//! thread-local, and no objective or backbone has to pass it on. Code that ignores it computes everything in each
//! process, and is correct too.

use crate::{Error, Processes, Result};
use std::cell::RefCell;
use std::rc::Rc;
use tch::Tensor;

/// Process group of this thread, and its first failure.
#[derive(Debug)]
struct Together {
    processes: Rc<dyn Processes>,
    norms: bool,
    failure: Option<Error>,
}

thread_local! {
    static TOGETHER: RefCell<Option<Together>> = const { RefCell::new(None) };
}

/// Runs `work` with a process group: every process runs the same, and tiles of pairs are divided between them. With
/// `norms`, batch norms are synchronised ([`norms_together`]).
///
/// # Errors
/// Error of the first collective that failed; the result of `work` is then discarded.
pub fn together<T>(processes: &Rc<dyn Processes>, norms: bool, work: impl FnOnce() -> T) -> Result<T> {
    /// Removes the thread's process group, after a panic too.
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

/// Result of `call` with the process group; `None` if there is none, or a call has failed before.
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

/// This process's share of `items`.
pub(crate) fn deal<T>(items: Vec<T>) -> Vec<T> {
    let (rank, size) = share();
    items.into_iter().skip(rank).step_by(size).collect()
}

/// Gathers the results of all processes, `[size, ...]`. After a failure it returns this process's own result in every
/// place: the work continues to its end, and its result is discarded.
pub(crate) fn gathered(part: Tensor) -> Tensor {
    let own = || Tensor::stack(&vec![&part; share().1], 0);
    with(|processes| processes.all_gather(&part)).unwrap_or_else(own)
}

/// Replaces a gradient by its sum over the processes.
pub(crate) fn sum_gradients(gradient: &mut Tensor) {
    let _ = with(|processes| processes.all_reduce(gradient));
}

/// Sum of `statistics` over all processes, with gradient, and the world size; `None` if batch norms are not
/// synchronised.
pub fn norms_together(statistics: &Tensor) -> Option<(Tensor, usize)> {
    if !TOGETHER.with_borrow(|together| together.as_ref().is_some_and(|together| together.norms)) {
        return None;
    }
    with(|processes| Ok((processes.sum(statistics)?, processes.size())))
}

/// Rows of all processes, `[size * N, ...]` in the order of ranks, without gradient; only this process's own without a
/// process group. All must have the same shape.
pub fn rows_of_all(rows: &Tensor) -> Tensor {
    gathered(rows.detach()).flatten(0, 1)
}

/// Rank and world size of this thread's process group; `(0, 1)` without one.
pub fn share() -> (usize, usize) {
    let share = |together: &Together| (together.processes.rank(), together.processes.size());
    TOGETHER.with_borrow(|together| together.as_ref().map_or((0, 1), share))
}
