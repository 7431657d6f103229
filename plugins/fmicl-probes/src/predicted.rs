//! Predictions of a classifier, and how often they are right.

use crate::score::{Largest, Score, counts};
use fmicl_core::{Confusion, Error, Metric, Report, Result};
use tch::{Kind, Tensor};

/// The main metric.
pub const ACCURACY: &str = "accuracy";
/// Accuracy with every class alike.
pub const BALANCED: &str = "balanced";
/// Classes of which one must be right.
const TOP: i64 = 5;
/// The name of its metric.
pub const TOP_5: &str = "top-5";

/// From scores `[N, C]` the five likeliest classes `[N, 5]`, or all where there are fewer; -1 in place of a class whose score is
/// minus infinity, which is no candidate. The first one is that of `argmax`: of equals `topk` may take another one.
pub fn likeliest(scores: &Tensor) -> Tensor {
    let first = scores.argmax(1, true);
    let of = scores.scatter_value(1, &first, f64::INFINITY);
    let (values, classes) = of.topk(TOP.min(scores.size()[1]), 1, true, true);
    classes.masked_fill(&values.eq(f64::NEG_INFINITY), -1)
}

/// The classes of a classifier, and the labels that it learnt from.
pub struct Learnt<'a> {
    /// The number of classes.
    pub classes: usize,
    /// Their names by number, if they have some.
    pub class_names: &'a [String],
    /// Labels `[M]` that were learnt from.
    pub labels: &'a Tensor,
}

impl Learnt<'_> {
    /// A report of how often the first of `likeliest` `[N, 5]` is the label `[N]`: the metrics `accuracy`; `top-5`, how often one of
    /// them is; and `balanced`. `counting` asks for what is slow or large: the hits of each sample, the confusion
    /// matrix. Its note is on the largest class.
    pub fn report(&self, title: &str, likeliest: &Tensor, labels: &Tensor, counting: bool) -> Report {
        let predicted = likeliest.select(1, 0);
        let largest = Largest::of(self.labels, labels, self.classes);
        let (score, level) = (Score::of(&predicted, labels, self.classes), largest.score);
        let accuracy = Metric::percent(ACCURACY, score.accuracy, Some(level.accuracy));
        let mut metrics = vec![match counting {
            true => accuracy.counting(&predicted.eq_tensor(labels)),
            false => accuracy,
        }];
        let among = likeliest.eq_tensor(&labels.unsqueeze(1)).any_dim(1, false);
        let share = among.to_kind(Kind::Double).mean(Kind::Double).double_value(&[]);
        let (_, commonest) = counts(self.labels, self.classes).topk(TOP.min(self.classes as i64), 0, true, true);
        let blind = counts(labels, self.classes)
            .index_select(0, &commonest)
            .sum(Kind::Double);
        let blind = blind.double_value(&[]) / labels.numel() as f64;
        metrics.push(Metric::percent(TOP_5, share, Some(blind)));
        metrics.push(Metric::percent(BALANCED, score.balanced, Some(level.balanced)));
        let name = match self.class_names.get(largest.class) {
            Some(name) => format!("{name:?}"),
            None => largest.class.to_string(),
        };
        let note =
            format!("largest class: always answering {name}; balanced: every class counts alike, whatever its size.");
        Report {
            title: title.into(),
            metrics,
            main: ACCURACY.into(),
            notes: vec![note],
            confusion: counting
                .then(|| Confusion::of(&predicted, labels, self.classes))
                .flatten(),
            ..Report::default()
        }
    }
}

/// Predictions for test samples, block by block: of a block's scores no more is kept than the likeliest.
#[derive(Default)]
pub struct Predicted {
    indices: Vec<i64>,
    /// The [`likeliest`], and labels `[N]`.
    blocks: Vec<[Tensor; 2]>,
}

impl Predicted {
    /// Adds the scores `[N, C]` of samples with these labels `[N]` and indices in their split.
    pub fn add(&mut self, scores: &Tensor, labels: &Tensor, indices: impl IntoIterator<Item = usize>) {
        self.indices.extend(indices.into_iter().map(|index| index as i64));
        self.blocks.push([likeliest(scores), labels.shallow_clone()]);
    }

    /// As [`Learnt::report`].
    ///
    /// # Errors
    /// [`Error::Run`] if there are no predictions.
    pub fn report(&self, title: &str, learnt: &Learnt, counting: bool) -> Result<Report> {
        if self.indices.is_empty() {
            return Err(Error::Run("none of the test samples can be read".into()));
        }
        let [likeliest, labels] = self.whole();
        Ok(learnt.report(title, &likeliest, &labels, counting))
    }

    /// The share of predictions that are right; NaN if there are none.
    pub fn accuracy(&self) -> f64 {
        if self.indices.is_empty() {
            return f64::NAN;
        }
        let [likeliest, labels] = self.whole();
        let right = likeliest.select(1, 0).eq_tensor(&labels);
        right.to_kind(Kind::Double).mean(Kind::Double).double_value(&[])
    }

    /// All of them in the order of the samples.
    fn whole(&self) -> [Tensor; 2] {
        let order = Tensor::from_slice(&self.indices).argsort(0, false);
        [0, 1].map(|which| {
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
        let mut predicted = Predicted::default();
        for (start, count) in [(5, 3), (0, 5)] {
            let rows = scores.narrow(0, start, count);
            predicted.add(
                &rows,
                &labels.narrow(0, start, count),
                (start..start + count).map(|row| row as usize),
            );
        }
        let learnt = Learnt {
            classes: 8,
            class_names: &[],
            labels: &Tensor::from_slice(&[7i64, 7, 1, 2, 3, 4]),
        };
        let report = predicted.report("", &learnt, true).unwrap();
        let (metrics, note) = (&report.metrics, &report.notes[0]);
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
        assert_eq!(report.confusion.unwrap().0[0], [1; 8]);
        assert!(note.starts_with("largest class: always answering 7;"), "{note}");
        assert_eq!(predicted.accuracy(), 0.125);
    }

    #[test]
    fn no_predictions_are_an_error_and_of_few_classes_all_are_the_top_five() {
        let labels = Tensor::from_slice(&[1i64, 0]);
        let mut predicted = Predicted::default();
        let learnt = Learnt {
            classes: 3,
            class_names: &[],
            labels: &labels,
        };
        assert!(predicted.report("", &learnt, false).is_err());
        assert!(predicted.accuracy().is_nan());
        predicted.add(
            &Tensor::eye(3, (Kind::Float, Device::Cpu)).narrow(0, 0, 2),
            &labels,
            [0, 1],
        );
        let Report { metrics, confusion, .. } = predicted.report("", &learnt, false).unwrap();
        let names: Vec<_> = metrics.iter().map(|metric| &*metric.name).collect();
        assert_eq!(names, ["accuracy", "top-5", "balanced"]);
        assert_eq!(metrics[1].value, 100.0);
        assert!(metrics[0].hits.is_none() && confusion.is_none());
    }

    #[test]
    fn of_equals_the_first_counts_and_a_class_without_a_vote_is_no_candidate() {
        let none = f64::NEG_INFINITY;
        let scores = Tensor::from_slice(&[
            0.0, 2.0, 2.0, 2.0, 2.0, 2.0, 2.0, none, 1.0, none, none, none, none, none,
        ]);
        let found = likeliest(&scores.view([2, 7]));
        assert_eq!(found.size(), [2, 5]);
        assert_eq!(found.select(1, 0), scores.view([2, 7]).argmax(1, false));
        assert_eq!(Vec::<i64>::try_from(found.get(1)).unwrap(), [1, -1, -1, -1, -1]);
    }
}
