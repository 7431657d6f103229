//! The shape of a BERT.

use fmicl_core::{Result, require};
use serde::{Deserialize, Serialize};

/// Family of the model.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Family {
    /// BERT, and MiniLM.
    #[default]
    Bert,
    /// RoBERTa: places are counted from `padding + 1`.
    Roberta,
    /// DistilBERT: no token types, and no dropout behind attention.
    Distilbert,
    /// MPNet: places as RoBERTa's, no token types, and scores by distance.
    Mpnet,
}

/// Names of a layer's parameters in transformers.
#[derive(Debug)]
pub(super) struct Names {
    pub layers: &'static str,
    pub query: &'static str,
    pub key: &'static str,
    pub value: &'static str,
    /// From the heads' values, and the norm behind.
    pub mixed: &'static str,
    pub mixed_norm: &'static str,
    /// The two linear layers, and the norm behind.
    pub wide: &'static str,
    pub narrow: &'static str,
    pub norm: &'static str,
}

const BERT: Names = Names {
    layers: "encoder.layer",
    query: "attention.self.query",
    key: "attention.self.key",
    value: "attention.self.value",
    mixed: "attention.output.dense",
    mixed_norm: "attention.output.LayerNorm",
    wide: "intermediate.dense",
    narrow: "output.dense",
    norm: "output.LayerNorm",
};

const MPNET: Names = Names {
    query: "attention.attn.q",
    key: "attention.attn.k",
    value: "attention.attn.v",
    mixed: "attention.attn.o",
    mixed_norm: "attention.LayerNorm",
    ..BERT
};

const DISTILBERT: Names = Names {
    layers: "transformer.layer",
    query: "attention.q_lin",
    key: "attention.k_lin",
    value: "attention.v_lin",
    mixed: "attention.out_lin",
    mixed_norm: "sa_layer_norm",
    wide: "ffn.lin1",
    narrow: "ffn.lin2",
    norm: "output_layer_norm",
};

impl Family {
    /// Id of padding, where no `config.json` says it.
    pub(super) fn padding(self) -> i64 {
        match self {
            Family::Bert | Family::Distilbert => 0,
            Family::Roberta | Family::Mpnet => 1,
        }
    }

    pub(super) fn names(self) -> &'static Names {
        match self {
            Family::Bert | Family::Roberta => &BERT,
            Family::Distilbert => &DISTILBERT,
            Family::Mpnet => &MPNET,
        }
    }
}

/// Hugging Face's `hidden_act`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Activation {
    /// `x` times the normal distribution function of `x`, exactly.
    #[default]
    Gelu,
    /// GELU's approximation by tanh.
    GeluNew,
    /// `max(x, 0)`.
    Relu,
    /// `x` times its sigmoid.
    Silu,
}

/// Shape and arithmetic of an encoder.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Shape {
    pub family: Family,
    pub vocabulary: i64,
    pub hidden: i64,
    pub layers: i64,
    pub heads: i64,
    pub intermediate: i64,
    pub positions: i64,
    pub type_vocabulary: i64,
    pub padding: i64,
    pub activation: Activation,
    pub layer_norm_eps: f64,
    pub dropout: f64,
    pub attention_dropout: f64,
}

impl Shape {
    /// Checks that the encoder can be built.
    ///
    /// # Errors
    /// [`Error::Config`] with the option that is out of range.
    pub fn validate(&self) -> Result<()> {
        let types = match self.family {
            Family::Bert | Family::Roberta => 1024,
            Family::Distilbert | Family::Mpnet => 0,
        };
        for (key, value, most) in [
            ("vocabulary", self.vocabulary, 4_000_000),
            ("hidden", self.hidden, 16_384),
            ("layers", self.layers, 256),
            ("heads", self.heads, self.hidden),
            ("intermediate", self.intermediate, 131_072),
            ("positions", self.positions, 1 << 20),
            ("type_vocabulary", self.type_vocabulary, types),
        ] {
            let least = i64::from(key != "type_vocabulary" || types > 0);
            require((least..=most).contains(&value), key, || {
                format!("{value} is not from {least} to {most}")
            })?;
        }
        require(self.hidden % self.heads == 0, "hidden", || {
            format!("{} is not a multiple of heads, {}", self.hidden, self.heads)
        })?;
        require(
            self.layer_norm_eps > 0.0 && self.layer_norm_eps < 1.0,
            "layer_norm_eps",
            || format!("{} is not above 0 and below 1", self.layer_norm_eps),
        )?;
        require((0..self.vocabulary).contains(&self.padding), "padding", || {
            format!(
                "{} is not from 0 to below vocabulary, {}",
                self.padding, self.vocabulary
            )
        })?;
        require(self.longest() >= 1, "positions", || {
            format!("{} leave no place for a token", self.positions)
        })?;
        for (key, p) in [("dropout", self.dropout), ("attention_dropout", self.attention_dropout)] {
            require((0.0..1.0).contains(&p), key, || {
                format!("{p} is not a probability from 0 to below 1")
            })?;
        }
        Ok(())
    }

    /// The longest sentence in tokens: RoBERTa leaves the first places to padding.
    pub fn longest(&self) -> i64 {
        match self.family {
            Family::Bert | Family::Distilbert => self.positions,
            Family::Roberta | Family::Mpnet => self.positions - self.padding - 1,
        }
    }
}
