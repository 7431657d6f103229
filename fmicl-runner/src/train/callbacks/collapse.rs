//! The warning that features collapse.

use super::progress::Progress;
use crate::config::{OnCollapse, Train};
use crate::train::callback::Callback;
use crate::train::measured::Measured;
use crate::train::trainer::Trainer;
use anyhow::bail;
use fmicl_core::MetricValue;

/// Effective rank of the projections below which they have collapsed.
pub const COLLAPSED: f64 = 2.0;
/// Mean cosine of two projections above which they have collapsed.
const ONE_POINT: f64 = 0.95;
/// Mean cosine above which a negative balance leads there.
const ON_THE_WAY: f64 = 0.7;

/// Warns in one line, when an epoch ends with projections that are nearly one point or one line, or that the objective
/// draws there. With `train.on_collapse = "stop"` collapsed projections end the run.
#[derive(Debug)]
pub struct Collapse {
    progress: Progress,
    action: OnCollapse,
    /// Whether the last epoch was warned of.
    warned: bool,
}

impl Collapse {
    /// Warns to `progress`.
    pub fn new(train: &Train, progress: Progress) -> Self {
        Collapse {
            progress,
            action: train.on_collapse,
            warned: false,
        }
    }
}

impl Callback for Collapse {
    fn epoch_end(&mut self, _: &mut Trainer, measured: &mut Measured) -> anyhow::Result<()> {
        let number = |name: &str| match measured.values.iter().find(|(other, _)| other == name) {
            Some((_, MetricValue::Number(value))) => Some(*value),
            _ => None,
        };
        let (Some(rank), Some(cosine)) = (number("projections/effective_rank"), number("projections/mean_cosine"))
        else {
            return Ok(());
        };
        let state = State {
            rank,
            cosine,
            balance: number("balance"),
        };
        let Some(warning) = state.warning() else {
            self.warned = false;
            return Ok(());
        };
        if state.has_collapsed() && self.action == OnCollapse::Stop {
            bail!("{warning} (train.on_collapse = \"stop\")");
        }
        // Once, until it is better.
        if !std::mem::replace(&mut self.warned, true) {
            self.progress.note(&format!("warning: {warning}"));
        }
        Ok(())
    }
}

/// What is known of the projections at the end of an epoch.
#[derive(Debug, Clone, Copy)]
struct State {
    rank: f64,
    cosine: f64,
    balance: Option<f64>,
}

impl State {
    fn has_collapsed(self) -> bool {
        self.rank < COLLAPSED || self.cosine > ONE_POINT
    }

    fn warning(self) -> Option<String> {
        let State { rank, cosine, balance } = self;
        let attracts = balance.filter(|balance| *balance < 0.0);
        let what = match (self.has_collapsed(), attracts) {
            (true, _) => "the features have collapsed",
            (false, Some(_)) if cosine > ON_THE_WAY => "the features are on the way to collapse",
            _ => return None,
        };
        let numbers = format!("{what}: effective rank {rank:.1}, mean cosine {cosine:.2}");
        Some(match (attracts, balance) {
            (Some(balance), _) => format!(
                "{numbers}; the balance is {balance:.2}: below 0 the loss falls as all features draw together; \
                 objective.shift = \"best\", or a larger objective.alpha, repels more"
            ),
            (None, Some(balance)) => format!(
                "{numbers}, balance {balance:.2}; objective.shift = \"best\", a lower train.lr or a warm-up may help"
            ),
            (None, None) => format!("{numbers}; a lower train.lr, a warm-up or a lower temperature may help"),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::State;

    #[test]
    fn collapse_is_seen_and_so_is_what_leads_there() {
        let warning = |rank, cosine, balance| State { rank, cosine, balance }.warning();
        assert_eq!(warning(40.0, 0.1, Some(-0.5)), None);
        assert_eq!(warning(40.0, 0.8, Some(0.5)), None);
        assert_eq!(warning(40.0, 0.8, None), None);
        let drawn = warning(40.0, 0.8, Some(-0.5)).unwrap();
        assert!(drawn.starts_with(
            "the features are on the way to collapse: effective rank 40.0, mean cosine 0.80; the balance is -0.50"
        ));
        for (rank, cosine) in [(1.3, 0.2), (5.0, 0.99)] {
            for balance in [None, Some(-1.0), Some(1.0)] {
                let warning = warning(rank, cosine, balance).unwrap();
                assert!(warning.starts_with("the features have collapsed: "), "{warning}");
                assert_eq!(warning.lines().count(), 1);
            }
        }
    }
}
