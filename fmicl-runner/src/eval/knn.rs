//! Weighted k-nearest-neighbours classification on frozen features.
//!
//! Each of the `k` training samples of highest cosine votes for its class with `exp(cosine / temperature)`.
//!
//! Beside the features it takes memory for a few tiles of cosines: both sets are taken a part at a time.
//!
//! Source: Wu et al., "Unsupervised Feature Learning via Non-Parametric Instance Discrimination", CVPR 2018,
//! arXiv 1805.01978, section 3.4; as in its code and MoCo's and SimSiam's kNN monitors.

use super::Features;
use super::tiles::tiles;
use crate::config::Knn;
use fmicl_core::tch::{Kind, Tensor};

/// Test samples that are looked at together.
const CHUNK: i64 = 512;

/// The classes `[M]` that win the vote, for the samples of `test`. Fewer than `k` training samples all vote.
pub fn knn(options: &Knn, train: &Features, test: &Features, classes: usize) -> Tensor {
    let queries = test.values.size()[0];
    // Of unit length a query at a time; the neighbours' lengths divide their cosines.
    let lengths = lengths(&train.values).squeeze_dim(1);
    let starts = (0..queries).step_by(CHUNK as usize);
    let predicted = starts.map(|start| {
        let queries = test.values.narrow(0, start, CHUNK.min(queries - start));
        let (cosines, labels) = nearest(options.k as i64, &(&queries / self::lengths(&queries)), train, &lengths);
        // Relative to the nearest one, so that no temperature overflows.
        let nearest = cosines.amax([1].as_slice(), true);
        let weights = ((cosines - nearest) / options.temperature).exp();
        let votes = Tensor::zeros([queries.size()[0], classes as i64], (Kind::Float, weights.device()));
        votes.scatter_add(1, &labels, &weights).argmax(1, false)
    });
    Tensor::cat(&predicted.collect::<Vec<_>>(), 0)
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

/// The lengths `[N, 1]` of rows `[N, d]`, above 0.
fn lengths(rows: &Tensor) -> Tensor {
    rows.norm_scalaropt_dim(2.0, [1].as_slice(), true).clamp_min(1e-12)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::eval::Score;
    use fmicl_core::tch::{self, Device};

    fn features(rows: &[[f32; 2]], labels: &[i64]) -> Features {
        Features {
            values: Tensor::from_slice2(rows),
            labels: Tensor::from_slice(labels),
        }
    }

    fn accuracy(options: &Knn, train: &Features, test: &Features) -> f64 {
        Score::of(&knn(options, train, test, 2), &test.labels, 2).accuracy
    }

    #[test]
    fn one_neighbour_is_the_nearest_by_angle() {
        let train = features(&[[10.0, 0.0], [0.0, 0.1]], &[0, 1]);
        let test = features(&[[0.1, 0.01], [1.0, 9.0], [9.0, 1.0]], &[0, 1, 1]);
        let one = Knn { k: 1, temperature: 0.1 };
        assert!((accuracy(&one, &train, &test) - 2.0 / 3.0).abs() < 1e-12);
    }

    #[test]
    fn a_low_temperature_lets_one_near_neighbour_outvote_two_far_ones() {
        let train = features(&[[1.0, 0.0], [0.6, 0.8], [0.6, 0.8]], &[0, 1, 1]);
        let test = features(&[[1.0, 0.05]], &[0]);
        // Votes: 1 against 2 exp((0.6 - 1) / T), roughly.
        let with = |temperature| accuracy(&Knn { k: 3, temperature }, &train, &test);
        assert_eq!((with(0.1), with(10.0)), (1.0, 0.0));
    }

    #[test]
    fn neighbours_of_many_tiles_are_those_of_the_whole_set() {
        tch::manual_seed(1);
        let (rows, k) = (3 * (1 << 13) + 17, 40);
        let train = Features {
            values: Tensor::randn([rows, 6], (Kind::Float, Device::Cpu)),
            // Each its own number, so that it tells which neighbour it is.
            labels: Tensor::arange(rows, (Kind::Int64, Device::Cpu)),
        };
        let queries = Tensor::randn([5, 6], (Kind::Float, Device::Cpu));
        let queries = &queries / lengths(&queries);
        let lengths = lengths(&train.values).squeeze_dim(1);
        let (cosines, labels) = nearest(k, &queries, &train, &lengths);
        let all = queries.matmul(&(&train.values / lengths.unsqueeze(1)).tr());
        let (expected, indices) = all.topk(k, 1, true, true);
        let (cosines, order) = cosines.sort(1, true);
        assert!(cosines.allclose(&expected, 1e-5, 1e-6, false));
        assert_eq!(labels.gather(1, &order, false), indices);
    }
}
