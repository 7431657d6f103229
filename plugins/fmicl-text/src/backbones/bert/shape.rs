//! The shape of a BERT, from options or from a folder's `config.json`.

use super::relative::BUCKETS;
use crate::json;
use fmicl_core::{Error, Result, require};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::path::Path;

/// What a folder calls its config.
pub(super) const FILE: &str = "config.json";

/// Which it is.
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

/// Where transformers has what a layer is made of.
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
    /// Its approximation by tanh.
    GeluNew,
    /// `max(x, 0)`.
    Relu,
    /// `x` times its sigmoid.
    Silu,
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

    /// As `config.json` of a Hugging Face folder gives it.
    ///
    /// # Errors
    /// A file that cannot be read, or is of a model of another kind.
    pub fn of_folder(folder: &Path) -> Result<Self> {
        let path = folder.join(FILE);
        if folder.join(ADAPTER).exists() {
            let message =
                "is an adapter, which is not added here; merge it into the weights: peft's merge_and_unload()";
            return Err(Error::data(folder.join(ADAPTER), message));
        }
        let config = json::need(&path)?;
        let shape = of_config(&config).map_err(|message| Error::data(&path, message))?;
        shape
            .validate()
            .map_err(|error| Error::data(&path, error.to_string()))?;
        Ok(shape)
    }
}

/// What peft writes beside a model.
const ADAPTER: &str = "adapter_config.json";

/// What is read of the `config.json` of BERT, RoBERTa and MPNet; defaults as in transformers' `BertConfig`.
#[derive(Debug, Deserialize)]
struct Bert {
    vocab_size: i64,
    hidden_size: i64,
    num_hidden_layers: i64,
    num_attention_heads: i64,
    intermediate_size: i64,
    max_position_embeddings: i64,
    type_vocab_size: Option<i64>,
    relative_attention_num_buckets: Option<i64>,
    pad_token_id: Option<i64>,
    #[serde(default = "gelu")]
    hidden_act: String,
    #[serde(default = "eps")]
    layer_norm_eps: f64,
    #[serde(default = "tenth")]
    hidden_dropout_prob: f64,
    #[serde(default = "tenth")]
    attention_probs_dropout_prob: f64,
}

/// The same of DistilBERT.
#[derive(Debug, Deserialize)]
struct Distilbert {
    vocab_size: i64,
    dim: i64,
    n_layers: i64,
    n_heads: i64,
    hidden_dim: i64,
    max_position_embeddings: i64,
    pad_token_id: Option<i64>,
    #[serde(default = "gelu")]
    activation: String,
    #[serde(default = "tenth")]
    dropout: f64,
    #[serde(default = "tenth")]
    attention_dropout: f64,
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

/// The shape of a whole `config.json`.
fn of_config(config: &Value) -> Result<Shape, String> {
    // The model's kind first: others have other keys.
    let kind = config["model_type"].as_str().unwrap_or_default();
    let family = match kind {
        "bert" => Family::Bert,
        "roberta" | "xlm-roberta" | "camembert" => Family::Roberta,
        "distilbert" => Family::Distilbert,
        "mpnet" => Family::Mpnet,
        other => {
            return Err(format!(
                "model_type `{other}` is not one of bert, roberta, xlm-roberta, camembert, distilbert, mpnet"
            ));
        }
    };
    refuse(config)?;
    let unusable = |error: serde_json::Error| format!("cannot be used: {error}");
    match family {
        Family::Bert | Family::Roberta | Family::Mpnet => {
            let config = Bert::deserialize(config).map_err(unusable)?;
            let is_mpnet = family == Family::Mpnet;
            if let Some(other) = config
                .relative_attention_num_buckets
                .filter(|count| is_mpnet && *count != BUCKETS)
            {
                return Err(format!("relative_attention_num_buckets is {other}; {BUCKETS} are read"));
            }
            Ok(Shape {
                family,
                vocabulary: config.vocab_size,
                hidden: config.hidden_size,
                layers: config.num_hidden_layers,
                heads: config.num_attention_heads,
                intermediate: config.intermediate_size,
                positions: config.max_position_embeddings,
                // As transformers has it where the key is absent.
                type_vocabulary: if is_mpnet {
                    0
                } else {
                    config.type_vocab_size.unwrap_or(2)
                },
                padding: match config.pad_token_id {
                    Some(padding) if !is_mpnet => padding,
                    _ => family.padding(),
                },
                activation: activation(&config.hidden_act)?,
                layer_norm_eps: config.layer_norm_eps,
                dropout: config.hidden_dropout_prob,
                attention_dropout: config.attention_probs_dropout_prob,
            })
        }
        Family::Distilbert => {
            let config = Distilbert::deserialize(config).map_err(unusable)?;
            Ok(Shape {
                family,
                vocabulary: config.vocab_size,
                hidden: config.dim,
                layers: config.n_layers,
                heads: config.n_heads,
                intermediate: config.hidden_dim,
                positions: config.max_position_embeddings,
                type_vocabulary: 0,
                padding: config.pad_token_id.unwrap_or(family.padding()),
                activation: activation(&config.activation)?,
                layer_norm_eps: eps(),
                dropout: config.dropout,
                attention_dropout: config.attention_dropout,
            })
        }
    }
}

/// Refuses the keys by which the same weights would give other vectors.
fn refuse(config: &Value) -> Result<(), String> {
    if let Some(other) = config["position_embedding_type"]
        .as_str()
        .filter(|kind| *kind != "absolute")
    {
        return Err(format!(
            "position_embedding_type `{other}`: there are `absolute` ones alone"
        ));
    }
    for key in ["is_decoder", "add_cross_attention", "is_encoder_decoder"] {
        if config[key] == true {
            return Err(format!("{key} is true; an encoder is needed"));
        }
    }
    for (key, hint) in [
        (
            "quantization_config",
            "the weights must be whole: dequantize the model, and save it",
        ),
        ("adapters", "adapters are not added here; merge them into the weights"),
        ("pruned_heads", "layers with fewer heads than others are not built here"),
    ] {
        let is_empty = match &config[key] {
            Value::Object(map) => map.is_empty(),
            Value::Array(list) => list.is_empty(),
            other => other.is_null(),
        };
        if !is_empty {
            return Err(format!("has {key}; {hint}"));
        }
    }
    Ok(())
}

fn activation(name: &str) -> Result<Activation, String> {
    Ok(match name {
        "gelu" | "gelu_python" => Activation::Gelu,
        // Three writings of the same formula.
        "gelu_new" | "gelu_pytorch_tanh" | "gelu_fast" => Activation::GeluNew,
        "relu" => Activation::Relu,
        "silu" | "swish" => Activation::Silu,
        other => {
            return Err(format!(
                "hidden_act `{other}` is not one of gelu, gelu_new, gelu_pytorch_tanh, relu, silu"
            ));
        }
    })
}
