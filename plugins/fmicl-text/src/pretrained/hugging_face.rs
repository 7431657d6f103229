//! Folders as transformers and sentence-transformers write them.

use super::settings::{Pool, Prompts, Sentences};
use crate::backbones::{Pooling, Poolings, Shape};
use crate::modules;
use crate::{json, views};
use fmicl_core::toml::{Table, Value};
use fmicl_core::{Error, Pretrained, PretrainedParts, Result, register};
use serde::{Deserialize, Serialize};
use serde_json::Value as Json;
use std::path::Path;

/// A folder with `config.json`, `model.safetensors` and `tokenizer.json`. Vectors equal those of `SentenceTransformer`:
/// with the modules, pooling, length and prompt of its files, or the mean of all tokens without `modules.json`.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HuggingFace {}

register!(
    Pretrained,
    "hugging-face",
    HuggingFace,
    "a folder of BERT, RoBERTa, DistilBERT or MPNet, by transformers or sentence-transformers"
);

impl Pretrained for HuggingFace {
    fn parts(&self, folder: &Path) -> Result<Option<PretrainedParts>> {
        if !folder.is_dir() {
            return Ok(None);
        }
        // Other layouts have a config.json, too, without what transformers goes by.
        let config: Option<Json> = json::read(&folder.join("config.json"))?;
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
        let said = match modules::list(folder)? {
            Some(modules) => Said::of_modules(folder, &modules)?,
            None => Said::of_transformer(folder)?,
        };
        // What is meant to be no limit is one of places.
        let longest = said.longest.or(views::Settings::of_folder(folder)?.longest());
        let longest = longest.unwrap_or(i64::MAX).min(shape.longest());
        let path = Value::from(folder.to_string_lossy().into_owned());
        let mut views = Table::from_iter([
            ("name".to_string(), "text".into()),
            ("tokenizer".to_string(), path.clone()),
            ("max_length".to_string(), longest.into()),
        ]);
        if said.lower_case {
            views.insert("lower_case".into(), true.into());
        }
        if !said.prompt.is_empty() {
            views.insert("prompt".into(), said.prompt.into());
        }
        let backbone = Table::from_iter([
            ("name".to_string(), "bert".into()),
            ("folder".to_string(), path),
            ("pooling".to_string(), said.pooling.to_string().into()),
            ("modules".to_string(), said.modules.into()),
        ]);
        Ok(Some(PretrainedParts {
            views,
            backbone,
            init: None,
        }))
    }
}

/// Options of the views in a folder's files.
struct Said {
    pooling: Poolings,
    /// The folders of the modules behind the pooling.
    modules: Vec<String>,
    longest: Option<i64>,
    lower_case: bool,
    prompt: String,
}

impl Said {
    fn of_modules(folder: &Path, modules: &[modules::Module]) -> Result<Self> {
        let Prompts { prompt } = Prompts::of_folder(folder)?;
        let pooling = folder.join(&modules[1].path).join("config.json");
        let pool = Pool::read(&pooling)?;
        if !pool.include_prompt && !prompt.is_empty() {
            let message = "include_prompt is false, and the folder's default prompt would have to be left out of the pooling, which is \
                           not done here";
            return Err(Error::data(pooling, message));
        }
        let Sentences { longest, lower_case } = Sentences::of_folder(folder)?;
        Ok(Said {
            pooling: pool.poolings,
            modules: modules[2..].iter().map(|module| module.path.clone()).collect(),
            longest,
            lower_case,
            prompt,
        })
    }

    /// Without a list of modules: then nothing of sentence-transformers may be there that the list would name.
    fn of_transformer(folder: &Path) -> Result<Self> {
        let io = |error| Error::io(folder, error);
        for entry in std::fs::read_dir(folder).map_err(io)? {
            let name = entry.map_err(io)?.file_name().to_string_lossy().into_owned();
            let is_module = name
                .split_once('_')
                .is_some_and(|(number, _)| number.parse::<u32>().is_ok())
                && folder.join(&name).join("config.json").exists();
            if is_module || Sentences::FILES.contains(&name.as_str()) {
                return Err(Error::data(
                    folder,
                    format!(
                        "has {name}, and no {} that says whether it is meant: fetch that file too, or remove {name} for the mean of \
                         all tokens",
                        modules::FILE
                    ),
                ));
            }
        }
        Ok(Said {
            pooling: Pooling::Mean.into(),
            modules: Vec::new(),
            longest: None,
            lower_case: false,
            prompt: String::new(),
        })
    }
}
