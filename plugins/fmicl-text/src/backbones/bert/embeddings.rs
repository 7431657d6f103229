//! From ids to vectors: of the word, of its place, and of the sentence it is in (the first, always).

use super::batch::Batch;
use super::dropout::Dropout;
use super::linear::LayerNorm;
use super::shape::{Family, Shape};
use super::source::Source;
use super::variable::Variable;
use fmicl_core::tch::{Kind, Tensor, no_grad};
use fmicl_core::{Error, Result};

#[derive(Debug, Clone)]
pub(super) struct Embeddings {
    words: Variable,
    positions: Variable,
    types: Option<Variable>,
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
                Family::Bert | Family::Distilbert => table("position_embeddings", shape.positions)?,
                Family::Roberta | Family::Mpnet => padded("position_embeddings", shape.positions)?,
            },
            types: match shape.type_vocabulary {
                0 => None,
                rows => Some(table("token_type_embeddings", rows)?),
            },
            norm: LayerNorm::new(&source.at("LayerNorm"), shape.hidden, shape.layer_norm_eps)?,
            dropout: Dropout(shape.dropout),
            family: shape.family,
            padding: shape.padding,
        })
    }

    /// Data type of the rows.
    pub fn kind(&self) -> Kind {
        self.words.kind()
    }

    /// Ids `[N, L]` to rows `[M, hidden]`.
    pub fn forward(&self, ids: &Tensor, batch: &Batch, train: bool) -> Tensor {
        let look_up =
            |table: &Tensor, which: Tensor| Tensor::embedding(table, &batch.pack(which.reshape(-1)), -1, false, false);
        let words = look_up(&self.words, ids.shallow_clone());
        let words = match &self.types {
            Some(types) => words + types.get(0),
            None => words,
        };
        let x = match self.family {
            // The places are the same in every sentence.
            Family::Bert | Family::Distilbert if !batch.is_packed() => {
                let (size, hidden) = (ids.size(), words.size()[1]);
                let places = self.positions.narrow(0, 0, size[1]);
                (words.view([size[0], size[1], hidden]) + places).view([-1, hidden])
            }
            _ => words + look_up(&self.positions, self.places(ids)),
        };
        self.dropout.forward(&self.norm.forward(&x), train)
    }

    /// The place of each token in its sentence, `[N, L]`.
    fn places(&self, ids: &Tensor) -> Tensor {
        match self.family {
            Family::Bert | Family::Distilbert => {
                Tensor::arange(ids.size()[1], (Kind::Int64, ids.device())).expand_as(ids)
            }
            // Counted from `padding + 1` over what is not padding; padding itself has the place `padding`.
            Family::Roberta | Family::Mpnet => {
                let counts = ids.not_equal(self.padding).to_kind(Kind::Int64);
                counts.cumsum(1, Kind::Int64) * counts + self.padding
            }
        }
    }
}
