//! The shape of a BERT, from options or from a folder's `config.json`.

use fmicl_core::{Error, Result, read_file, require};
use serde::{Deserialize, Serialize};
use std::path::Path;

/// No `config.json` has as many bytes.
const MOST: u64 = 1 << 20;

/// What a folder calls its config.
pub(super) const FILE: &str = "config.json";

/// Which of the two it is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Family {
    /// BERT, and MiniLM.
    #[default]
    Bert,
    /// RoBERTa: places are counted from `padding + 1`.
    Roberta,
}

impl Family {
    /// Id of padding, where no `config.json` says it.
    pub(super) fn padding(self) -> i64 {
        match self {
            Family::Bert => 0,
            Family::Roberta => 1,
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
    /// Its approximation by tanh.
    GeluNew,
    /// `max(x, 0)`.
    Relu,
}

/// All that the parameters and the arithmetic depend on.
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
    /// That it can be built.
    ///
    /// # Errors
    /// [`Error::Config`] at the option.
    pub fn validate(&self) -> Result<()> {
        for (key, value, most) in [
            ("vocabulary", self.vocabulary, 4_000_000),
            ("hidden", self.hidden, 16_384),
            ("layers", self.layers, 256),
            ("heads", self.heads, self.hidden),
            ("intermediate", self.intermediate, 131_072),
            ("positions", self.positions, 1 << 20),
            ("type_vocabulary", self.type_vocabulary, 1024),
        ] {
            require((1..=most).contains(&value), key, || {
                format!("{value} is not from 1 to {most}")
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
            Family::Bert => self.positions,
            Family::Roberta => self.positions - self.padding - 1,
        }
    }

    /// As `config.json` of a Hugging Face folder gives it.
    ///
    /// # Errors
    /// A file that cannot be read, or is of a model of another kind.
    pub fn of_folder(folder: &Path) -> Result<Self> {
        let path = folder.join(FILE);
        let bytes = read_file(&path, MOST, "a `config.json` of Hugging Face is expected")?;
        let config: Config =
            serde_json::from_slice(&bytes).map_err(|error| Error::data(&path, format!("cannot be used: {error}")))?;
        let shape = config.shape().map_err(|message| Error::data(&path, message))?;
        shape
            .validate()
            .map_err(|error| Error::data(&path, error.to_string()))?;
        Ok(shape)
    }
}

/// What is read of a `config.json`; defaults as in transformers' `BertConfig`.
#[derive(Debug, Deserialize)]
struct Config {
    model_type: String,
    vocab_size: i64,
    hidden_size: i64,
    num_hidden_layers: i64,
    num_attention_heads: i64,
    intermediate_size: i64,
    max_position_embeddings: i64,
    type_vocab_size: i64,
    pad_token_id: Option<i64>,
    #[serde(default = "gelu")]
    hidden_act: String,
    #[serde(default = "eps")]
    layer_norm_eps: f64,
    #[serde(default = "tenth")]
    hidden_dropout_prob: f64,
    #[serde(default = "tenth")]
    attention_probs_dropout_prob: f64,
    position_embedding_type: Option<String>,
    #[serde(default)]
    is_decoder: bool,
}

fn gelu() -> String {
    "gelu".into()
}

fn eps() -> f64 {
    1e-12
}

fn tenth() -> f64 {
    0.1
}

impl Config {
    fn shape(self) -> Result<Shape, String> {
        let family = match self.model_type.as_str() {
            "bert" => Family::Bert,
            "roberta" | "xlm-roberta" => Family::Roberta,
            other => return Err(format!("model_type `{other}` is not one of bert, roberta, xlm-roberta")),
        };
        let activation = match self.hidden_act.as_str() {
            "gelu" => Activation::Gelu,
            "gelu_new" => Activation::GeluNew,
            "relu" => Activation::Relu,
            other => return Err(format!("hidden_act `{other}` is not one of gelu, gelu_new, relu")),
        };
        if let Some(other) = self.position_embedding_type.filter(|kind| kind != "absolute") {
            return Err(format!(
                "position_embedding_type `{other}`: there are `absolute` ones alone"
            ));
        }
        if self.is_decoder {
            return Err("is_decoder is true; an encoder is needed".into());
        }
        Ok(Shape {
            family,
            vocabulary: self.vocab_size,
            hidden: self.hidden_size,
            layers: self.num_hidden_layers,
            heads: self.num_attention_heads,
            intermediate: self.intermediate_size,
            positions: self.max_position_embeddings,
            type_vocabulary: self.type_vocab_size,
            padding: self.pad_token_id.unwrap_or(family.padding()),
            activation,
            layer_norm_eps: self.layer_norm_eps,
            dropout: self.hidden_dropout_prob,
            attention_dropout: self.attention_probs_dropout_prob,
        })
    }
}
