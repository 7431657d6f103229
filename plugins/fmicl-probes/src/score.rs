//! How often predicted classes are right.

use tch::{Kind, Tensor};

/// How often predicted classes are right, 0 to 1.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Score {
    /// Of all samples.
    pub accuracy: f64,
    /// The mean over the classes of the share of their samples: whoever always predicts one class has 1 / classes,
    /// however large that class is. scikit-learn's `balanced_accuracy_score`.
    pub balanced: f64,
}

impl Score {
    /// Of predictions `[N]` for samples with these labels `[N]`, N at least 1. Classes without a sample do not count.
    pub fn of(predicted: &Tensor, labels: &Tensor, classes: usize) -> Self {
        let right = predicted.eq_tensor(labels).to_kind(Kind::Double);
        let counts = counts(labels, classes);
        let hits = labels.bincount(Some(&right), classes as i64);
        let there = counts.gt(0.0);
        let recalls = hits.masked_select(&there) / counts.masked_select(&there);
        Score {
            accuracy: right.mean(Kind::Double).double_value(&[]),
            balanced: recalls.mean(Kind::Double).double_value(&[]),
        }
    }
}

/// The score of always predicting one class: the largest of training.
#[derive(Debug, Clone, PartialEq)]
pub struct Largest {
    /// The class's number.
    pub class: usize,
    /// Its share of the test samples, and 1 / the number of classes that the test samples are of.
    pub score: Score,
}

impl Largest {
    /// Of the labels `[N]` and `[M]` of training and test. Where several classes are the largest of training, the one of them
    /// that has most test samples.
    pub fn of(train: &Tensor, test: &Tensor, classes: usize) -> Self {
        let (in_train, in_test) = (counts(train, classes), counts(test, classes));
        let tied = in_train.eq_tensor(&in_train.max()).to_kind(Kind::Double);
        let class = (tied * (&in_test + 1.0)).argmax(0, false).int64_value(&[]);
        let always = Tensor::full_like(test, class);
        Largest {
            class: class as usize,
            score: Score::of(&always, test, classes),
        }
    }
}

/// The samples of each class `[C]`, f64.
pub fn counts(labels: &Tensor, classes: usize) -> Tensor {
    labels.bincount(None::<Tensor>, classes as i64).to_kind(Kind::Double)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ints(values: &[i64]) -> Tensor {
        Tensor::from_slice(values)
    }

    #[test]
    fn classes_count_alike_in_the_balanced_accuracy_however_large_they_are() {
        // Of scikit-learn's `accuracy_score` and `balanced_accuracy_score`: 0.7 and 0.5.
        let labels = ints(&[0, 0, 0, 0, 0, 0, 1, 1, 2, 2]);
        let predicted = ints(&[0, 0, 0, 0, 0, 0, 0, 1, 0, 1]);
        let score = Score::of(&predicted, &labels, 3);
        assert!((score.accuracy - 0.7).abs() < 1e-12);
        assert!((score.balanced - (1.0 + 0.5 + 0.0) / 3.0).abs() < 1e-12);
        // A class that no sample is of does not count, as there.
        assert_eq!(Score::of(&predicted, &labels, 9), score);
    }

    #[test]
    fn always_the_largest_class_of_training_has_its_share_of_the_test_samples() {
        let test = ints(&[0, 0, 0, 1, 1, 1, 1, 2, 2, 2]);
        let largest = Largest::of(&ints(&[2, 2, 2, 1, 0]), &test, 4);
        assert_eq!((largest.class, largest.score.accuracy), (2, 0.3));
        assert!((largest.score.balanced - 1.0 / 3.0).abs() < 1e-12);
        // As many of each in training: the highest level of them.
        let largest = Largest::of(&ints(&[0, 1, 2]), &test, 4);
        assert_eq!((largest.class, largest.score.accuracy), (1, 0.4));
    }
}
