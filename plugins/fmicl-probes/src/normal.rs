//! Normal numbers from a seed, without libtorch's generator: an evaluation must not touch the random state of training.

use fmicl_core::{Rng, word_of};
use tch::Tensor;

/// The deviation of a new linear layer's weights; its biases are 0.
///
/// Source: `main_lincls.py` of facebookresearch/moco and facebookresearch/moco-v3.
const DEVIATION: f64 = 0.01;

/// Weights `[d, C]` of a new linear layer, in main memory: normal with mean 0 and deviation 0.01.
pub fn new_weights(width: i64, classes: i64, seed: u64) -> Tensor {
    let mut rng = Rng::new(&[seed, word_of("weights of a linear layer")]);
    let count = (width * classes) as usize;
    let mut values: Vec<f32> = Vec::with_capacity(count + 1);
    while values.len() < count {
        // Box and Muller's; 1 - u is above 0.
        let (u, v) = (rng.uniform(0.0, 1.0), rng.uniform(0.0, std::f64::consts::TAU));
        let radius = DEVIATION * (-2.0 * (1.0 - u).ln()).sqrt();
        values.extend([(radius * v.cos()) as f32, (radius * v.sin()) as f32]);
    }
    Tensor::from_slice(&values[..count]).view([width, classes])
}

#[cfg(test)]
mod tests {
    use super::*;
    use tch::Kind;

    #[test]
    fn weights_are_normal_and_the_same_each_time() {
        let weights = new_weights(501, 201, 3);
        assert_eq!(weights, new_weights(501, 201, 3));
        assert_ne!(weights, new_weights(501, 201, 4));
        let scaled = weights / DEVIATION;
        let mean = |tensor: &Tensor| tensor.mean(Kind::Double).double_value(&[]);
        // Moments of the normal distribution are 0, 1, 0 and 3; five standard errors of 100,000 numbers.
        let moments = [1, 2, 3, 4].map(|power| mean(&scaled.pow_tensor_scalar(power)));
        for (moment, (expected, error)) in
            moments
                .into_iter()
                .zip([(0.0, 0.016), (1.0, 0.023), (0.0, 0.062), (3.0, 0.16)])
        {
            assert!((moment - expected).abs() < error, "{moments:?}");
        }
    }
}
