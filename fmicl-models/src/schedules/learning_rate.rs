//! The learning rate of each step: a linear warm-up, then a schedule.
//!
//! Source: Goyal et al., arXiv 1706.02677 (warm-up); with the cosine, as SimCLR's and MoCo v3's code put them together.

use super::factor::factor;
use fmicl_core::{Part, Result, Schedule};

/// `base_lr * step / warmup_steps` before the end of the warm-up, and after it
/// `final_lr + (base_lr - final_lr) * factor(progress)` with the schedule's factor at
/// `progress = (step - warmup_steps) / (total_steps - warmup_steps)`.
///
/// So step 0 has the rate 0 if there is a warm-up. With a cosine it is `base_lr` if there is none; step `warmup_steps` has
/// `base_lr`; the last step, `total_steps - 1`, is one step short of `final_lr`, which holds from `total_steps` on.
#[derive(Debug)]
pub struct LearningRate<'a> {
    /// The highest rate.
    pub base_lr: f64,
    /// Steps of the linear warm-up.
    pub warmup_steps: u64,
    /// All steps, the warm-up included. If they end before the warm-up does, nothing follows it.
    pub total_steps: u64,
    /// The rate at factor 0.
    pub final_lr: f64,
    /// Schedule after the warm-up.
    pub schedule: &'a Part<dyn Schedule>,
}

impl LearningRate<'_> {
    /// The learning rate of a step, counted from 0.
    ///
    /// # Errors
    /// [`Error::Run`](fmicl_core::Error::Run) where the schedule's factor is not from 0 to 1.
    pub fn at(&self, step: u64) -> Result<f64> {
        if step < self.warmup_steps {
            return Ok(self.base_lr * step as f64 / self.warmup_steps as f64);
        }
        let progress = match step < self.total_steps {
            true => (step - self.warmup_steps) as f64 / (self.total_steps - self.warmup_steps) as f64,
            false => 1.0,
        };
        let factor = factor(self.schedule.name(), &**self.schedule, progress)?;
        Ok(self.final_lr + (self.base_lr - self.final_lr) * factor)
    }
}

#[cfg(test)]
mod tests {
    use super::LearningRate;
    use crate::schedules::cosine;
    use fmicl_core::tch::Tensor;

    #[test]
    fn rises_from_zero_over_the_warmup_and_falls_to_the_final_rate() {
        let schedule = LearningRate {
            base_lr: 0.4,
            warmup_steps: 10,
            total_steps: 110,
            final_lr: 0.1,
            schedule: &cosine(),
        };
        let lr = |step| schedule.at(step).unwrap();
        assert_eq!([lr(0), lr(5), lr(10), lr(110), lr(1000)], [0.0, 0.2, 0.4, 0.1, 0.1]);
        assert!((lr(60) - 0.25).abs() < 1e-15, "half-way between 0.4 and 0.1");
        assert!(lr(109) > 0.1 && lr(109) < 0.1001);
    }

    #[test]
    fn rates_are_those_of_a_lambda_lr() {
        let schedule = LearningRate {
            base_lr: 0.5,
            warmup_steps: 6,
            total_steps: 20,
            final_lr: 0.02,
            schedule: &cosine(),
        };
        let rates: Vec<f64> = (0..=20).map(|step| schedule.at(step).unwrap()).collect();
        let golden = &crate::golden::read("schedule")["rates"];
        crate::golden::assert_close("rates", &Tensor::from_slice(&rates), golden, 1e-15);
    }

    #[test]
    fn starts_at_the_base_rate_without_a_warmup() {
        let schedule = LearningRate {
            base_lr: 0.4,
            warmup_steps: 0,
            total_steps: 2,
            final_lr: 0.0,
            schedule: &cosine(),
        };
        assert_eq!([0, 2].map(|step| schedule.at(step).unwrap()), [0.4, 0.0]);
    }

    #[test]
    fn a_run_that_ends_within_the_warmup_only_rises() {
        let schedule = LearningRate {
            base_lr: 1.0,
            warmup_steps: 4,
            total_steps: 2,
            final_lr: 0.0,
            schedule: &cosine(),
        };
        assert_eq!([0, 1, 3].map(|step| schedule.at(step).unwrap()), [0.0, 0.25, 0.75]);
    }
}
