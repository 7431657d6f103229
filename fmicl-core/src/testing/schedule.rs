//! The laws of a schedule.

use crate::Schedule;

/// Checks, on a grid of progress: every factor is from 0 to 1, one is above 0, and each is the same when it is asked for again
/// in another order.
///
/// # Panics
/// With the name of the law that is broken.
pub fn check_schedule(part: &dyn Schedule) {
    part.validate().expect("the options are in range");
    let factors: Vec<f64> = (0..=1000).map(|step| part.factor(f64::from(step) / 1000.0)).collect();
    for (step, &factor) in factors.iter().enumerate() {
        assert!(
            (0.0..=1.0).contains(&factor),
            "{part:?}: the factor at {step}/1000 is {factor}, not from 0 to 1"
        );
    }
    assert!(
        factors.iter().any(|factor| *factor > 0.0),
        "{part:?}: all factors are 0"
    );
    for (step, factor) in factors.iter().enumerate().rev() {
        let again = part.factor(step as f64 / 1000.0);
        assert_eq!(
            again.to_bits(),
            factor.to_bits(),
            "{part:?}: another factor at {step}/1000"
        );
    }
}
