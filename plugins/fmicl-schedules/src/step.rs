//! Steps down: torch's `MultiStepLR`, at shares of training instead of epochs.
//!
//! Source: `main_lincls.py` of facebookresearch/moco, which divides the learning rate by 10 after 60 and 80 of 100 epochs.

use fmicl_core::{Documented, Result, Schedule, register, require};
use serde::{Deserialize, Serialize};

/// `gamma` to the power of the milestones that are reached.
#[derive(Debug, Documented, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Step {
    /// Shares of training, from 0 to 1, after each of which the factor is `gamma` times what it was; `[0.6, 0.8]` by default.
    pub milestones: Vec<f64>,
    /// From 0 to 1; 0.1 by default.
    pub gamma: f64,
}

impl Default for Step {
    fn default() -> Self {
        Step {
            milestones: vec![0.6, 0.8],
            gamma: 0.1,
        }
    }
}

register!(Schedule, "step", Step, "a tenth after 60 and after 80 % of training");

impl Schedule for Step {
    fn validate(&self) -> Result<()> {
        for milestone in &self.milestones {
            require((0.0..=1.0).contains(milestone), "milestones", || {
                format!("{milestone} is not a share of training, from 0 to 1")
            })?;
        }
        require((0.0..=1.0).contains(&self.gamma), "gamma", || {
            format!("{} is not from 0 to 1", self.gamma)
        })
    }

    fn factor(&self, progress: f64) -> f64 {
        let reached = self.milestones.iter().filter(|milestone| progress >= **milestone);
        self.gamma.powi(reached.count() as i32)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use fmicl_core::testing::check_schedule;

    #[test]
    fn rates_are_those_of_mocos_linear_classification() {
        check_schedule(&Step::default());
        // adjust_learning_rate with its defaults, epochs = 100 and schedule = [60, 80].
        let factor = |epoch: u32| Step::default().factor(f64::from(epoch) / 100.0);
        for (epochs, expected) in [(0..60, 1.0), (60..80, 0.1), (80..100, 0.01)] {
            for epoch in epochs {
                assert!((factor(epoch) - expected).abs() < 1e-12, "epoch {epoch}");
            }
        }
    }

    #[test]
    fn options_out_of_range_name_their_key() {
        let error = |step: Step| step.validate().unwrap_err().to_string();
        let late = Step {
            milestones: vec![60.0],
            ..Step::default()
        };
        assert_eq!(error(late), "milestones: 60 is not a share of training, from 0 to 1");
        let rising = Step {
            gamma: 2.0,
            ..Step::default()
        };
        assert_eq!(error(rising), "gamma: 2 is not from 0 to 1");
    }
}
