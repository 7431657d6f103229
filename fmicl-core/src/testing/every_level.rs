//! Equal results of a kernel at every instruction set level.

use crate::simd::{ALLOWED, Level};

/// Runs `work` on this thread at each level that the processor has, and panics unless the results are the same. Work on
/// other threads is not covered.
pub fn at_every_level<T: PartialEq>(work: impl Fn() -> T) -> T {
    let [portable, avx2, avx512] = [Level::Portable, Level::Avx2, Level::Avx512].map(|level| {
        ALLOWED.set(level);
        work()
    });
    assert!(portable == avx2, "AVX2 gives other results");
    assert!(portable == avx512, "AVX-512 gives other results");
    portable
}
