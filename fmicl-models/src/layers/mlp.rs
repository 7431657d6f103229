//! The multi-layer perceptron between a backbone and a contrastive objective (projector, predictor).

use super::{BatchNorm, linear};
use fmicl_core::tch::nn::{self, Module};
use fmicl_core::tch::{Tensor, nn::Path};

/// Positions of batch norms in an [`Mlp`]. The linear layers of a head with batch norms have no bias: a norm would
/// cancel it, and the reference implementations omit it even where no norm follows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Norms {
    /// Nowhere; every linear layer has a bias. MoCo v2's head.
    None,
    /// After every layer but the last. MoCo v3's predictor for a ResNet.
    Hidden,
    /// After every layer. SimCLR's projector.
    All,
    /// After every layer, the last without scale and shift. MoCo v3's projector, and its predictor for a ViT.
    AllLastPlain,
}

/// `Linear [-> BN] -> ReLU -> ... -> Linear [-> BN]`, with names and initialisation of PyTorch's
/// `nn.Sequential` of those layers.
#[derive(Debug)]
pub struct Mlp {
    layers: Vec<(nn::Linear, Option<BatchNorm>)>,
}

impl Mlp {
    /// Creates `widths.len() - 1` linear layers; `widths` runs from the input over the hidden layers to the output.
    pub fn new(path: &Path, widths: &[i64], norms: Norms) -> Self {
        let count = widths.len().saturating_sub(1);
        let mut position = 0;
        let mut next = || {
            position += 1;
            path / (position - 1)
        };
        let mut layers = Vec::with_capacity(count);
        for (index, pair) in widths.windows(2).enumerate() {
            let last = index + 1 == count;
            let linear = linear(next(), pair[0], pair[1], norms == Norms::None);
            let affine = match norms {
                Norms::None => None,
                Norms::Hidden => (!last).then_some(true),
                Norms::All => Some(true),
                Norms::AllLastPlain => Some(!last),
            };
            let norm = affine.map(|affine| BatchNorm::of_rows(next(), pair[1], affine));
            layers.push((linear, norm));
            // The ReLU has a place in the numbering.
            next();
        }
        Mlp { layers }
    }

    /// `[N, input]` to `[N, output]`. In training a batch norm needs `N >= 2`.
    pub fn forward(&self, x: &Tensor, train: bool) -> Tensor {
        let mut x = x.shallow_clone();
        for (index, (linear, norm)) in self.layers.iter().enumerate() {
            if index > 0 {
                x = x.relu_();
            }
            x = linear.forward(&x);
            if let Some(norm) = norm {
                x = norm.forward(&x, train);
            }
        }
        x
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::golden;

    #[test]
    fn outputs_gradients_and_running_statistics_are_those_of_nn_sequential() {
        let cases: [(&str, Norms, &[i64]); 4] = [
            ("none", Norms::None, &[24, 16, 16]),
            ("hidden", Norms::Hidden, &[24, 16, 16]),
            ("all", Norms::All, &[24, 16, 16]),
            ("all-last-plain", Norms::AllLastPlain, &[24, 16, 20, 8]),
        ];
        for (name, norms, widths) in cases {
            let build = |path: &Path| Mlp::new(path, widths, norms);
            golden::check_network(&format!("mlp_{name}"), &[5, 24], build, Mlp::forward);
        }
    }

    #[test]
    fn weights_start_with_the_spread_that_pytorch_gives_them() {
        golden::check_initialisation("mlp", |path| Mlp::new(path, &[512, 256, 128], Norms::None));
    }
}
