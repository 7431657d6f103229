//! From ids to vectors: of the word, of its place, and of the sentence it is in (the first, always).

use super::dropout::Dropout;
use super::linear::LayerNorm;
use super::shape::{Family, Shape};
use super::source::Source;
use fmicl_core::tch::{Kind, Tensor, no_grad};
use fmicl_core::{Error, Result};

#[derive(Debug)]
pub(super) struct Embeddings {
    words: Tensor,
    positions: Tensor,
    types: Tensor,
    norm: LayerNorm,
    dropout: Dropout,
    family: Family,
    padding: i64,
}

impl Embeddings {
    /// Tables `[vocabulary, hidden]`, `[positions, hidden]` and `[type_vocabulary, hidden]`.
    pub fn new(source: &Source, shape: &Shape) -> Result<Self> {
        let table = |name, rows| source.at(name).normal("weight", &[rows, shape.hidden]);
        // As in transformers, what stands for padding starts as zero.
        let padded = |name, rows| {
            let table = table(name, rows)?;
            if !source.has_weights() && shape.padding < rows {
                let _ = no_grad(|| table.get(shape.padding).zero_());
            }
            Ok::<_, Error>(table)
        };
        Ok(Embeddings {
            words: padded("word_embeddings", shape.vocabulary)?,
            positions: match shape.family {
                Family::Bert => table("position_embeddings", shape.positions)?,
                Family::Roberta => padded("position_embeddings", shape.positions)?,
            },
            types: table("token_type_embeddings", shape.type_vocabulary)?,
            norm: LayerNorm::new(&source.at("LayerNorm"), shape.hidden, shape.layer_norm_eps)?,
            dropout: Dropout(shape.dropout),
            family: shape.family,
            padding: shape.padding,
        })
    }

    /// Ids `[N, L]` to rows `[N L, hidden]`.
    pub fn forward(&self, ids: &Tensor, train: bool) -> Tensor {
        let hidden = self.words.size()[1];
        let x = Tensor::embedding(&self.words, ids, -1, false, false) + self.types.get(0) + self.places(ids);
        let x = self.norm.forward(&x.view([-1, hidden]));
        self.dropout.forward(&x, train)
    }

    /// What is added for the place in the sentence, `[L, hidden]` or `[N, L, hidden]`.
    fn places(&self, ids: &Tensor) -> Tensor {
        match self.family {
            Family::Bert => self.positions.narrow(0, 0, ids.size()[1]),
            // Counted from `padding + 1` over what is not padding; padding itself has the place `padding`.
            Family::Roberta => {
                let counts = ids.not_equal(self.padding).to_kind(Kind::Int64);
                let places = counts.cumsum(1, Kind::Int64) * counts + self.padding;
                Tensor::embedding(&self.positions, &places, -1, false, false)
            }
        }
    }
}
