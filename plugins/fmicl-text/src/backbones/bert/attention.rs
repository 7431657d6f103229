//! Self-attention, Vaswani et al., "Attention Is All You Need", NeurIPS 2017, arXiv 1706.03762, as BERT has it: with
//! biases, dropout of the probabilities, and a layer norm after the residual.

use super::dropout::Dropout;
use super::linear::{LayerNorm, Linear};
use super::shape::Shape;
use super::source::Source;
use fmicl_core::Result;
use fmicl_core::tch::{Kind, Tensor};

/// What a batch is like: `N` sentences of `L` tokens.
#[derive(Debug)]
pub(super) struct Batch {
    pub sentences: i64,
    pub tokens: i64,
    /// What is added to the scores of a token, `[N, 1, 1, L]`: 0, or a large negative number where it is padding.
    pub bias: Option<Tensor>,
}

impl Batch {
    /// Of ids `[N, L]` and their mask.
    pub fn new(ids: &Tensor, mask: Option<&Tensor>, kind: Kind) -> Self {
        let size = ids.size();
        let bias = mask.map(|mask| {
            let zeros = mask.zeros_like().to_kind(kind);
            let bias = zeros.masked_fill(&mask.to_kind(Kind::Bool).logical_not(), f64::from(f32::MIN));
            bias.view([size[0], 1, 1, size[1]])
        });
        Batch {
            sentences: size[0],
            tokens: size[1],
            bias,
        }
    }
}

#[derive(Debug)]
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
    pub fn new(source: &Source, shape: &Shape) -> Result<Self> {
        let linear = |source: Source| Linear::new(&source, shape.hidden, shape.hidden);
        let (projections, output) = (source.at("self"), source.at("output"));
        Ok(Attention {
            query: linear(projections.at("query"))?,
            key: linear(projections.at("key"))?,
            value: linear(projections.at("value"))?,
            output: linear(output.at("dense"))?,
            norm: LayerNorm::new(&output.at("LayerNorm"), shape.hidden, shape.layer_norm_eps)?,
            heads: shape.heads,
            probabilities: Dropout(shape.attention_dropout),
            hidden: Dropout(shape.dropout),
        })
    }

    /// Rows `[N L, hidden]` to the same; with `first` to `[N, hidden]`, those of the first tokens alone.
    pub fn forward(&self, x: &Tensor, batch: &Batch, first: bool, train: bool) -> Tensor {
        let (asking, [query, key, value]) = if first {
            let asking = first_tokens(x, batch);
            let [query] = self.project(&asking, batch, [&self.query]);
            let [key, value] = self.project(x, batch, [&self.key, &self.value]);
            (asking, [query, key, value])
        } else {
            let projected = self.project(x, batch, [&self.query, &self.key, &self.value]);
            (x.shallow_clone(), projected)
        };
        let mixed = self.mix(&query, &key, &value, batch, train);
        let mixed = mixed.transpose(1, 2).reshape(asking.size().as_slice());
        let x = self.hidden.add(&self.output.forward(&mixed), &asking, train);
        self.norm.forward(&x)
    }

    /// Rows `[M, hidden]` through several layers in one product, each split into heads `[N, heads, M / N, hidden / heads]`.
    fn project<const K: usize>(&self, x: &Tensor, batch: &Batch, layers: [&Linear; K]) -> [Tensor; K] {
        let weight = Tensor::cat(&layers.map(|layer| &layer.weight), 0);
        let bias = Tensor::cat(&layers.map(|layer| &layer.bias), 0);
        let size = [batch.sentences, -1, K as i64, self.heads, x.size()[1] / self.heads];
        let parts = fmicl_core::linear(x, &weight, Some(&bias))
            .view(size)
            .permute([2, 0, 3, 1, 4]);
        std::array::from_fn(|index| parts.get(index as i64))
    }

    /// Values, weighted by how well their keys answer the queries.
    fn mix(&self, query: &Tensor, key: &Tensor, value: &Tensor, batch: &Batch, train: bool) -> Tensor {
        if !train {
            let bias = batch.bias.as_ref();
            return Tensor::scaled_dot_product_attention(query, key, value, bias, 0.0, false, None, false);
        }
        let scale = (query.size()[3] as f64).powf(-0.5);
        let scores = (query * scale).matmul(&key.transpose(2, 3));
        let scores = match &batch.bias {
            Some(bias) => scores + bias,
            None => scores,
        };
        let probabilities = scores.softmax(-1, scores.kind());
        self.probabilities.forward(&probabilities, train).matmul(value)
    }
}

/// The rows of the first token of each sentence, `[N, hidden]`, of rows `[N L, hidden]`.
fn first_tokens(x: &Tensor, batch: &Batch) -> Tensor {
    x.view([batch.sentences, batch.tokens, -1]).select(1, 0)
}
