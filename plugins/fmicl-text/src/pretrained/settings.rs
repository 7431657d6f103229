//! The files in which sentence-transformers keeps its own settings.

use crate::backbones::{Pooling, Poolings};
use crate::json;
use fmicl_core::{Error, Result};
use serde::Deserialize;
use serde_json::{Map, Value};
use std::path::Path;

/// `config.json` of a pooling.
#[derive(Debug)]
pub(super) struct Pool {
    pub poolings: Poolings,
    /// `true` if the prompt's tokens are pooled, too.
    pub include_prompt: bool,
}

/// Pooling in the present format, or with a key per mode, an absent key being off (sentence-transformers 6.2.0,
/// `_convert_legacy_pooling_kwargs`; before, the mean was on if its key was absent).
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct WrittenPool {
    #[serde(rename = "embedding_dimension", alias = "word_embedding_dimension")]
    _width: Option<i64>,
    pooling_mode: Option<Modes>,
    #[serde(default = "yes")]
    include_prompt: bool,
    #[serde(default)]
    pooling_mode_cls_token: bool,
    #[serde(default)]
    pooling_mode_max_tokens: bool,
    #[serde(default)]
    pooling_mode_mean_tokens: bool,
    #[serde(default)]
    pooling_mode_mean_sqrt_len_tokens: bool,
    #[serde(default)]
    pooling_mode_weightedmean_tokens: bool,
    #[serde(default)]
    pooling_mode_lasttoken: bool,
}

#[derive(Debug, Deserialize)]
#[serde(untagged)]
enum Modes {
    One(String),
    Several(Vec<String>),
}

fn yes() -> bool {
    true
}

impl Pool {
    /// Reads the file at `path`.
    ///
    /// # Errors
    /// [`Error`] if the file cannot be read, or has an unknown key or mode.
    pub fn read(path: &Path) -> Result<Self> {
        let written: WrittenPool = json::need(path)?;
        let fault = |message: String| Error::data(path, message);
        let poolings = match &written.pooling_mode {
            Some(Modes::One(mode)) => vec![mode.as_str()],
            Some(Modes::Several(modes)) => modes.iter().map(String::as_str).collect(),
            None => written.modes(),
        };
        let poolings: Vec<_> = poolings
            .into_iter()
            .map(pooling)
            .collect::<Result<_, _>>()
            .map_err(fault)?;
        Ok(Pool {
            poolings: poolings.try_into().map_err(fault)?,
            include_prompt: written.include_prompt,
        })
    }
}

impl WrittenPool {
    /// Enabled poolings, in the order of their vectors; the mean if none is enabled.
    fn modes(&self) -> Vec<&'static str> {
        // In the order of `MODES`.
        let keys = [
            self.pooling_mode_cls_token,
            self.pooling_mode_max_tokens,
            self.pooling_mode_mean_tokens,
            self.pooling_mode_mean_sqrt_len_tokens,
            self.pooling_mode_weightedmean_tokens,
            self.pooling_mode_lasttoken,
        ];
        let on = MODES.into_iter().zip(keys).filter(|(_, on)| *on);
        let on: Vec<_> = on.map(|((mode, _), _)| mode).collect();
        if on.is_empty() { vec!["mean"] } else { on }
    }
}

/// sentence-transformers' modes, in the order in which their vectors stand.
const MODES: [(&str, Pooling); 6] = [
    ("cls", Pooling::ClsBeforePooler),
    ("max", Pooling::Max),
    ("mean", Pooling::Mean),
    ("mean_sqrt_len_tokens", Pooling::MeanSqrtLen),
    ("weightedmean", Pooling::WeightedMean),
    ("lasttoken", Pooling::Last),
];

fn pooling(mode: &str) -> Result<Pooling, String> {
    let known = MODES.into_iter().find(|(name, _)| *name == mode);
    known.map(|(_, pooling)| pooling).ok_or_else(|| {
        let names = MODES.map(|(name, _)| name).join(", ");
        format!("pooling_mode `{mode}` is not one of {names}")
    })
}

/// `sentence_bert_config.json`, and what it is called beside other models.
#[derive(Debug, Default)]
pub(super) struct Sentences {
    /// The most tokens of a text.
    pub longest: Option<i64>,
    pub lower_case: bool,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct WrittenSentences {
    max_seq_length: Option<i64>,
    do_lower_case: bool,
    transformer_task: Option<String>,
    modality_config: Option<Map<String, Value>>,
    module_output_name: Option<String>,
    processing_kwargs: Map<String, Value>,
    /// `true` if padding is computed.
    #[serde(rename = "unpad_inputs")]
    _unpad_inputs: Option<bool>,
    /// Key for similarity search; it does not change vectors.
    #[serde(rename = "query_length")]
    _query_length: Option<i64>,
    #[serde(rename = "document_length")]
    _document_length: Option<i64>,
    #[serde(alias = "model_args")]
    model_kwargs: Map<String, Value>,
    #[serde(alias = "tokenizer_args")]
    processor_kwargs: Map<String, Value>,
    #[serde(alias = "config_args")]
    config_kwargs: Map<String, Value>,
}

impl Sentences {
    /// The names of the file, of which the first counts that is there.
    pub const FILES: [&'static str; 7] = [
        "sentence_bert_config.json",
        "sentence_roberta_config.json",
        "sentence_distilbert_config.json",
        "sentence_camembert_config.json",
        "sentence_albert_config.json",
        "sentence_xlm-roberta_config.json",
        "sentence_xlnet_config.json",
    ];

