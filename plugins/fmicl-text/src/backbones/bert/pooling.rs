//! From a sentence's tokens to one vector.
//!
//! SimCSE (Gao, Yao and Chen, EMNLP 2021, arXiv 2104.08821, section 6.3, and `simcse/models.py` of
//! `princeton-nlp/SimCSE`): `cls` in training is `tanh(W h + b)` of the first token's last hidden state `h`, with a layer
//! that is drawn anew; unsupervised models are evaluated with `h` itself (`mlp_only_train`). The others are those of
//! sentence-transformers' `Pooling`.

use super::batch::Batch;
use super::linear::Linear;
use super::source::Source;
use fmicl_core::Result;
use fmicl_core::tch::{Kind, Tensor};
use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;

/// Pooling of a sentence.
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
    /// The sum of those, divided by the square root of how many there are.
    MeanSqrtLen,
    /// The mean where a token counts as much as its place, from 1.
    WeightedMean,
    /// The largest of each number.
    Max,
    /// The last hidden state of the last token.
    Last,
}

impl Pooling {
    const ALL: [Pooling; 8] = [
        Pooling::Cls,
        Pooling::ClsBeforePooler,
        Pooling::PoolerOutput,
        Pooling::Mean,
        Pooling::MeanSqrtLen,
        Pooling::WeightedMean,
        Pooling::Max,
        Pooling::Last,
    ];

    fn name(self) -> &'static str {
        match self {
            Pooling::Cls => "cls",
            Pooling::ClsBeforePooler => "cls-before-pooler",
            Pooling::PoolerOutput => "pooler-output",
            Pooling::Mean => "mean",
            Pooling::MeanSqrtLen => "mean-sqrt-len",
            Pooling::WeightedMean => "weighted-mean",
            Pooling::Max => "max",
            Pooling::Last => "last",
        }
    }

    /// Returns true if it uses only the first token of the last layer.
    fn takes_first_tokens(self) -> bool {
        matches!(self, Pooling::Cls | Pooling::ClsBeforePooler | Pooling::PoolerOutput)
    }
}

/// One pooling, or several whose vectors are concatenated: `mean+max`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Poolings(Vec<Pooling>);

impl Poolings {
    /// Number of concatenated vectors.
    pub(super) fn count(&self) -> i64 {
        self.0.len() as i64
    }
}

impl Default for Poolings {
    fn default() -> Self {
        Pooling::default().into()
    }
}

impl From<Pooling> for Poolings {
    fn from(pooling: Pooling) -> Self {
        Poolings(vec![pooling])
    }
}

impl TryFrom<Vec<Pooling>> for Poolings {
    type Error = String;

    fn try_from(poolings: Vec<Pooling>) -> Result<Self, String> {
        // Both have the one layer that is called `pooler`.
        let has_layer = |pooling: &&Pooling| matches!(pooling, Pooling::Cls | Pooling::PoolerOutput);
        match poolings.iter().filter(has_layer).count() {
            _ if poolings.is_empty() => Err("names no pooling".into()),
            2.. => Err("names `cls` or `pooler-output` twice; `cls-before-pooler` can stand beside them".into()),
            _ => Ok(Poolings(poolings)),
        }
    }
}

impl FromStr for Poolings {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let one = |name: &str| {
            let known = Pooling::ALL.into_iter().find(|pooling| pooling.name() == name);
            known.ok_or_else(|| {
                let names = Pooling::ALL.map(Pooling::name).join("`, `");
                format!("`{name}` is not one of `{names}`, or several, as in `mean+max`")
            })
        };
        text.split('+').map(one).collect::<Result<Vec<_>, _>>()?.try_into()
    }
}

impl TryFrom<String> for Poolings {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        text.parse()
    }
}

impl fmt::Display for Poolings {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        let names: Vec<_> = self.0.iter().map(|pooling| pooling.name()).collect();
        f.write_str(&names.join("+"))
    }
}

impl From<Poolings> for String {
    fn from(poolings: Poolings) -> String {
        poolings.to_string()
    }
}

/// Poolings with the layer that one of them may have.
#[derive(Debug, Clone)]
pub(super) struct Pooler {
    poolings: Vec<Pooling>,
    dense: Option<Linear>,
}

