//! The linear probe: multinomial logistic regression on frozen features.
//!
//! Features are standardised by the training features' mean and deviation; then the mean cross entropy plus
//! `l2 / 2` times the squared norm of the weights (not of the biases) is minimised over the full batch by L-BFGS,
//! from zero. It is convex: there is no seed, schedule or augmentation in it.
//!
//! Source: the protocol of Kornblith et al., CVPR 2019, arXiv 1805.08974, that SimCLR (section 7 and appendix B.8)
//! uses for frozen features.

use super::{Features, lbfgs};
use crate::config::Linear;
use fmicl_core::tch::{Kind, Tensor};

/// The share of `test` that the probe trained on `train` puts into its class, 0 to 1.
pub fn linear(options: &Linear, train: &Features, test: &Features, classes: usize) -> f64 {
    let mean = train.values.mean_dim([0].as_slice(), true, Kind::Float);
    let centred = &train.values - &mean;
    let deviation = centred.square().mean_dim([0].as_slice(), true, Kind::Float).sqrt();
    // A feature that never varies says nothing; it stays 0.
    let scale = (deviation + 1e-6).reciprocal();
    let inputs = with_bias(&(centred * &scale));

    let (rows, columns, classes) = (inputs.size()[0], inputs.size()[1], classes as i64);
    let device = inputs.device();
    let targets =
        Tensor::zeros([rows, classes], (Kind::Float, device)).scatter_value(1, &train.labels.unsqueeze(1), 1.0);
    // The last row of the weights is the bias.
    let decay = Tensor::full([columns, 1], options.l2, (Kind::Float, device));
    let _ = decay.narrow(0, columns - 1, 1).zero_();

    let objective = |weights: &Tensor| {
        let weights = weights.view([columns, classes]);
        let log_p = inputs.matmul(&weights).log_softmax(1, Kind::Float);
        let cross_entropy = -(&log_p * &targets).sum(Kind::Double) / rows as f64;
        let value = cross_entropy + (&weights * &weights * &decay).sum(Kind::Double) * 0.5;
        let grad = inputs.tr().matmul(&((log_p.exp() - &targets) / rows as f64)) + &weights * &decay;
        (value.double_value(&[]), grad.flatten(0, -1))
    };
    let start = Tensor::zeros([columns * classes], (Kind::Float, device));
    let weights = lbfgs::minimise(objective, start, options.max_iter).view([columns, classes]);

    let predicted = with_bias(&((&test.values - mean) * scale))
        .matmul(&weights)
        .argmax(1, false);
    predicted
        .eq_tensor(&test.labels)
        .to_kind(Kind::Double)
        .mean(None)
        .double_value(&[])
}

fn with_bias(inputs: &Tensor) -> Tensor {
    let ones = Tensor::ones([inputs.size()[0], 1], (Kind::Float, inputs.device()));
    Tensor::cat(&[inputs, &ones], 1)
}

#[cfg(test)]
mod tests {
    use super::*;
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

    #[test]
    fn a_linear_boundary_is_found() {
        let options = Linear {
            l2: 1e-5,
            max_iter: 200,
        };
        let accuracy = linear(&options, &plane(2000, 1), &plane(1000, 2), 2);
        assert!(accuracy > 0.985, "{accuracy}");
    }

    #[test]
    fn the_probe_sees_no_test_label() {
        let options = Linear {
            l2: 1e-3,
            max_iter: 100,
        };
        let (train, test) = (plane(500, 1), plane(500, 2));
        let flipped = Features {
            values: test.values.copy(),
            labels: -&test.labels + 1,
        };
        let (as_is, flipped) = (
            linear(&options, &train, &test, 2),
            linear(&options, &train, &flipped, 2),
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
        let accuracy = linear(
            &options,
            &with_constant(plane(2000, 1)),
            &with_constant(plane(1000, 2)),
            2,
        );
        assert!(accuracy > 0.985, "{accuracy}");
    }
}
