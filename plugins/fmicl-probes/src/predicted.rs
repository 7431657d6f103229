//! Predictions of a classifier, and how often they are right.

use crate::score::{Largest, Score, counts};
use fmicl_core::{Error, Metric, Result};
use tch::{Kind, Tensor};

/// Classes of which one must be right.
const TOP: i64 = 5;
/// The name of its metric, as it is told before the number of classes is known.
pub const TOP_NAMES: &str = "top-5*";

/// Predictions for test samples, block by block: of a block's scores no more is kept than what was right.
pub struct Predicted {
    classes: usize,
    indices: Vec<i64>,
    /// Predicted classes, labels, and whether the label is among the likeliest five: `[N]` each.
    blocks: Vec<[Tensor; 3]>,
}

impl Predicted {
    /// No predictions yet.
    pub fn new(classes: usize) -> Self {
        Predicted {
            classes,
            indices: Vec::new(),
            blocks: Vec::new(),
        }
    }

    /// Adds the scores `[N, C]` of samples with these labels `[N]` and indices in their split.
    pub fn add(&mut self, scores: &Tensor, labels: &Tensor, indices: impl IntoIterator<Item = usize>) {
        self.indices.extend(indices.into_iter().map(|index| index as i64));
        let (_, likeliest) = scores.topk(TOP.min(scores.size()[1]), 1, true, true);
        let among = likeliest.eq_tensor(&labels.unsqueeze(1)).any_dim(1, false);
        self.blocks
            .push([scores.argmax(1, false), labels.shallow_clone(), among]);
    }

    /// How often they are right. `train` are the labels `[M]` that were learnt from, and `counting` asks for the hits of each sample.
    ///
    /// The metrics are `accuracy`; `top-5`, where there are more than 5 classes; and `balanced`. Beside them is a note on their
    /// largest class.
    ///
    /// # Errors
    /// [`Error::Run`] if there are no predictions.
    pub fn metrics(&self, train: &Tensor, class_names: &[String], counting: bool) -> Result<(Vec<Metric>, String)> {
        if self.indices.is_empty() {
            return Err(Error::Run("none of the test samples can be read".into()));
        }
        let [predicted, labels, among] = self.whole();
        let largest = Largest::of(train, &labels, self.classes);
        let (score, level) = (Score::of(&predicted, &labels, self.classes), largest.score);
        let counted = |metric: Metric, right: &Tensor| if counting { metric.counting(right) } else { metric };
        let accuracy = Metric::percent("accuracy", score.accuracy, Some(level.accuracy));
        let mut metrics = vec![counted(accuracy, &predicted.eq_tensor(&labels))];
        if self.classes as i64 > TOP {
            let (_, commonest) = counts(train, self.classes).topk(TOP, 0, true, true);
            let blind = counts(&labels, self.classes)
                .index_select(0, &commonest)
                .sum(Kind::Double);
            let share = among.to_kind(Kind::Double).mean(Kind::Double).double_value(&[]);
            let blind = blind.double_value(&[]) / labels.numel() as f64;
            metrics.push(counted(Metric::percent("top-5", share, Some(blind)), &among));
        }
        metrics.push(Metric::percent("balanced", score.balanced, Some(level.balanced)));
        let name = match class_names.get(largest.class) {
            Some(name) => format!("{name:?}"),
            None => largest.class.to_string(),
        };
        let note =
            format!("largest class: always answering {name}; balanced: every class counts alike, whatever its size.");
        Ok((metrics, note))
    }

    /// The share of predictions that are right; NaN if there are none.
    pub fn accuracy(&self) -> f64 {
        if self.indices.is_empty() {
            return f64::NAN;
        }
        let [predicted, labels, _] = self.whole();
        Score::of(&predicted, &labels, self.classes).accuracy
    }

    /// All of them in the order of the samples, each `[N]`.
    fn whole(&self) -> [Tensor; 3] {
        let order = Tensor::from_slice(&self.indices).argsort(0, false);
        [0, 1, 2].map(|which| {
            let parts: Vec<_> = self.blocks.iter().map(|block| &block[which]).collect();
            let whole = Tensor::cat(&parts, 0);
            whole.index_select(0, &order.to_device(whole.device()))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tch::Device;

    #[test]
    fn blocks_come_in_any_order_and_the_five_likeliest_count() {
        // Of eight classes, sample i likes class i most, then i - 1, and so on; its label is 0.
        let scores = -(Tensor::arange(8, (Kind::Float, Device::Cpu)).unsqueeze(1)
            - Tensor::arange(8, (Kind::Float, Device::Cpu)).unsqueeze(0))
        .remainder(8.0);
        let labels = Tensor::zeros([8], (Kind::Int64, Device::Cpu));
        let mut predicted = Predicted::new(8);
        for (start, count) in [(5, 3), (0, 5)] {
            let rows = scores.narrow(0, start, count);
            predicted.add(
                &rows,
                &labels.narrow(0, start, count),
                (start..start + count).map(|row| row as usize),
            );
        }
        let train = Tensor::from_slice(&[7i64, 7, 1, 2, 3, 4]);
        let (metrics, note) = predicted.metrics(&train, &[], true).unwrap();
        let shown = |metric: &Metric| (metric.name.clone(), metric.value, metric.blind);
        let found: Vec<_> = metrics.iter().map(shown).collect();
        let of = |name: &str, value, blind| (name.to_string(), value, Some(blind));
        assert_eq!(
            found,
            [
                of("accuracy", 12.5, 0.0),
                of("top-5", 62.5, 0.0),
                of("balanced", 12.5, 0.0)
            ]
        );
        let hits = |metric: &Metric| metric.hits.as_ref().unwrap().0.clone();
        assert_eq!(
            hits(&metrics[0]),
            [true, false, false, false, false, false, false, false]
        );
        assert_eq!(hits(&metrics[1]), [true, true, true, true, true, false, false, false]);
        assert!(note.starts_with("largest class: always answering 7;"), "{note}");
        assert_eq!(predicted.accuracy(), 0.125);
    }

    #[test]
    fn no_predictions_are_an_error_and_few_classes_have_no_top_five() {
        let labels = Tensor::from_slice(&[1i64, 0]);
        let mut predicted = Predicted::new(3);
        assert!(predicted.metrics(&labels, &[], false).is_err());
        assert!(predicted.accuracy().is_nan());
        predicted.add(
            &Tensor::eye(3, (Kind::Float, Device::Cpu)).narrow(0, 0, 2),
            &labels,
            [0, 1],
        );
        let (metrics, _) = predicted.metrics(&labels, &[], false).unwrap();
        let names: Vec<_> = metrics.iter().map(|metric| &*metric.name).collect();
        assert_eq!(names, ["accuracy", "balanced"]);
        assert!(metrics[0].hits.is_none());
    }
}
