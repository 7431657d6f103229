//! The confusion matrix of a classifier.

use serde::{Deserialize, Serialize};
use tch::{Kind, Tensor};

/// The most classes of which a matrix is kept.
const MOST: usize = 200;

/// Counts of test samples: a row for each class, with a column for each class that its samples were taken for. scikit-learn's
/// `confusion_matrix`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Confusion(pub Vec<Vec<u32>>);

impl Confusion {
    /// Of predicted classes `[N]` and labels `[N]`; nothing with more than 200 classes, whose matrix says little and is large.
    pub fn of(predicted: &Tensor, labels: &Tensor, classes: usize) -> Option<Self> {
        if classes > MOST {
            return None;
        }
        let size = (classes * classes) as i64;
        let cells = (labels * classes as i64 + predicted).bincount(None::<Tensor>, size);
        let cells = cells.to_kind(Kind::Int64).to_device(tch::Device::Cpu);
        let count = |count: i64| u32::try_from(count).unwrap_or(u32::MAX);
        let cells: Vec<u32> = cells.iter::<i64>().ok()?.map(count).collect();
        Some(Confusion(cells.chunks(classes).map(<[u32]>::to_vec).collect()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_is_a_class_and_a_column_what_it_is_taken_for() {
        // Of scikit-learn's `confusion_matrix`.
        let labels = Tensor::from_slice(&[2i64, 0, 2, 2, 0, 1]);
        let predicted = Tensor::from_slice(&[0i64, 0, 2, 2, 0, 2]);
        let found = Confusion::of(&predicted, &labels, 3).unwrap();
        assert_eq!(found.0, [[2, 0, 0], [0, 0, 1], [1, 0, 2]]);
        assert_eq!(Confusion::of(&predicted, &labels, 201), None);
    }
}