impl Pooler {
    pub fn new(source: &Source, poolings: &Poolings, hidden: i64) -> Result<Self> {
        let dense = |source: &Source| Linear::new(&source.at("pooler").at("dense"), hidden, hidden);
        let mut layer = None;
        for pooling in &poolings.0 {
            match pooling {
                Pooling::Cls => layer = Some(dense(&source.anew())?),
                Pooling::PoolerOutput => layer = Some(dense(source)?),
                _ => {}
            }
        }
        Ok(Pooler {
            poolings: poolings.0.clone(),
            dense: layer,
        })
    }

    /// Returns true if only the first tokens of the last layer are used.
    pub fn takes_first_tokens(&self) -> bool {
        self.poolings.iter().all(|pooling| pooling.takes_first_tokens())
    }

    /// Last hidden states, `[N, hidden]` of first tokens or `[M, hidden]`, to features `[N, hidden]` of each pooling, one
    /// behind the other.
    pub fn forward(&self, x: &Tensor, batch: &Batch, mask: Option<&Tensor>, train: bool) -> Tensor {
        let first = match self.takes_first_tokens() {
            true => x.shallow_clone(),
            false => batch.first_tokens(x),
        };
        let one = |pooling: &Pooling| match (pooling, &self.dense) {
            (Pooling::PoolerOutput, Some(dense)) => dense.forward(&first).tanh(),
            (Pooling::Cls, Some(dense)) if train => dense.forward(&first).tanh(),
            (pooling, _) if pooling.takes_first_tokens() => first.shallow_clone(),
            (pooling, _) => over_tokens(*pooling, &batch.unpack(x), mask),
        };
        match &self.poolings[..] {
            [pooling] => one(pooling),
            poolings => Tensor::cat(&poolings.iter().map(one).collect::<Vec<_>>(), 1),
        }
    }
}

/// Pools states `[N, L, hidden]` with a mask `[N, L]`, padded at the end, to vectors `[N, hidden]`.
fn over_tokens(pooling: Pooling, x: &Tensor, mask: Option<&Tensor>) -> Tensor {
    let kind = x.kind();
    let Some(mask) = mask.map(|mask| mask.to_kind(kind)) else {
        let all = x.select(2, 0).ones_like();
        return match pooling {
            Pooling::Mean => x.mean_dim([1].as_slice(), false, kind),
            _ => over_tokens(pooling, x, Some(&all)),
        };
    };
    let sum = |weights: &Tensor| weights.sum_dim_intlist([1].as_slice(), true, Kind::Float).to_kind(kind);
    let weighted = |weights: Tensor| weights.unsqueeze(1).matmul(x).squeeze_dim(1);
    let places = || Tensor::arange_start(1, x.size()[1] + 1, (kind, x.device()));
    match pooling {
        Pooling::MeanSqrtLen => weighted(&mask / sum(&mask).sqrt()),
        Pooling::WeightedMean => {
            let weights = &mask * places();
            weighted(&weights / sum(&weights))
        }
        Pooling::Max => {
            let hidden = mask.eq(0.0).unsqueeze(2);
            x.masked_fill(&hidden, f64::NEG_INFINITY).amax([1].as_slice(), false)
        }
        Pooling::Last => {
            let last = (&mask * places()).argmax(1, true).unsqueeze(2);
            let last = last.expand([x.size()[0], 1, x.size()[2]], false);
            x.gather(1, &last, false).squeeze_dim(1)
        }
        _ => weighted(&mask / sum(&mask)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_read_as_they_are_written() {
        for pooling in Pooling::ALL {
            let written = serde_json::to_value(pooling).unwrap();
            assert_eq!(written, pooling.name());
            assert_eq!(pooling.name().parse(), Ok(Poolings::from(pooling)));
        }
        let several: Poolings = "mean+max+cls".parse().unwrap();
        assert_eq!((several.to_string().as_str(), several.count()), ("mean+max+cls", 3));
        let error = "mean+median".parse::<Poolings>().unwrap_err();
        assert!(
            error.starts_with("`median` is not one of `cls`, `cls-before-pooler`, "),
            "{error}"
        );
        assert!("".parse::<Poolings>().is_err());
        assert!("cls+pooler-output".parse::<Poolings>().unwrap_err().contains("twice"));
    }
}