    /// Reads the settings of `folder`, if it has any.
    ///
    /// # Errors
    /// [`Error`] if a file cannot be read, or needs a feature that is not supported.
    pub fn of_folder(folder: &Path) -> Result<Self> {
        let Some(path) = Sentences::FILES
            .map(|file| folder.join(file))
            .into_iter()
            .find(|path| path.exists())
        else {
            return Ok(Sentences::default());
        };
        let written: WrittenSentences = json::need(&path)?;
        written.read().map_err(|message| Error::data(path, message))
    }
}

impl WrittenSentences {
    fn read(self) -> Result<Sentences, String> {
        let only = |key: &str, found: Option<&str>, known: &str| match found {
            Some(other) if other != known => Err(format!("{key} is `{other}`; `{known}` is read")),
            _ => Ok(()),
        };
        only(
            "transformer_task",
            self.transformer_task.as_deref(),
            "feature-extraction",
        )?;
        only(
            "module_output_name",
            self.module_output_name.as_deref(),
            "token_embeddings",
        )?;
        if let Some(text) = self
            .modality_config
            .as_ref()
            .map(|config| config.get("text").unwrap_or(&Value::Null))
        {
            only(
                "modality_config.text.method",
                Some(text["method"].as_str().unwrap_or_default()),
                "forward",
            )?;
            let output = text["method_output_name"].as_str().unwrap_or_default();
            only(
                "modality_config.text.method_output_name",
                Some(output),
                "last_hidden_state",
            )?;
        }
        let mut longest = self.max_seq_length;
        for (key, kwargs) in [
            ("processing_kwargs", &self.processing_kwargs),
            ("model_kwargs", &self.model_kwargs),
            ("processor_kwargs", &self.processor_kwargs),
            ("config_kwargs", &self.config_kwargs),
        ] {
            for (name, value) in kwargs {
                match (key, name.as_str(), value.as_i64()) {
                    (_, "trust_remote_code", _) => {}
                    ("processor_kwargs", "model_max_length", Some(length)) => longest = Some(length),
                    _ => return Err(format!("{key} has `{name}`, which is not read here; remove it")),
                }
            }
        }
        Ok(Sentences {
            longest,
            lower_case: self.do_lower_case,
        })
    }
}

/// `config_sentence_transformers.json`.
#[derive(Debug, Default)]
pub(super) struct Prompts {
    /// Prompt before every text; usually empty.
    pub prompt: String,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct WrittenPrompts {
    model_type: Option<String>,
    prompts: Map<String, Value>,
    default_prompt_name: Option<String>,
}

impl Prompts {
    /// Reads the settings of `folder`, if it has any.
    ///
    /// # Errors
    /// [`Error`] if a file cannot be read, or needs a feature that is not supported.
    pub fn of_folder(folder: &Path) -> Result<Self> {
        let path = folder.join("config_sentence_transformers.json");
        let written: WrittenPrompts = json::read(&path)?.unwrap_or_default();
        let fault = |message: String| Err(Error::data(&path, message));
        if let Some(other) = written.model_type.filter(|kind| kind != "SentenceTransformer") {
            return fault(format!("model_type is `{other}`; `SentenceTransformer` is read"));
        }
        let Some(name) = written.default_prompt_name else {
            return Ok(Prompts::default());
        };
        match written.prompts.get(&name) {
            Some(Value::String(prompt)) => Ok(Prompts { prompt: prompt.clone() }),
            Some(Value::Null) => Ok(Prompts::default()),
            // Of every model, whether the file has them or not.
            None if ["query", "document"].contains(&name.as_str()) => Ok(Prompts::default()),
            _ => fault(format!(
                "default_prompt_name is `{name}`, which `prompts` does not have as a string"
            )),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    /// `Pooling.load(FOLDER).pooling_mode` of sentence-transformers 6.2.0.
    #[test]
    fn a_mode_whose_older_key_is_absent_is_off_and_the_mean_stands_where_none_is_on() {
        for (config, expected) in [
            (json!({"pooling_mode_cls_token": true}), "cls-before-pooler"),
            (json!({"pooling_mode_cls_token": false}), "mean"),
            (json!({"pooling_mode_mean_tokens": false}), "mean"),
            (json!({}), "mean"),
            (
                json!({"pooling_mode_max_tokens": true, "pooling_mode_cls_token": true}),
                "cls-before-pooler+max",
            ),
            (
                json!({"pooling_mode_mean_tokens": false, "pooling_mode_lasttoken": true}),
                "last",
            ),
        ] {
            let folder = tempfile::tempdir().unwrap();
            let path = folder.path().join("config.json");
            std::fs::write(&path, config.to_string()).unwrap();
            assert_eq!(Pool::read(&path).unwrap().poolings.to_string(), expected, "{config}");
        }
    }
}
