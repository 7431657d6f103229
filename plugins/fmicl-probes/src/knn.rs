//! `knn`: weighted k-nearest-neighbours classification on frozen features.
//!
//! Each of the `k` training samples of highest cosine votes for its class with `exp(cosine / temperature)`.
//!
//! Beside the features it takes memory for a few tiles of cosines: both sets are taken a part at a time.
//!
//! Source: Wu et al., "Unsupervised Feature Learning via Non-Parametric Instance Discrimination", CVPR 2018,
//! arXiv 1805.01978, section 3.4; as in its code and MoCo's and SimSiam's kNN monitors.

use crate::Classifier;
use crate::accuracies::{accuracies, names};
use crate::few::Few;
use crate::held_out;
use crate::tiles::{self, tiles};
use fmicl_core::{
    Documented, Evaluation, Features, MetricNames, Report, Representation, Result, Sizes, Task, normalize, register,
    require, row_norms,
};
use serde::{Deserialize, Serialize};
use tch::{Kind, Tensor};

/// The weighted vote of the nearest training samples (Wu et al., CVPR 2018, arXiv 1805.01978).
#[derive(Debug, Documented, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Knn {
    /// Neighbours that vote, at least 1 and at most the labelled training samples; 200 by default, or all where there
    /// are fewer.
    pub k: usize,
    /// A neighbour's vote is `exp(cosine / temperature)`; above 0, 0.1 by default.
    pub temperature: f64,
    /// Share of the labelled training samples, 0 to 0.5, on which the rest is judged as well: metric `held-out`, to choose
    /// settings by (a sweep's `report.best`, `eval.best`) without a look at the test split; 0, none, by default.
    pub held_out: f64,
}

register!(
    Evaluation,
    "knn",
    Knn,
    "accuracy of a weighted vote of the nearest labelled samples, with all labels and with few"
);

impl Default for Knn {
    fn default() -> Self {
        Knn {
            k: 200,
            temperature: 0.1,
            held_out: 0.0,
        }
    }
}

impl Evaluation for Knn {
    fn validate(&self) -> Result<()> {
        require(self.k >= 1, "k", || format!("{} is not at least 1", self.k))?;
        require((1e-12..=1e9).contains(&self.temperature), "temperature", || {
            format!("{} is not from 1e-12 to 1e9", self.temperature)
        })?;
        held_out::validate(self.held_out)
    }

    fn wants_labels(&self) -> bool {
        true
    }

    fn is_default(&self) -> bool {
        true
    }

    fn validate_for(&self, sizes: &Sizes) -> Result<()> {
        let (k, samples) = (self.k, sizes.train);
        // Nobody asked for the default: of fewer samples it takes all.
        require(k <= samples || k == Knn::default().k, "k", || {
            format!("{k} is more than the dataset's {samples} labelled samples to train on; take at most that many")
        })
    }

    fn doubts(&self, name: &str, sizes: &Sizes) -> Vec<String> {
        let (k, samples) = (self.k, sizes.train);
        let all = (k >= samples).then(|| {
            format!(
                "{name} with k = {k}: all {samples} labelled training samples vote for each test sample, near or far; a \
                 smaller evaluations.{name}.k tells more"
            )
        });
        all.into_iter().collect()
    }

    fn memory(&self, _sizes: &Sizes, _width: usize) -> u64 {
        tiles::BYTES
    }

    fn open(&self) -> Result<Box<dyn Task>> {
        Ok(Box::new(self.clone()))
    }
}

impl Task for Knn {
    fn metrics(&self, in_training: bool) -> MetricNames {
        names(in_training, self.held_out)
    }

    fn judge(&self, it: &dyn Representation) -> Result<Report> {
        let (on, in_training) = (it.labelled()?, it.is_in_training());
        let (metrics, mut notes) = accuracies(self, on, self.held_out, in_training);
        let voters = |labels: usize| match self.k.min(labels) {
            k if k == labels => format!("{k}, which are all"),
            k => k.to_string(),
        };
        let all = voters(on.train.labels.numel());
        let few = match in_training {
            true => String::new(),
            false => format!(
                " (few labels: {})",
                voters(Few::of(&on.train.labels, on.classes).labels)
            ),
        };
        let vote = format!(
            "kNN: weighted vote of k = {all}{few}, temperature {}.",
            self.temperature
        );
        notes.insert(0, vote);
        Ok(Report {
            title: "test accuracy of the nearest neighbours' vote".into(),
            metrics,
            main: "accuracy".into(),
            notes,
        })
    }
}

/// Test samples that are looked at together.
const CHUNK: i64 = 512;

