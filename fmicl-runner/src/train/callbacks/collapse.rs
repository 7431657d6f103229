//! The warning that features collapse.

use super::progress::Progress;
use crate::config::{OnCollapse, Train};
use crate::run::has_collapsed;
use crate::train::callback::Callback;
use crate::train::measured::Measured;
use crate::train::trainer::Trainer;
use anyhow::bail;
use fmicl_core::MetricValue;

/// Mean cosine above which a negative balance leads there.
const ON_THE_WAY: f64 = 0.7;

/// Warns in one line, when an epoch ends with projections that are nearly one point or one line, or that the objective
/// draws there. With `train.on_collapse = "stop"` collapsed projections end the run.
#[derive(Debug)]
pub struct Collapse {
    progress: Progress,
    action: OnCollapse,
    /// What the last epoch was warned of.
    warned: Option<Kind>,
}

impl Collapse {
    /// Warns to `progress`.
    pub fn new(train: &Train, progress: Progress) -> Self {
        Collapse {
            progress,
            action: train.on_collapse,
            warned: None,
        }
    }
}

impl Callback for Collapse {
    fn epoch_end(&mut self, _: &mut Trainer, measured: &mut Measured) -> anyhow::Result<()> {
        let number = |name: &str| match measured.values.iter().find(|(other, _)| other == name) {
            Some((_, MetricValue::Number(value))) => Some(*value),
            Some((_, MetricValue::Count(value))) => Some(*value as f64),
            _ => None,
        };
        let found = (
            number("projections/effective_rank"),
            number("projections/mean_cosine"),
            number("projections/dimensions"),
        );
        let (Some(rank), Some(cosine), Some(dimensions)) = found else {
            return Ok(());
        };
        let state = State {
            rank,
            cosine,
            dimensions,
            balance: number("balance"),
            is_shifted: number("shift").is_some(),
        };
        let before = std::mem::replace(&mut self.warned, state.kind());
        let Some(kind) = self.warned else {
            return Ok(());
        };
        if kind == Kind::Collapsed && self.action == OnCollapse::Stop {
            bail!(
                "{} (train.on_collapse is \"stop\"; `--resume RUN --set train.on_collapse=warn` continues from the last \
                 checkpoint)",
                state.warning(kind)
            );
        }
        // Once, until it is better or worse.
        if before != self.warned {
            self.progress.note(&format!("warning: {}", state.warning(kind)));
        }
        Ok(())
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    OnTheWay,
    Collapsed,
}

/// Projections at the end of an epoch.
#[derive(Debug, Clone, Copy)]
struct State {
    rank: f64,
    cosine: f64,
    dimensions: f64,
    balance: Option<f64>,
    is_shifted: bool,
}

impl State {
    /// The balance where it draws features together; rounding of an exact 0 does not.
    fn attraction(self) -> Option<f64> {
        self.balance.filter(|balance| *balance < -1e-3)
    }

    fn kind(self) -> Option<Kind> {
        if has_collapsed(self.rank, self.cosine, self.dimensions) {
            return Some(Kind::Collapsed);
        }
        (self.cosine > ON_THE_WAY && self.attraction().is_some()).then_some(Kind::OnTheWay)
    }

    fn warning(self, kind: Kind) -> String {
        let State { rank, cosine, .. } = self;
        let what = match kind {
            Kind::OnTheWay => "the features are on the way to collapse",
            Kind::Collapsed => "the features have collapsed",
        };
        let numbers = format!("{what}: effective rank {rank:.2}, mean cosine {cosine:.2}");
        match (self.attraction(), self.is_shifted) {
            (Some(balance), false) => format!(
                "{numbers}; the balance is {balance:.2}: below 0 the loss falls as all features draw together; \
                 objective.shift = \"best\", or a larger objective.alpha, repels more"
            ),
            (Some(balance), true) => format!(
                "{numbers}; the balance is {balance:.2}: below 0 the loss falls as all features draw together; a larger \
                 objective.alpha repels more"
            ),
            (None, _) if self.balance.is_some_and(|balance| balance > 1e-3) => format!(
                "{numbers}; the balance is {:.2}: above 0 repulsion outweighs attraction; objective.shift = \"best\" with \
                 objective.alpha = 1, a lower train.lr or a warm-up may help",
                self.balance.unwrap_or_default()
            ),
            (None, _) => format!("{numbers}; a lower train.lr, a warm-up or a lower temperature may help"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn warning(rank: f64, cosine: f64, balance: Option<f64>) -> Option<String> {
        let state = State {
            rank,
            cosine,
            dimensions: 64.0,
            balance,
            is_shifted: false,
        };
        state.kind().map(|kind| state.warning(kind))
    }

    #[test]
    fn collapse_is_seen_and_so_is_what_leads_there() {
        assert_eq!(warning(40.0, 0.1, Some(-0.5)), None);
        assert_eq!(warning(40.0, 0.8, Some(0.5)), None);
        assert_eq!(warning(40.0, 0.8, Some(-1e-9)), None);
        assert_eq!(warning(40.0, 0.8, None), None);
        let drawn = warning(40.0, 0.8, Some(-0.5)).unwrap();
        let begin =
            "the features are on the way to collapse: effective rank 40.00, mean cosine 0.80; the balance is -0.50";
        assert!(drawn.starts_with(begin), "{drawn}");
        for (rank, cosine) in [(1.3, 0.2), (5.0, 0.99)] {
            for balance in [None, Some(-1.0), Some(1.0)] {
                let warning = warning(rank, cosine, balance).unwrap();
                assert!(warning.starts_with("the features have collapsed: "), "{warning}");
                assert_eq!(warning.lines().count(), 1);
                let outweighs = warning.contains("objective.alpha = 1, a lower train.lr or a warm-up may help");
                assert_eq!(outweighs, balance == Some(1.0), "{warning}");
            }
        }
    }
}
