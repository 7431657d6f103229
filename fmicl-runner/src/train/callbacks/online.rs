//! Online evaluation: the encoder is evaluated during training.

use crate::config::Eval;
use crate::run::Model;
use crate::train::callback::Callback;
use crate::train::measured::Measured;
use crate::train::trainer::Trainer;
use fmicl_core::MetricValues;
use std::time::{Duration, Instant};

/// Evaluates the encoder every few epochs with a function given by the caller, since training itself knows no
/// evaluation.
pub struct Online<'a> {
    every: usize,
    budget: Option<Budget>,
    judge: &'a Judge<'a>,
}

/// Time that evaluations may take.
struct Budget {
    /// Of all the time.
    share: f64,
    begun: Instant,
    spent: Duration,
    /// Of the last evaluation.
    last: Duration,
}

impl Budget {
    /// Whether another evaluation like the last one keeps to the share, after so much time; the first one always does: what it
    /// takes is not known before.
    fn allows(&self, elapsed: Duration) -> bool {
        let with_another = self.spent + self.last;
        self.spent.is_zero() || with_another.as_secs_f64() <= self.share * (elapsed + self.last).as_secs_f64()
    }
}

impl<'a> Online<'a> {
    /// Evaluates by `judge` as often as the config says.
    pub fn new(eval: &Eval, judge: &'a Judge<'a>) -> Self {
        let budget = |share| Budget {
            share,
            begun: Instant::now(),
            spent: Duration::ZERO,
            last: Duration::ZERO,
        };
        Online {
            every: eval.every,
            budget: eval.share.map(budget),
            judge,
        }
    }

    fn is_due(&self, trainer: &Trainer, epoch: usize) -> anyhow::Result<bool> {
        if self.every == 0 || !epoch.is_multiple_of(self.every) {
            return Ok(false);
        }
        let Some(budget) = &self.budget else { return Ok(true) };
        // Each process has its own clock: one that has no time left speaks for all.
        let lacks_time = !budget.allows(budget.begun.elapsed());
        let [lack_time] = trainer.plan.processes.largest([i64::from(lacks_time)])?;
        Ok(lack_time == 0)
    }
}

/// A judgement of a model as it is. Of several processes each has the same.
pub type Judge<'a> = dyn Fn(&Model) -> anyhow::Result<Worth> + 'a;

/// Results of an online evaluation.
#[derive(Debug, Default)]
pub struct Worth {
    /// Metrics.
    pub values: MetricValues,
    /// The same, for the end of a line.
    pub line: String,
    /// Score by which checkpoints are compared, higher is better.
    pub score: Option<f64>,
}

impl Callback for Online<'_> {
    fn epoch_end(&mut self, trainer: &mut Trainer, measured: &mut Measured) -> anyhow::Result<()> {
        if self.is_due(trainer, measured.at.epoch)? {
            let begun = Instant::now();
            let worth = (self.judge)(trainer.state.model)?;
            if let Some(budget) = &mut self.budget {
                budget.last = begun.elapsed();
                budget.spent += budget.last;
            }
            measured.values.extend(worth.values);
            measured.line += &worth.line;
            trainer.state.standing.score = worth.score;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn evaluations_keep_to_their_share_of_the_time() {
        let seconds = Duration::from_secs;
        let mut budget = Budget {
            share: 0.1,
            begun: Instant::now(),
            spent: Duration::ZERO,
            last: Duration::ZERO,
        };
        assert!(budget.allows(Duration::ZERO), "the first one");
        // Of 10 seconds each: the second one after 190, of 200 together.
        (budget.spent, budget.last) = (seconds(10), seconds(10));
        assert_eq!(
            [100, 189, 190].map(|elapsed| budget.allows(seconds(elapsed))),
            [false, false, true]
        );
    }
}