impl Classifier for Knn {
    /// Scores are votes; fewer than `k` training samples all vote.
    fn classify(&self, train: &Features, test: &Features, classes: usize, pick: &dyn Fn(&Tensor) -> Tensor) -> Tensor {
        let queries = test.values.size()[0];
        // Of unit length a query at a time; the neighbours' lengths divide their cosines.
        let lengths = row_norms(&train.values).squeeze_dim(1);
        let starts = (0..queries).step_by(CHUNK as usize);
        let picked = starts.map(|start| {
            let queries = test.values.narrow(0, start, CHUNK.min(queries - start));
            let (cosines, labels) = nearest(self.k as i64, &normalize(&queries), train, &lengths);
            // Relative to the nearest one, so that no temperature overflows.
            let nearest = cosines.amax([1].as_slice(), true);
            let weights = ((cosines - nearest) / self.temperature).exp();
            let votes = Tensor::zeros([queries.size()[0], classes as i64], (Kind::Float, weights.device()));
            pick(&votes.scatter_add(1, &labels, &weights))
        });
        Tensor::cat(&picked.collect::<Vec<_>>(), 0)
    }
}

/// The cosines and the labels `[Q, k]` of the nearest neighbours of queries `[Q, d]` of unit length.
fn nearest(k: i64, queries: &Tensor, train: &Features, lengths: &Tensor) -> (Tensor, Tensor) {
    let mut found: Option<(Tensor, Tensor)> = None;
    for (start, count) in tiles(train.labels.size()[0], CHUNK as usize) {
        let mut cosines = queries.matmul(&train.values.narrow(0, start, count).tr());
        cosines /= lengths.narrow(0, start, count);
        let (cosines, indices) = cosines.topk(k.min(count), 1, true, false);
        let labels = train.labels.narrow(0, start, count);
        let labels = labels.index_select(0, &indices.flatten(0, -1)).view_as(&indices);
        found = Some(match found {
            None => (cosines, labels),
            Some((others, theirs)) => {
                let (cosines, labels) = (Tensor::cat(&[others, cosines], 1), Tensor::cat(&[theirs, labels], 1));
                let (cosines, places) = cosines.topk(k.min(cosines.size()[1]), 1, true, false);
                (cosines, labels.gather(1, &places, false))
            }
        });
    }
    found.unwrap_or_else(|| {
        (
            queries.narrow(1, 0, 0),
            train.labels.narrow(0, 0, 0).expand([queries.size()[0], 0], false),
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Score;
    use fmicl_core::testing::unit_rows;
    use tch::Device;

    fn features(rows: &[[f32; 2]], labels: &[i64]) -> Features {
        Features {
            values: Tensor::from_slice2(rows),
            labels: Tensor::from_slice(labels),
        }
    }

    fn accuracy(options: &Knn, train: &Features, test: &Features) -> f64 {
        Score::of(&options.predict(train, test, 2), &test.labels, 2).accuracy
    }

    #[test]
    fn one_neighbour_is_the_nearest_by_angle() {
        let train = features(&[[10.0, 0.0], [0.0, 0.1]], &[0, 1]);
        let test = features(&[[0.1, 0.01], [1.0, 9.0], [9.0, 1.0]], &[0, 1, 1]);
        let one = Knn { k: 1, ..Knn::default() };
        assert!((accuracy(&one, &train, &test) - 2.0 / 3.0).abs() < 1e-12);
    }

    #[test]
    fn a_low_temperature_lets_one_near_neighbour_outvote_two_far_ones() {
        let train = features(&[[1.0, 0.0], [0.6, 0.8], [0.6, 0.8]], &[0, 1, 1]);
        let test = features(&[[1.0, 0.05]], &[0]);
        // Votes: 1 against 2 exp((0.6 - 1) / T), roughly.
        let with = |temperature| {
            accuracy(
                &Knn {
                    k: 3,
                    temperature,
                    ..Knn::default()
                },
                &train,
                &test,
            )
        };
        assert_eq!((with(0.1), with(10.0)), (1.0, 0.0));
    }

    #[test]
    fn neighbours_of_many_tiles_are_those_of_the_whole_set() {
        let (rows, k) = (3 * (1 << 13) + 17, 40);
        // Of many lengths.
        let lengths = Tensor::arange(rows, (Kind::Float, Device::Cpu)).remainder(7) + 0.5;
        let train = Features {
            values: unit_rows(rows, 6, Kind::Float, 1) * lengths.unsqueeze(1),
            // Each its own number, so that it tells which neighbour it is.
            labels: Tensor::arange(rows, (Kind::Int64, Device::Cpu)),
        };
        let queries = unit_rows(5, 6, Kind::Float, 2);
        let lengths = row_norms(&train.values).squeeze_dim(1);
        let (cosines, labels) = nearest(k, &queries, &train, &lengths);
        let all = queries.matmul(&(&train.values / lengths.unsqueeze(1)).tr());
        let (expected, indices) = all.topk(k, 1, true, true);
        let (cosines, order) = cosines.sort(1, true);
        assert!(cosines.allclose(&expected, 1e-5, 1e-6, false));
        assert_eq!(labels.gather(1, &order, false), indices);
    }

    #[test]
    fn it_obeys_the_laws() {
        for held_out in [0.0, 0.2] {
            fmicl_core::testing::check_labelled_evaluation(&Knn {
                held_out,
                ..Knn::default()
            });
        }
    }
}
