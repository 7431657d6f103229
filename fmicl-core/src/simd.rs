//! One source, compiled for several kinds of processor; which one runs is decided while running.
//!
//! All give the same bits: Rust neither reorders floating-point operations nor contracts a product and a sum. A kernel that
//! called `mul_add` would break that.

use std::cell::Cell;
use std::sync::LazyLock;

/// What a processor can do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    /// What every processor of the target can.
    Portable,
    /// x86-64 with AVX2: 8 lanes of 32 bits.
    Avx2,
    /// x86-64-v4: 16 lanes.
    Avx512,
}

/// Defines a function whose body is compiled for each [`Level`](crate::simd::Level). What the body calls must be
/// `#[inline(always)]` to share in that.
#[macro_export]
macro_rules! kernel {
    ($(#[$attribute:meta])* $vis:vis fn $name:ident($($arg:ident: $type:ty),* $(,)?) $(-> $out:ty)? $body:block) => {
        $(#[$attribute])*
        $vis fn $name($($arg: $type),*) $(-> $out)? {
            #[inline(always)]
            fn portable($($arg: $type),*) $(-> $out)? $body

            #[cfg(target_arch = "x86_64")]
            {
                #[target_feature(enable = "avx2")]
                fn avx2($($arg: $type),*) $(-> $out)? {
                    portable($($arg),*)
                }
                #[target_feature(enable = "avx2,avx512f,avx512bw,avx512dq,avx512vl")]
                fn avx512($($arg: $type),*) $(-> $out)? {
                    portable($($arg),*)
                }
                match $crate::simd::level() {
                    $crate::simd::Level::Portable => {}
                    // SAFETY: the processor has what the function was compiled for.
                    $crate::simd::Level::Avx2 => return unsafe { avx2($($arg),*) },
                    // SAFETY: as above.
                    $crate::simd::Level::Avx512 => return unsafe { avx512($($arg),*) },
                }
            }
            portable($($arg),*)
        }
    };
}

thread_local! {
    /// What [`at_every_level`] lets this thread use.
    static ALLOWED: Cell<Level> = const { Cell::new(Level::Avx512) };
}

/// What this processor can do, and `FMICL_SIMD` does not forbid: `FMICL_SIMD=avx2` and `FMICL_SIMD=portable` show how fast a
/// lesser processor would be.
#[inline]
pub fn level() -> Level {
    static LEVEL: LazyLock<Level> = LazyLock::new(|| {
        let most = match std::env::var("FMICL_SIMD").as_deref() {
            Ok("portable") => Level::Portable,
            Ok("avx2") => Level::Avx2,
            _ => Level::Avx512,
        };
        of_processor().min(most)
    });
    (*LEVEL).min(ALLOWED.get())
}

#[cfg(target_arch = "x86_64")]
fn of_processor() -> Level {
    use std::arch::is_x86_feature_detected as has;
    if !has!("avx2") {
        Level::Portable
    } else if has!("avx512f") && has!("avx512bw") && has!("avx512dq") && has!("avx512vl") {
        Level::Avx512
    } else {
        Level::Avx2
    }
}

#[cfg(not(target_arch = "x86_64"))]
fn of_processor() -> Level {
    Level::Portable
}

/// Runs `work` on this thread at each level that the processor has, and panics unless the results are the same.
pub fn at_every_level<T: PartialEq>(work: impl Fn() -> T) -> T {
    let [portable, avx2, avx512] = [Level::Portable, Level::Avx2, Level::Avx512].map(|level| {
        ALLOWED.set(level);
        work()
    });
    assert!(portable == avx2, "AVX2 gives other results");
    assert!(portable == avx512, "AVX-512 gives other results");
    portable
}
