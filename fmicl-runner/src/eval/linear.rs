//! The linear probe: multinomial logistic regression on frozen features.
//!
//! Features are standardised by the training features' mean and deviation; then the mean cross entropy plus
//! `l2 / 2` times the squared norm of the weights (not of the biases) is minimised over the full batch by L-BFGS,
//! from zero. It is convex: there is no seed, schedule or augmentation in it.
//!
//! Of `N` features `[N, d]` and `C` classes it takes memory for `N d` numbers, the features themselves, which are
//! standardised where they lie, and for about [`STATE`] times `d C`; logits are made a tile of rows at a time.
//!
//! Source: the protocol of Kornblith et al., CVPR 2019, arXiv 1805.08974, that SimCLR (section 7 and appendix B.8)
//! uses for frozen features.

use super::tiles::tiles;
use super::{Features, lbfgs};
use crate::config::Linear;
use fmicl_core::tch::{Kind, Tensor};

/// Copies of the weights that the search holds at most: its history, and point, gradient and direction of a step.
pub(super) const STATE: u64 = 2 * lbfgs::HISTORY as u64 + 8;

/// The classes `[M]` that the probe trained on `train`, whose values it changes, gives to the samples of `test`.
pub fn linear(options: &Linear, train: Features, test: &Features, classes: usize) -> Tensor {
    let Features {
        values: mut inputs,
        labels,
    } = train;
    let (rows, width) = (inputs.size()[0], inputs.size()[1]);
    let (device, float) = (inputs.device(), (Kind::Float, inputs.device()));
    let tiles_of = |rows| tiles(rows, classes.max(width as usize));

    let mean = inputs.mean_dim([0].as_slice(), true, Kind::Float);
    inputs -= &mean;
    let mut squares = Tensor::zeros([1, width], (Kind::Double, device));
    for (start, count) in tiles_of(rows) {
        squares += inputs
            .narrow(0, start, count)
            .square()
            .sum_dim_intlist([0].as_slice(), true, Kind::Double);
    }
    // A feature that never varies says nothing; it stays 0.
    let scale = ((squares / rows as f64).sqrt().to_kind(Kind::Float) + 1e-6).reciprocal();
    inputs *= &scale;

    let classes = classes as i64;
    // The weights `[d, C]`, and behind them the biases `[C]`.
    let parts = |flat: &Tensor| {
        let weights = flat.narrow(0, 0, width * classes).view([width, classes]);
        (weights, flat.narrow(0, width * classes, classes))
    };
    let minus_one = Tensor::full([1, 1], -1.0, float);
    let objective = |point: &Tensor| {
        let (weights, bias) = parts(point);
        let gradient = point.zeros_like();
        let (mut of_weights, mut of_bias) = parts(&gradient);
        let mut loss = Tensor::zeros([] as [i64; 0], (Kind::Double, device));
        for (start, count) in tiles_of(rows) {
            let inputs = inputs.narrow(0, start, count);
            let labels = labels.narrow(0, start, count).unsqueeze(1);
            let mut logits = bias.addmm(&inputs, &weights);
            let normaliser = logits.logsumexp([1].as_slice(), true);
            loss += (&normaliser - logits.gather(1, &labels, false)).sum(Kind::Double);
            // Now the probabilities, and less the true class's 1 the gradient of the logits.
            logits -= normaliser;
            let mut logits = logits.exp_();
            let logits = logits.scatter_add_(1, &labels, &minus_one.expand([count, 1], false));
            of_weights += inputs.tr().matmul(&logits);
            of_bias += logits.sum_dim_intlist([0].as_slice(), false, Kind::Float);
        }
        let decay = weights.square().sum(Kind::Double) * (options.l2 / 2.0);
        let value = (loss / rows as f64 + decay).double_value(&[]);
        let gradient = gradient / rows as f64;
        let (mut of_weights, _) = parts(&gradient);
        of_weights += weights * options.l2;
        (value, gradient)
    };
    let start = Tensor::zeros([(width + 1) * classes], float);
    let point = lbfgs::minimise(objective, start, options.max_iter);
    let (weights, bias) = parts(&point);

    let predicted = tiles_of(test.values.size()[0]).map(|(start, count)| {
        let inputs = (test.values.narrow(0, start, count) - &mean) * &scale;
        bias.addmm(&inputs, &weights).argmax(1, false)
    });
    Tensor::cat(&predicted.collect::<Vec<_>>(), 0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::eval::Score;
    use fmicl_core::tch::{self, Device};

    /// Two classes on either side of a plane that misses the origin.
    fn plane(count: i64, seed: i64) -> Features {
        tch::manual_seed(seed);
        let values = Tensor::randn([count, 5], (Kind::Float, Device::Cpu)) * 3.0 + 1.0;
        let labels = (values.select(1, 0) * 2.0 - values.select(1, 3))
            .gt(4.0)
            .to_kind(Kind::Int64);
        Features { values, labels }
    }

    fn accuracy(options: &Linear, train: Features, test: &Features) -> f64 {
        Score::of(&linear(options, train, test, 2), &test.labels, 2).accuracy
    }

    #[test]
    fn a_linear_boundary_is_found() {
        let options = Linear {
            l2: 1e-5,
            max_iter: 200,
        };
        let accuracy = accuracy(&options, plane(2000, 1), &plane(1000, 2));
        assert!(accuracy > 0.985, "{accuracy}");
    }

    #[test]
    fn the_probe_sees_no_test_label() {
        let options = Linear {
            l2: 1e-3,
            max_iter: 100,
        };
        let test = plane(500, 2);
        let flipped = Features {
            values: test.values.copy(),
            labels: -&test.labels + 1,
        };
        let (as_is, flipped) = (
            accuracy(&options, plane(500, 1), &test),
            accuracy(&options, plane(500, 1), &flipped),
        );
        assert!((as_is + flipped - 1.0).abs() < 1e-12);
    }

    #[test]
    fn a_constant_feature_does_no_harm() {
        let with_constant = |mut features: Features| {
            let ones = Tensor::ones([features.values.size()[0], 1], (Kind::Float, Device::Cpu)) * 7.0;
            features.values = Tensor::cat(&[&features.values, &ones], 1);
            features
        };
        let options = Linear {
            l2: 1e-5,
            max_iter: 200,
        };
        let accuracy = accuracy(&options, with_constant(plane(2000, 1)), &with_constant(plane(1000, 2)));
        assert!(accuracy > 0.985, "{accuracy}");
    }
}
