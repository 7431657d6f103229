//! The multi-layer perceptron between a backbone and a contrastive objective (projector, predictor).

use crate::layers::{batch_norm_config, linear};
use fmicl_core::tch::nn::{self, Module, ModuleT};
use fmicl_core::tch::{Tensor, nn::Path};

/// Where an [`Mlp`] has batch norms. A head with any has no bias in its linear layers: the norm would
/// cancel it, and the references leave it out even where no norm follows.
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
    layers: Vec<(nn::Linear, Option<nn::BatchNorm>)>,
}

impl Mlp {
    /// The widths run from the input over the hidden layers to the output: `widths.len() - 1` linear layers.
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
            let norm = affine.map(|affine| nn::batch_norm1d(next(), pair[1], batch_norm_config(1.0, affine)));
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
                x = norm.forward_t(&x, train);
            }
        }
        x
    }
}
