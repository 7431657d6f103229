//! A layer of the encoder: attention, then two linear layers with an activation between them, each with its residual.

use super::attention::Attention;
use super::batch::Batch;
use super::dropout::Dropout;
use super::linear::{LayerNorm, Linear};
use super::shape::{Activation, Shape};
use super::source::Source;
use fmicl_core::Result;
use fmicl_core::tch::Tensor;

#[derive(Debug, Clone)]
pub(super) struct Layer {
    attention: Attention,
    intermediate: Linear,
    output: Linear,
    norm: LayerNorm,
    activation: Activation,
    dropout: Dropout,
}

impl Layer {
    pub fn new(source: &Source, shape: &Shape) -> Result<Self> {
        let (hidden, wide) = (shape.hidden, shape.intermediate);
        let names = shape.family.names();
        Ok(Layer {
            attention: Attention::new(source, shape)?,
            intermediate: Linear::new(&source.at(names.wide), hidden, wide)?,
            output: Linear::new(&source.at(names.narrow), wide, hidden)?,
            norm: LayerNorm::new(&source.at(names.norm), hidden, shape.layer_norm_eps)?,
            activation: shape.activation,
            dropout: Dropout(shape.dropout),
        })
    }

    /// Rows `[M, hidden]` to the same; with `first` to `[N, hidden]`, those of the first tokens alone.
    pub fn forward(&self, x: &Tensor, batch: &Batch, first: bool, train: bool) -> Tensor {
        let x = self.attention.forward(x, batch, first, train);
        let wide = self.intermediate.forward(&x);
        let wide = match self.activation {
            Activation::Gelu => wide.gelu("none"),
            Activation::GeluNew => wide.gelu("tanh"),
            Activation::Relu => wide.relu(),
            Activation::Silu => wide.silu(),
        };
        self.norm
            .forward(&self.dropout.add(&self.output.forward(&wide), &x, train))
    }
}
