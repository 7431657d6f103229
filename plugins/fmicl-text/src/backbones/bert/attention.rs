//! Self-attention, Vaswani et al., "Attention Is All You Need", NeurIPS 2017, arXiv 1706.03762, as BERT has it: with
//! biases, dropout of the probabilities, and a layer norm after the residual.

use super::batch::Batch;
use super::dropout::Dropout;
use super::linear::{LayerNorm, Linear};
use super::mixing;
use super::shape::{Family, Shape};
use super::source::Source;
use fmicl_core::Result;
use fmicl_core::tch::{Kind, Tensor};

#[derive(Debug, Clone)]
pub(super) struct Attention {
    query: Linear,
    key: Linear,
    value: Linear,
    output: Linear,
    norm: LayerNorm,
    heads: i64,
    probabilities: Dropout,
    hidden: Dropout,
}

impl Attention {
    /// Attention of the layer at `source`.
    pub fn new(source: &Source, shape: &Shape) -> Result<Self> {
        let linear = |name| Linear::new(&source.at(name), shape.hidden, shape.hidden);
        let names = shape.family.names();
        Ok(Attention {
            query: linear(names.query)?,
            key: linear(names.key)?,
            value: linear(names.value)?,
            output: linear(names.mixed)?,
            norm: LayerNorm::new(&source.at(names.mixed_norm), shape.hidden, shape.layer_norm_eps)?,
            heads: shape.heads,
            probabilities: Dropout(shape.attention_dropout),
            hidden: Dropout(match shape.family {
                Family::Distilbert => 0.0,
                Family::Bert | Family::Roberta | Family::Mpnet => shape.dropout,
            }),
        })
    }

    /// Rows `[M, hidden]` to the same; with `first` to `[N, hidden]`, those of the first tokens alone.
    pub fn forward(&self, x: &Tensor, batch: &Batch, first: bool, train: bool) -> Tensor {
        let (asking, mixed) = if first {
            let asking = batch.first_tokens(x);
            let [query] = self.split(&project(&asking, [self.scaled_query()]).unsqueeze(1));
            let [key, value] = self.split(&batch.unpack(&project(x, [self.key.parts(), self.value.parts()])));
            (
                asking,
                rows(&self.mix(&query, &key, &value, batch, batch.bias_of_first().as_ref(), train)),
            )
        } else {
            let projected = project(x, [self.scaled_query(), self.key.parts(), self.value.parts()]);
            let mixed = match batch.lengths(self.width()) {
                Some(lengths) => mixing::mix(&projected, self.heads, lengths),
                None => {
                    let [query, key, value] = self.split(&batch.unpack(&projected));
                    batch.pack(rows(&self.mix(&query, &key, &value, batch, batch.bias.as_ref(), train)))
                }
            };
            (x.shallow_clone(), mixed)
        };
        let x = self.hidden.add(&self.output.forward(&mixed), &asking, train);
        self.norm.forward(&x)
    }

    /// Numbers of a query, key or value in a head.
    fn width(&self) -> i64 {
        self.query.bias.size()[0] / self.heads
    }

    /// The weight and the bias of queries that need not be divided by the square root of a head's width any more.
    fn scaled_query(&self) -> (Tensor, Tensor) {
        let scale = (self.width() as f64).powf(-0.5);
        (&*self.query.weight * scale, &*self.query.bias * scale)
    }

    /// Splits the outputs of `K` linear layers, `[N, L, K hidden]`, into heads `[N, heads, L, hidden / heads]` each.
    fn split<const K: usize>(&self, x: &Tensor) -> [Tensor; K] {
        let size = x.size();
        let parts = x.view([size[0], size[1], K as i64, self.heads, self.width()]);
        let parts = parts.permute([2, 0, 3, 1, 4]);
        std::array::from_fn(|index| parts.get(index as i64))
    }

    /// Values, weighted by how well their keys answer the queries.
    fn mix(
        &self,
        query: &Tensor,
        key: &Tensor,
        value: &Tensor,
        batch: &Batch,
        bias: Option<&Tensor>,
        train: bool,
    ) -> Tensor {
        if !train && batch.fuses_attention() {
            return Tensor::scaled_dot_product_attention(query, key, value, bias, 0.0, false, 1.0, false);
        }
        let mut scores = query.matmul(&key.transpose(2, 3));
        let scores = match bias {
            Some(bias) if bias.kind() == scores.kind() => scores.g_add_(bias),
            // Autocast's scores have not the range for it.
            Some(bias) => &scores + bias,
            None => scores,
        };
        let kind = if scores.kind() == Kind::Double {
            Kind::Double
        } else {
            Kind::Float
        };
        let probabilities = scores.softmax(-1, kind);
        self.probabilities.forward(&probabilities, train).matmul(value)
    }
}

/// Merges the outputs of heads, `[N, heads, L, width]`, into rows `[N L, hidden]`.
fn rows(mixed: &Tensor) -> Tensor {
    mixed.transpose(1, 2).flatten(2, 3).flatten(0, 1)
}

/// Rows `[M, hidden]` through `K` linear layers in one product, `[M, K hidden]`.
fn project<const K: usize>(x: &Tensor, layers: [(Tensor, Tensor); K]) -> Tensor {
    let (weights, biases): (Vec<_>, Vec<_>) = layers.into_iter().unzip();
    fmicl_core::linear(x, &Tensor::cat(&weights, 0), Some(&Tensor::cat(&biases, 0)))
}
