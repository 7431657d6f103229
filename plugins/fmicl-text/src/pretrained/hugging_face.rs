//! Folders as transformers and sentence-transformers write them.

use crate::backbones::Shape;
use fmicl_core::toml::{Table, Value};
use fmicl_core::{Error, Pretrained, PretrainedParts, Result, read_file, register};
use serde::{Deserialize, Serialize};
use serde_json::Value as Json;
use std::path::Path;

/// The longest text in tokens, where sentence-transformers' `sentence_bert_config.json` does not say it.
const LONGEST: i64 = 512;

/// The most bytes of a JSON file beside the tokenizer.
const MOST_JSON: u64 = 1 << 20;

/// A folder with `config.json`, `model.safetensors` and `tokenizer.json`. Pooling is as sentence-transformers'
/// `1_Pooling/config.json` says, and else the mean.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HuggingFace {}

register!(
    Pretrained,
    "hugging-face",
    HuggingFace,
    "a folder of BERT or RoBERTa, by transformers or sentence-transformers"
);

impl Pretrained for HuggingFace {
    fn parts(&self, folder: &Path) -> Result<Option<PretrainedParts>> {
        // Other layouts have a config.json, too, without what transformers goes by.
        let config = json(&folder.join("config.json"))?;
        if config.is_none_or(|config| config.get("model_type").is_none()) {
            return Ok(None);
        }
        let shape = Shape::of_folder(folder)?;
        if !folder.join("tokenizer.json").is_file() {
            return Err(Error::data(
                folder,
                "has no tokenizer.json: transformers' AutoTokenizer.from_pretrained(FOLDER).save_pretrained(FOLDER) writes one",
            ));
        }
        let pooling = match json(&folder.join("1_Pooling/config.json"))? {
            Some(config) if config["pooling_mode_cls_token"] == true => "cls-before-pooler",
            Some(config) if config["pooling_mode_mean_tokens"] == false => {
                let path = folder.join("1_Pooling/config.json");
                return Err(Error::data(path, "pools neither the first token nor the mean"));
            }
            _ => "mean",
        };
        let longest = json(&folder.join("sentence_bert_config.json"))?;
        let longest = longest.and_then(|config| config["max_seq_length"].as_i64());
        let longest = longest.unwrap_or(LONGEST).min(shape.longest());
        let path = folder.to_string_lossy().into_owned();
        let table = |pairs: [(&str, Value); 3]| {
            let pairs = pairs.into_iter().map(|(key, value)| (key.to_string(), value));
            Table::from_iter(pairs)
        };
        Ok(Some(PretrainedParts {
            views: table([
                ("name", "text".into()),
                ("tokenizer", path.clone().into()),
                ("max_length", longest.into()),
            ]),
            backbone: table([
                ("name", "bert".into()),
                ("folder", path.into()),
                ("pooling", pooling.into()),
            ]),
        }))
    }
}

/// A JSON file; nothing where it is not there.
fn json(path: &Path) -> Result<Option<Json>> {
    if !path.exists() {
        return Ok(None);
    }
    let bytes = read_file(
        path,
        MOST_JSON,
        "a small JSON file of sentence-transformers is expected",
    )?;
    let read = serde_json::from_slice(&bytes).map_err(|error| Error::data(path, format!("is no JSON: {error}")))?;
    Ok(Some(read))
}
