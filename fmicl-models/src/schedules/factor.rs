//! The factor of a schedule, checked where it is taken: a schedule may come from any crate.

use fmicl_core::{Error, Result, Schedule};

/// The factor, from 0 to 1, of the schedule `name` at `progress` of training.
///
/// # Errors
/// [`Error::Run`] where the schedule gives another number, or NaN.
pub(crate) fn factor(name: &str, schedule: &dyn Schedule, progress: f64) -> Result<f64> {
    let factor = schedule.factor(progress);
    if (0.0..=1.0).contains(&factor) {
        return Ok(factor);
    }
    Err(Error::Run(format!(
        "the schedule `{name}` gives the factor {factor} at progress {progress}, and a factor is from 0 to 1; \
         `fmicl_core::testing::check_schedule` finds such a schedule"
    )))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug)]
    struct Gives(f64);

    impl Schedule for Gives {
        fn factor(&self, _: f64) -> f64 {
            self.0
        }
    }

    #[test]
    fn a_factor_that_is_not_from_0_to_1_is_an_error_that_names_the_schedule() {
        for good in [0.0, 0.5, 1.0] {
            assert_eq!(factor("mine", &Gives(good), 0.25).unwrap(), good);
        }
        for bad in [-1e-9, 1.000_001, f64::INFINITY, f64::NAN] {
            let error = factor("mine", &Gives(bad), 0.25).unwrap_err().to_string();
            let expected =
                format!("the schedule `mine` gives the factor {bad} at progress 0.25, and a factor is from 0 to 1; ");
            assert!(error.starts_with(&expected), "{error}");
        }
    }
}
