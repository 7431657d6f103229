//! Weighted k-nearest-neighbours classification on frozen features.
//!
//! Each of the `k` training samples of highest cosine votes for its class with `exp(cosine / temperature)`.
//!
//! Source: Wu et al., "Unsupervised Feature Learning via Non-Parametric Instance Discrimination", CVPR 2018,
//! arXiv 1805.01978, section 3.4; as in its code and MoCo's and SimSiam's kNN monitors.

use super::Features;
use crate::config::Knn;
use fmicl_core::tch::{Kind, Tensor};

/// Test samples whose cosines with the whole training set are held at a time.
const CHUNK: i64 = 512;

/// The share of `test` whose class wins the vote, 0 to 1. Fewer than `k` training samples all vote.
pub fn knn(options: &Knn, train: &Features, test: &Features, classes: usize) -> f64 {
    let neighbours = normalize(&train.values);
    let queries = normalize(&test.values);
    let k = (options.k as i64).min(train.labels.size()[0]);
    let mut right = 0;
    for start in (0..queries.size()[0]).step_by(CHUNK as usize) {
        let rows = CHUNK.min(queries.size()[0] - start);
        let cosines = queries.narrow(0, start, rows).matmul(&neighbours.tr());
        let (cosines, indices) = cosines.topk(k, 1, true, false);
        // Relative to the nearest one, so that no temperature overflows.
        let nearest = cosines.amax([1].as_slice(), true);
        let weights = ((cosines - nearest) / options.temperature).exp();
        let voters = train.labels.index_select(0, &indices.flatten(0, -1)).view([rows, k]);
        let votes = Tensor::zeros([rows, classes as i64], (Kind::Float, weights.device()));
        let winners = votes.scatter_add(1, &voters, &weights).argmax(1, false);
        right += winners
            .eq_tensor(&test.labels.narrow(0, start, rows))
            .sum(Kind::Int64)
            .int64_value(&[]);
    }
    right as f64 / test.labels.size()[0] as f64
}

/// Rows of unit length.
fn normalize(features: &Tensor) -> Tensor {
    features / features.norm_scalaropt_dim(2.0, [1].as_slice(), true).clamp_min(1e-12)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn features(rows: &[[f32; 2]], labels: &[i64]) -> Features {
        Features {
            values: Tensor::from_slice2(rows),
            labels: Tensor::from_slice(labels),
        }
    }

    #[test]
    fn one_neighbour_is_the_nearest_by_angle() {
        let train = features(&[[10.0, 0.0], [0.0, 0.1]], &[0, 1]);
        let test = features(&[[0.1, 0.01], [1.0, 9.0], [9.0, 1.0]], &[0, 1, 1]);
        let one = Knn { k: 1, temperature: 0.1 };
        assert!((knn(&one, &train, &test, 2) - 2.0 / 3.0).abs() < 1e-12);
    }

    #[test]
    fn a_low_temperature_lets_one_near_neighbour_outvote_two_far_ones() {
        let train = features(&[[1.0, 0.0], [0.6, 0.8], [0.6, 0.8]], &[0, 1, 1]);
        let test = features(&[[1.0, 0.05]], &[0]);
        // Votes: 1 against 2 exp((0.6 - 1) / T), roughly.
        assert_eq!(knn(&Knn { k: 3, temperature: 0.1 }, &train, &test, 2), 1.0);
        assert_eq!(
            knn(
                &Knn {
                    k: 3,
                    temperature: 10.0
                },
                &train,
                &test,
                2
            ),
            0.0
        );
    }
}
