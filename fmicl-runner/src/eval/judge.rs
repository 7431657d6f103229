//! Accuracies of features: by kNN and a linear probe, with few labels and with all.

use super::{Features, Score, knn, linear};
use crate::config::Eval;
use fmicl_core::tch::Tensor;
use serde::Serialize;

/// Labels a class in the evaluation with few labels.
pub const FEW: usize = 10;
/// Random choices of those labels that are averaged.
pub const DRAWS: u64 = 5;

/// Test accuracies, 0 to 1.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Accuracy {
    /// Of weighted k-nearest neighbours.
    pub knn: f64,
    /// Of the linear probe.
    pub linear: f64,
    /// The same of both where every class counts alike.
    pub balanced: Balanced,
}

/// Balanced test accuracies, 0 to 1: see [`Score::balanced`].
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Balanced {
    /// Of weighted k-nearest neighbours.
    pub knn: f64,
    /// Of the linear probe.
    pub linear: f64,
}

/// What one representation is worth.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Judged {
    /// With [`FEW`] labels a class, the mean over [`DRAWS`] choices of them.
    pub few_labels: Accuracy,
    /// With every label of the training split.
    pub all_labels: Accuracy,
}

/// What an encoder in training is worth, and how that was obtained.
#[derive(Debug, Clone)]
pub struct Online {
    /// Where accuracy is measured.
    pub split: &'static str,
    /// Labelled images: all of the train split.
    pub train_images: usize,
    /// kNN's neighbours, at most as many as there are labels.
    pub k: usize,
    /// kNN's temperature.
    pub temperature: f64,
    /// The linear probe's weight decay.
    pub l2: f64,
    /// The accuracies.
    pub accuracy: Accuracy,
}

impl Online {
    /// Judges features with every label; changes the values of `train`.
    pub fn new(options: &Eval, train: Features, test: &Features, classes: usize) -> Self {
        Online {
            split: "test",
            train_images: train.labels.numel(),
            k: options.knn.k.min(train.labels.numel()),
            temperature: options.knn.temperature,
            l2: options.linear.l2,
            accuracy: judge_all_labels(options, train, test, classes),
        }
    }
}

/// Judges features with few labels and with all; changes the values of `train`.
pub fn judge(options: &Eval, train: Features, test: &Features, classes: usize) -> Judged {
    let draws: Vec<_> = (0..DRAWS)
        .map(|draw| judge_all_labels(options, train.select(&few(&train.labels, draw)), test, classes))
        .collect();
    let mean = |value: fn(&Accuracy) -> f64| draws.iter().map(value).sum::<f64>() / draws.len() as f64;
    Judged {
        few_labels: Accuracy {
            knn: mean(|draw| draw.knn),
            linear: mean(|draw| draw.linear),
            balanced: Balanced {
                knn: mean(|draw| draw.balanced.knn),
                linear: mean(|draw| draw.balanced.linear),
            },
        },
        all_labels: judge_all_labels(options, train, test, classes),
    }
}

/// Judges features with every label of `train`, whose values the probe changes at last.
fn judge_all_labels(options: &Eval, train: Features, test: &Features, classes: usize) -> Accuracy {
    let score = |predicted| Score::of(&predicted, &test.labels, classes);
    let knn = score(knn(&options.knn, &train, test, classes));
    let linear = score(linear(&options.linear, train, test, classes));
    Accuracy {
        knn: knn.accuracy,
        linear: linear.accuracy,
        balanced: Balanced {
            knn: knn.balanced,
            linear: linear.balanced,
        },
    }
}

/// The indices of [`FEW`] samples of each class, the same in every run: those whose hash is least.
fn few(labels: &Tensor, draw: u64) -> Tensor {
    let labels_here: Vec<i64> = labels.iter::<i64>().map(Iterator::collect).unwrap_or_default();
    let mut order: Vec<usize> = (0..labels_here.len()).collect();
    order.sort_by_key(|&index| split_mix(split_mix(draw) ^ index as u64));
    let mut taken = std::collections::HashMap::new();
    order.retain(|&index| {
        let count: &mut usize = taken.entry(labels_here[index]).or_default();
        *count += 1;
        *count <= FEW
    });
    let indices: Vec<i64> = order.into_iter().map(|index| index as i64).collect();
    Tensor::from_slice(&indices).to_device(labels.device())
}

/// SplitMix64, Steele et al., OOPSLA 2014. The evaluation must not touch the random state of training.
fn split_mix(seed: u64) -> u64 {
    let z = seed.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn few_labels_are_ten_of_each_class_and_differ_from_draw_to_draw() {
        let labels = Tensor::from_slice(&(0..300).map(|i| i % 3).collect::<Vec<i64>>());
        let draws: Vec<Vec<i64>> = (0..2)
            .map(|draw| few(&labels, draw).iter::<i64>().unwrap().collect())
            .collect();
        for draw in &draws {
            let count = |class| draw.iter().filter(|&&index| index % 3 == class).count();
            assert_eq!([count(0), count(1), count(2)], [FEW; 3]);
        }
        assert_ne!(draws[0], draws[1]);
        assert_eq!(draws[0], few(&labels, 0).iter::<i64>().unwrap().collect::<Vec<_>>());
    }
}
