//! Kernels compiled for several instruction sets, with the choice made at run time.
//!
//! All versions give the same bits: Rust neither reorders floating-point operations nor contracts a product and a sum.
//! A kernel that called `mul_add` would break that.

use std::cell::Cell;
use std::sync::LazyLock;

/// Instruction set of a processor.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    /// Baseline of the compilation target.
    Portable,
    /// x86-64 with AVX2: 8 lanes of 32 bits.
    Avx2,
    /// x86-64-v4: 16 lanes.
    Avx512,
}

/// Defines a function whose body is compiled for each [`Level`](crate::simd::Level). Functions that the body calls must
/// be `#[inline(always)]` to be compiled for them, too.
///
/// The function is a plain one: without generics, `self`, or patterns for its arguments.
///
/// ```
/// fmicl_core::kernel! {
///     /// Adds `factor` times `x` to `sums`.
///     pub fn add(sums: &mut [f32], factor: f32, x: &[f32]) {
///         for (sum, x) in sums.iter_mut().zip(x) {
///             *sum += factor * x;
///         }
///     }
/// }
/// let mut sums = [1.0; 100];
/// add(&mut sums, 2.0, &[3.0; 100]);
/// assert_eq!(sums, [7.0; 100]);
/// ```
#[macro_export]
macro_rules! kernel {
    ($(#[$attribute:meta])* $vis:vis fn $name:ident($($arg:ident: $type:ty),* $(,)?) $(-> $out:ty)? $body:block) => {
        $(#[$attribute])*
        $vis fn $name($($arg: $type),*) $(-> $out)? {
            #[inline(always)]
            fn __kernel_portable($($arg: $type),*) $(-> $out)? $body

            #[cfg(target_arch = "x86_64")]
            {
                #[target_feature(enable = "avx2")]
                fn __kernel_avx2($($arg: $type),*) $(-> $out)? {
                    __kernel_portable($($arg),*)
                }
                #[target_feature(enable = "avx2,avx512f,avx512bw,avx512dq,avx512vl")]
                fn __kernel_avx512($($arg: $type),*) $(-> $out)? {
                    __kernel_portable($($arg),*)
                }
                match $crate::simd::level() {
                    $crate::simd::Level::Portable => {}
                    // SAFETY: the processor has what the function was compiled for.
                    $crate::simd::Level::Avx2 => return unsafe { __kernel_avx2($($arg),*) },
                    // SAFETY: as above.
                    $crate::simd::Level::Avx512 => return unsafe { __kernel_avx512($($arg),*) },
                }
            }
            __kernel_portable($($arg),*)
        }
    };
}

thread_local! {
    /// The most that a test lets this thread use.
    pub(crate) static ALLOWED: Cell<Level> = const { Cell::new(Level::Avx512) };
}

/// Best level of this processor, limited by `FMICL_SIMD`: `FMICL_SIMD=avx2` and `FMICL_SIMD=portable` imitate an older
/// processor.
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
pub(crate) fn of_processor() -> Level {
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
pub(crate) fn of_processor() -> Level {
    Level::Portable
}
