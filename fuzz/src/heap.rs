//! How much memory something takes.

use peak_alloc::PeakAlloc;
use std::sync::{Mutex, PoisonError};

/// Rust's side of the memory; libtorch and libjpeg have their own.
#[global_allocator]
static HEAP: PeakAlloc = PeakAlloc;

/// The most bytes that `work` holds at once beyond what was held before. One at a time: whoever else calls it waits.
pub fn memory_of(work: impl FnOnce()) -> usize {
    static TURN: Mutex<()> = Mutex::new(());
    let _turn = TURN.lock().unwrap_or_else(PoisonError::into_inner);
    let before = HEAP.current_usage();
    HEAP.reset_peak_usage();
    work();
    HEAP.peak_usage().saturating_sub(before)
}
