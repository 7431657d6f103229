//! The shape as a folder's `config.json` gives it.

use super::relative::BUCKETS;
use super::shape::{Activation, Family, Shape};
use crate::json;
use fmicl_core::{Error, Result};
use serde::Deserialize;
use serde_json::Value;
use std::path::Path;

/// File name of a folder's config.
pub(super) const FILE: &str = "config.json";

/// File that peft writes beside a model.
const ADAPTER: &str = "adapter_config.json";

impl Shape {
    /// As `config.json` of a Hugging Face folder gives it.
    ///
    /// # Errors
    /// [`Error::Data`] or [`Error::Io`] if the file cannot be read, or is of an unsupported model.
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

/// Keys read from the `config.json` of BERT, RoBERTa and MPNet; defaults as in transformers' `BertConfig`.
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
    let family = named("model_type", kind, &FAMILIES)?;
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
                activation: named("hidden_act", &config.hidden_act, &ACTIVATIONS)?,
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
                activation: named("activation", &config.activation, &ACTIVATIONS)?,
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
            "position_embedding_type `{other}`: only `absolute` is supported"
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

/// The activations by transformers' names; those of `GeluNew` are three writings of the same formula.
const ACTIVATIONS: [(&str, Activation); 8] = [
    ("gelu", Activation::Gelu),
    ("gelu_python", Activation::Gelu),
    ("gelu_new", Activation::GeluNew),
    ("gelu_pytorch_tanh", Activation::GeluNew),
    ("gelu_fast", Activation::GeluNew),
    ("relu", Activation::Relu),
    ("silu", Activation::Silu),
    ("swish", Activation::Silu),
];

/// The models by transformers' names.
const FAMILIES: [(&str, Family); 6] = [
    ("bert", Family::Bert),
    ("roberta", Family::Roberta),
    ("xlm-roberta", Family::Roberta),
    ("camembert", Family::Roberta),
    ("distilbert", Family::Distilbert),
    ("mpnet", Family::Mpnet),
];

/// Entry of `all` whose name is the value of `key`.
fn named<T: Copy>(key: &str, name: &str, all: &[(&str, T)]) -> Result<T, String> {
    let found = all.iter().find(|(known, _)| *known == name);
    found.map(|(_, it)| *it).ok_or_else(|| {
        let names: Vec<_> = all.iter().map(|(known, _)| *known).collect();
        format!("{key} `{name}` is not one of {}", names.join(", "))
    })
}
