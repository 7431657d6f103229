//! Half a cosine, `(1 + cos(pi * progress)) / 2`.
//!
//! Source: Loshchilov and Hutter, "SGDR", ICLR 2017, arXiv 1608.03983, equation (5) without restarts.

use fmicl_core::{Schedule, register};
use serde::{Deserialize, Serialize};
use std::f64::consts::PI;

/// From 1 to 0 along half a cosine.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Cosine {}

register!(Schedule, "cosine", Cosine, "from 1 to 0 along half a cosine");

impl Schedule for Cosine {
    fn factor(&self, progress: f64) -> f64 {
        (1.0 + (PI * progress).cos()) / 2.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use fmicl_core::testing::check_schedule;

    #[test]
    fn falls_from_one_to_zero_and_is_half_way_in_the_middle() {
        check_schedule(&Cosine {});
        let factor = |progress| Cosine {}.factor(progress);
        assert_eq!([factor(0.0), factor(1.0)], [1.0, 0.0]);
        assert!((factor(0.5) - 0.5).abs() < 1e-15);
    }
}
