//! One source, compiled for several kinds of processor; which one runs is decided while running.
//!
//! All give the same bits: Rust neither reorders floating-point operations nor contracts a product and a sum, and
//! nothing here calls `mul_add`.

/// What a processor can do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Level {
    /// What every processor of the target can.
    Portable,
    /// x86-64 with AVX2: 8 lanes of 32 bits.
    Avx2,
    /// x86-64-v4: 16 lanes.
    Avx512,
}

/// Defines a function whose body is compiled for each [`Level`]. What the body calls must be `#[inline(always)]` to share
/// in that.
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
pub(crate) use kernel;

/// The most that is used: `FMICL_SIMD=avx2` and `FMICL_SIMD=portable` show how fast a lesser processor would be.
#[cfg(target_arch = "x86_64")]
static MOST: std::sync::LazyLock<Level> = std::sync::LazyLock::new(|| match std::env::var("FMICL_SIMD").as_deref() {
    Ok("portable") => Level::Portable,
    Ok("avx2") => Level::Avx2,
    _ => Level::Avx512,
});

/// What this processor can do, and neither `FMICL_SIMD` nor a test has forbidden.
#[cfg(target_arch = "x86_64")]
#[inline(always)]
pub(crate) fn level() -> Level {
    use std::arch::is_x86_feature_detected as has;
    let level = if !has!("avx2") {
        Level::Portable
    } else if has!("avx512f") && has!("avx512bw") && has!("avx512dq") && has!("avx512vl") {
        Level::Avx512
    } else {
        Level::Avx2
    };
    #[cfg(test)]
    let level = level.min(ALLOWED.get());
    level.min(*MOST)
}

#[cfg(test)]
thread_local! {
    static ALLOWED: std::cell::Cell<Level> = const { std::cell::Cell::new(Level::Avx512) };
}

/// Runs `work` on this thread at each level that the processor has, and checks that the results are the same.
#[cfg(test)]
pub(crate) fn at_every_level<T: PartialEq>(work: impl Fn() -> T) -> T {
    let [portable, avx2, avx512] = [Level::Portable, Level::Avx2, Level::Avx512].map(|level| {
        ALLOWED.set(level);
        work()
    });
    assert!(portable == avx2, "AVX2 gives other results");
    assert!(portable == avx512, "AVX-512 gives other results");
    portable
}
