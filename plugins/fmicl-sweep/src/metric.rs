//! The numbers of a run that a sweep can report.

use serde::Deserialize;

/// A number of a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Metric {
    /// kNN accuracy with all labels.
    Knn,
    /// Linear probe with all labels.
    Linear,
    /// kNN accuracy with all labels where every class counts alike.
    BalancedKnn,
    /// Linear probe with all labels where every class counts alike.
    BalancedLinear,
    /// kNN accuracy with few labels.
    FewKnn,
    /// Linear probe with few labels.
    FewLinear,
    /// Alignment of the projections in the last epoch; less is better.
    Alignment,
    /// Uniformity of the projections in the last epoch; less is better.
    Uniformity,
    /// Effective rank of the projections in the last epoch.
    EffectiveRank,
    /// The last epoch's estimate of the mutual information, of the divergence's own kind.
    FMi,
    /// The last epoch's loss.
    Loss,
    /// The whole run's time.
    Seconds,
}

impl Metric {
    /// All of them.
    pub const ALL: [Metric; 12] = [
        Metric::Knn,
        Metric::Linear,
        Metric::BalancedKnn,
        Metric::BalancedLinear,
        Metric::FewKnn,
        Metric::FewLinear,
        Metric::Alignment,
        Metric::Uniformity,
        Metric::EffectiveRank,
        Metric::FMi,
        Metric::Loss,
        Metric::Seconds,
    ];

    /// What a table calls it.
    pub fn title(self) -> &'static str {
        match self {
            Metric::Knn => "kNN",
            Metric::Linear => "linear",
            Metric::BalancedKnn => "balanced kNN",
            Metric::BalancedLinear => "balanced linear",
            Metric::FewKnn => "few-label kNN",
            Metric::FewLinear => "few-label linear",
            Metric::Alignment => "alignment",
            Metric::Uniformity => "uniformity",
            Metric::EffectiveRank => "effective rank",
            Metric::FMi => "f-MI",
            Metric::Loss => "loss",
            Metric::Seconds => "seconds",
        }
    }

    /// Where in a row of `result.json` it is, for an accuracy, 0 to 1.
    pub fn accuracy(self) -> Option<&'static str> {
        match self {
            Metric::Knn => Some("/all_labels/knn"),
            Metric::Linear => Some("/all_labels/linear"),
            Metric::BalancedKnn => Some("/all_labels/balanced/knn"),
            Metric::BalancedLinear => Some("/all_labels/balanced/linear"),
            Metric::FewKnn => Some("/few_labels/knn"),
            Metric::FewLinear => Some("/few_labels/linear"),
            _ => None,
        }
    }

    /// Whether it is an accuracy in which every class counts alike.
    pub fn is_balanced(self) -> bool {
        matches!(self, Metric::BalancedKnn | Metric::BalancedLinear)
    }

    /// Whether more of it is better; nothing, where runs are not comparable by it.
    pub fn more_is_better(self) -> Option<bool> {
        match self {
            Metric::Alignment | Metric::Uniformity => Some(false),
            Metric::FMi | Metric::Loss | Metric::Seconds | Metric::EffectiveRank => None,
            _ => Some(true),
        }
    }

    /// For people.
    pub fn show(self, value: f64) -> String {
        match self {
            Metric::Seconds => format!("{value:.0}"),
            Metric::EffectiveRank => format!("{value:.1}"),
            _ if self.accuracy().is_some() => format!("{value:.1}"),
            _ => format!("{value:.3}"),
        }
    }
}
