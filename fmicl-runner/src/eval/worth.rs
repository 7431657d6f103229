//! What the encoder is worth in the middle of training.

use super::{FiguresByName, Online};
use fmicl_core::{MetricValue, MetricValues};
use std::fmt;

/// What the encoder is worth in the middle of training; the default is one that was not evaluated.
#[derive(Debug, Default)]
pub struct Worth {
    /// By kNN and a linear probe, where the dataset has labels.
    pub online: Option<Online>,
    /// The figures of the experiment's evaluations.
    pub evaluations: FiguresByName,
    /// What checkpoints are compared by, the more the better: the score of the experiment's first evaluation, or kNN's
    /// accuracy where it has none.
    pub score: Option<f64>,
}

impl Worth {
    /// Everything that was measured, by its names.
    pub fn values(&self) -> MetricValues {
        let mut values = MetricValues::new();
        if let Some(online) = &self.online {
            let Online { split, accuracy, .. } = online;
            let found = [
                ("split", MetricValue::Text(split.to_string())),
                ("train_images", MetricValue::Count(online.train_images as u64)),
                ("k", MetricValue::Count(online.k as u64)),
                ("temperature", MetricValue::Number(online.temperature)),
                ("l2", MetricValue::Number(online.l2)),
                ("knn", MetricValue::Number(accuracy.knn)),
                ("linear", MetricValue::Number(accuracy.linear)),
                ("balanced/knn", MetricValue::Number(accuracy.balanced.knn)),
                ("balanced/linear", MetricValue::Number(accuracy.balanced.linear)),
            ];
            values.extend(found.map(|(name, value)| (format!("online/{name}"), value)));
        }
        for (evaluation, figures) in &self.evaluations {
            let named = |(name, value): (&String, &f64)| {
                (format!("evaluations/{evaluation}/{name}"), MetricValue::Number(*value))
            };
            values.extend(figures.iter().map(named));
        }
        values
    }

    /// Takes the first score that is a number.
    pub(super) fn offer(&mut self, score: f64) {
        self.score = self.score.or(Some(score).filter(|score| score.is_finite()));
    }
}

impl fmt::Display for Worth {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        if let Some(Online { accuracy, .. }) = &self.online {
            write!(
                f,
                "  test kNN {:.1}%  linear {:.1}%",
                100.0 * accuracy.knn,
                100.0 * accuracy.linear
            )?;
        }
        for (evaluation, figures) in &self.evaluations {
            write!(f, "  {evaluation}:")?;
            for (name, value) in figures {
                write!(f, " {name} {value:.3}")?;
            }
        }
        Ok(())
    }
}
