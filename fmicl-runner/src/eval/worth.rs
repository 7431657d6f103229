//! What the encoder is worth in the middle of training.

use super::{FiguresByName, Online};
use serde::Serialize;
use std::collections::BTreeMap;
use std::fmt;

/// What the encoder is worth in the middle of training; the default is one that was not evaluated.
#[derive(Debug, Default, Serialize)]
pub struct Worth {
    /// By kNN and a linear probe, where the dataset has labels.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub online: Option<Online>,
    /// The figures of the experiment's evaluations.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub evaluations: FiguresByName,
    /// What checkpoints are compared by, the more the better: the score of the experiment's first evaluation, or kNN's
    /// accuracy where it has none.
    #[serde(skip)]
    pub score: Option<f64>,
}

impl Worth {
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
