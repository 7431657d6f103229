//! A linear layer and a layer norm on rows.

use super::source::Source;
use super::variable::Variable;
use fmicl_core::Result;
use fmicl_core::tch::Tensor;
use fmicl_core::tch::nn::Init;

/// PyTorch's `nn.Linear`.
#[derive(Debug, Clone)]
pub(super) struct Linear {
    /// `[output, input]`.
    pub weight: Variable,
    /// `[output]`.
    pub bias: Variable,
}

impl Linear {
    pub fn new(source: &Source, input: i64, output: i64) -> Result<Self> {
        Ok(Linear {
            weight: source.normal("weight", &[output, input])?,
            bias: source.var("bias", &[output], Init::Const(0.0))?,
        })
    }

    /// The weight and the bias.
    pub fn parts(&self) -> (Tensor, Tensor) {
        (self.weight.shallow_clone(), self.bias.shallow_clone())
    }

    /// `[M, input]` to `[M, output]`.
    pub fn forward(&self, x: &Tensor) -> Tensor {
        fmicl_core::linear(x, &self.weight, Some(&self.bias))
    }
}

/// PyTorch's `nn.LayerNorm` over the last axis.
#[derive(Debug, Clone)]
pub(super) struct LayerNorm {
    weight: Variable,
    bias: Variable,
    eps: f64,
}

impl LayerNorm {
    pub fn new(source: &Source, width: i64, eps: f64) -> Result<Self> {
        Ok(LayerNorm {
            weight: source.var("weight", &[width], Init::Const(1.0))?,
            bias: source.var("bias", &[width], Init::Const(0.0))?,
            eps,
        })
    }

    /// `[M, width]` to the same.
    pub fn forward(&self, x: &Tensor) -> Tensor {
        x.layer_norm(
            self.weight.size(),
            Some(&*self.weight),
            Some(&*self.bias),
            self.eps,
            true,
        )
    }
}
