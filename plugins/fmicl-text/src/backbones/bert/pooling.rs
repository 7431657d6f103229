//! From a sentence's tokens to one vector.
//!
//! SimCSE (Gao, Yao and Chen, EMNLP 2021, arXiv 2104.08821, section 6.3, and `simcse/models.py` of
//! `princeton-nlp/SimCSE`): `cls` in training is `tanh(W h + b)` of the first token's last hidden state `h`, with a layer
//! that is drawn anew; unsupervised models are evaluated with `h` itself (`mlp_only_train`).

use super::batch::Batch;
use super::linear::Linear;
use super::source::Source;
use fmicl_core::Result;
use fmicl_core::tch::{Kind, Tensor};
use serde::{Deserialize, Serialize};

/// What stands for a sentence.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Pooling {
    /// The last hidden state of the first token (`[CLS]`, `<s>`); in training through a linear layer and tanh
    /// (`pooler.dense`, as SimCSE's published weights name it).
    #[default]
    Cls,
    /// The same, in training too.
    ClsBeforePooler,
    /// transformers' `pooler_output`: through the layer and tanh always, with the folder's weights for them.
    PoolerOutput,
    /// The mean of the last hidden states of all tokens that are not padding.
    Mean,
}

#[derive(Debug, Clone)]
pub(super) enum Pooler {
    Cls(Linear),
    Output(Linear),
    First,
    Mean,
}

impl Pooler {
    pub fn new(source: &Source, pooling: Pooling, hidden: i64) -> Result<Self> {
        let dense = |source: &Source| Linear::new(&source.at("pooler").at("dense"), hidden, hidden);
        Ok(match pooling {
            Pooling::Cls => Pooler::Cls(dense(&source.anew())?),
            Pooling::PoolerOutput => Pooler::Output(dense(source)?),
            Pooling::ClsBeforePooler => Pooler::First,
            Pooling::Mean => Pooler::Mean,
        })
    }

    /// Whether the last layer's first tokens are all that is looked at.
    pub fn takes_first_tokens(&self) -> bool {
        !matches!(self, Pooler::Mean)
    }

    /// Last hidden states, `[N, hidden]` of first tokens or `[M, hidden]`, to features `[N, hidden]`.
    pub fn forward(&self, x: &Tensor, batch: &Batch, mask: Option<&Tensor>, train: bool) -> Tensor {
        match self {
            Pooler::Cls(dense) if train => dense.forward(x).tanh(),
            Pooler::Output(dense) => dense.forward(x).tanh(),
            Pooler::Cls(_) | Pooler::First => x.shallow_clone(),
            Pooler::Mean => {
                let x = batch.unpack(x);
                let Some(mask) = mask else {
                    return x.mean_dim([1].as_slice(), false, x.kind());
                };
                let share = mask.to_kind(x.kind());
                let share = &share
                    / share
                        .sum_dim_intlist([1].as_slice(), true, Kind::Float)
                        .to_kind(x.kind());
                share.unsqueeze(1).matmul(&x).squeeze_dim(1)
            }
        }
    }
}
