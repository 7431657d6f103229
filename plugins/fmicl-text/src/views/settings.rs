//! `tokenizer_config.json`: the parts of a folder's `tokenizer.json` that transformers uses, and its replacements for
//! the others.
//!
//! Of a class that it knows, transformers 5 takes the vocabulary, and builds normalizer, pre-tokenizer and marks by the
//! class and its options: `do_lower_case = true` lowers with a `tokenizer.json` that does not, and the reverse. Every other
//! class reads the file as it stands.

use crate::json;
use fmicl_core::{Error, Result};
use serde::Deserialize;
use serde_json::{Value, json as value};
use std::path::{Path, PathBuf};
use tokenizers::models::ModelWrapper;
use tokenizers::normalizers::NormalizerWrapper;
use tokenizers::pre_tokenizers::PreTokenizerWrapper;
use tokenizers::processors::PostProcessorWrapper;
use tokenizers::{Tokenizer, TruncationDirection};

/// The settings' file, and the model's, of which the class may be taken.
pub(super) const FILES: [&str; 2] = ["tokenizer_config.json", "config.json"];

/// Parts of a `tokenizer.json` that are replaced.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Class {
    /// WordPiece behind BERT's normalizer.
    Bert,
    /// The same between RoBERTa's marks.
    Mpnet,
    /// BPE of bytes.
    Roberta,
    /// SentencePiece's unigrams.
    Unigram,
    /// None.
    AsItStands,
}

impl Class {
    const ALL: [(&'static str, Class); 9] = [
        ("BertTokenizer", Class::Bert),
        ("DistilBertTokenizer", Class::Bert),
        ("ElectraTokenizer", Class::Bert),
        ("MPNetTokenizer", Class::Mpnet),
        ("RobertaTokenizer", Class::Roberta),
        ("XLMRobertaTokenizer", Class::Unigram),
        ("CamembertTokenizer", Class::Unigram),
        ("PreTrainedTokenizer", Class::AsItStands),
        ("TokenizersBackend", Class::AsItStands),
    ];

    /// By the name that transformers has for it, with or without `Fast` behind.
    fn named(name: &str) -> Option<Self> {
        let name = name.strip_suffix("Fast").unwrap_or(name);
        Class::ALL
            .into_iter()
            .find_map(|(known, it)| (known == name).then_some(it))
    }

    /// The class where nothing names one.
    fn of_model(kind: Option<&str>) -> Self {
        match kind {
            Some("bert" | "distilbert") => Class::Bert,
            Some("mpnet") => Class::Mpnet,
            Some("roberta") => Class::Roberta,
            Some("xlm-roberta" | "camembert") => Class::Unigram,
            _ => Class::AsItStands,
        }
    }
}

/// A token by its name, or with how it is looked for.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
enum Token {
    Name(String),
    Added { content: String },
}

/// The keys that change tokens; the others name files, or are for texts to be generated.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Keys {
    tokenizer_class: Option<String>,
    do_lower_case: Option<bool>,
    strip_accents: Option<bool>,
    tokenize_chinese_chars: Option<bool>,
    add_prefix_space: Option<bool>,
    truncation_side: Option<String>,
    padding_side: Option<String>,
    split_special_tokens: Option<bool>,
    add_bos_token: Option<bool>,
    add_eos_token: Option<bool>,
    bos_token: Option<Token>,
    eos_token: Option<Token>,
    cls_token: Option<Token>,
    sep_token: Option<Token>,
    /// Maximum length in tokens; a float, 1e30, for no limit.
    model_max_length: Option<f64>,
    /// Name in old versions.
    max_len: Option<f64>,
}

/// Keys of a model's `config.json` about its tokenizer.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Model {
    model_type: Option<String>,
    tokenizer_class: Option<String>,
}

/// Settings for the `tokenizer.json` of a folder.
#[derive(Debug)]
pub(crate) struct Settings {
    path: PathBuf,
    class: Class,
    /// `None` if there is no file.
    keys: Option<Keys>,
}

impl Settings {
    /// Reads the settings of `folder`, if it has any.
    ///
    /// # Errors
    /// [`Error`] if a file cannot be read, or needs a feature that is not supported.
    pub fn of_folder(folder: &Path) -> Result<Self> {
        let path = folder.join(FILES[0]);
        let keys: Option<Keys> = json::read(&path)?;
        let model: Model = json::read(&folder.join(FILES[1]))?.unwrap_or_default();
        let named = keys.as_ref().and_then(|keys| keys.tokenizer_class.clone());
        let class = match named.or(model.tokenizer_class) {
            None => Class::of_model(model.model_type.as_deref()),
            Some(name) => Class::named(&name).ok_or_else(|| {
                let message = format!(
                    "tokenizer_class `{name}` is none of {}; `PreTrainedTokenizerFast` there reads tokenizer.json as it stands",
                    Class::ALL.map(|(known, _)| known).join(", ")
                );
                Error::data(&path, message)
            })?,
        };
        let settings = Settings { path, class, keys };
        settings
            .validate()
            .map_err(|message| Error::data(&settings.path, message))?;
        Ok(settings)
    }

    fn validate(&self) -> Result<(), String> {
        let Some(keys) = &self.keys else { return Ok(()) };
        if keys.padding_side.as_deref().is_some_and(|side| side != "right") {
            return Err("padding_side is not `right`: places are counted from the first token".into());
        }
        if let Some(side) = keys
            .truncation_side
            .as_deref()
            .filter(|side| !["left", "right"].contains(side))
        {
            return Err(format!("truncation_side `{side}` is neither `left` nor `right`"));
        }
        if keys.split_special_tokens == Some(true) {
            return Err("split_special_tokens is true, which is not done here; remove it".into());
        }
        for (key, value) in [
            ("add_bos_token", keys.add_bos_token),
            ("add_eos_token", keys.add_eos_token),
        ] {
            if value.is_some() {
                return Err(format!(
                    "{key} puts other marks around a text, which is not done here; remove it"
                ));
            }
        }
        Ok(())
    }

    /// Maximum tokens of a text, special tokens included, if given.
    pub fn longest(&self) -> Option<i64> {
        let keys = self.keys.as_ref()?;
        let longest = keys.model_max_length.or(keys.max_len)?;
        // What is meant to be no limit is larger than any whole number.
        Some(longest as i64)
    }

    /// Side on which long texts are truncated, if given.
    pub fn truncation(&self) -> Option<TruncationDirection> {
        let side = self.keys.as_ref()?.truncation_side.as_deref()?;
        Some(match side {
            "left" => TruncationDirection::Left,
            _ => TruncationDirection::Right,
        })
    }

    /// Replaces the parts of the folder's tokenizer that its class builds anew.
    ///
    /// # Errors
    /// [`Error`] if the tokenizer does not have the class's model.
    pub fn apply(&self, tokenizer: &mut Tokenizer) -> Result<()> {
        let parts = self.parts(tokenizer);
        let [normalizer, pre_tokenizer, marks] = match parts.map_err(|message| Error::data(&self.path, message))? {
            Some(parts) => parts,
            None => return Ok(()),
        };
        let built = || -> serde_json::Result<_> {
            Ok((
                serde_json::from_value(normalizer)?,
                serde_json::from_value(pre_tokenizer)?,
                serde_json::from_value(marks)?,
            ))
        };
        let (normalizer, pre_tokenizer, marks): (Option<NormalizerWrapper>, PreTokenizerWrapper, PostProcessorWrapper) =
            built().map_err(|error| Error::data(&self.path, format!("cannot be applied: {error}")))?;
        tokenizer.with_normalizer(normalizer);
        tokenizer.with_pre_tokenizer(Some(pre_tokenizer));
        tokenizer.with_post_processor(Some(marks));
        Ok(())
    }

    /// Normalizer, pre-tokenizer and marks as `tokenizer.json` writes them; none where the file's own stay.
    fn parts(&self, tokenizer: &Tokenizer) -> Result<Option<[Value; 3]>, String> {
        let written = serde_json::to_value(tokenizer.get_normalizer()).unwrap_or_default();
        let Some(keys) = &self.keys else {
            let is_cased = written["type"] == "BertNormalizer" && written["lowercase"] == false;
            return match self.class {
                Class::Bert | Class::Mpnet if is_cased => Err(
                    "there is no such file, and without it transformers lowers letters, which tokenizer.json does not: fetch it, \
                     or write {\"tokenizer_class\": \"BertTokenizer\", \"do_lower_case\": false} to it"
                        .into(),
                ),
                _ => Ok(None),
            };
        };
        let model = match tokenizer.get_model() {
            ModelWrapper::WordPiece(_) => "WordPiece",
            ModelWrapper::BPE(_) => "BPE",
            ModelWrapper::Unigram(_) => "Unigram",
            ModelWrapper::WordLevel(_) => "WordLevel",
        };
        let expected = match self.class {
            Class::AsItStands => return Ok(None),
            Class::Bert | Class::Mpnet => "WordPiece",
            Class::Roberta => "BPE",
            Class::Unigram => "Unigram",
        };
        if model != expected {
            return Err(format!(
                "its class is one of {expected}, and tokenizer.json is of {model}; tokenizer_class `PreTrainedTokenizerFast` reads \
                 that as it stands"
            ));
        }
        let mark = |given: &Option<Token>, usual: &str| {
            let name = match given {
                Some(Token::Name(name) | Token::Added { content: name }) => name,
                None => usual,
            };
            let id = tokenizer.token_to_id(name);
            id.map(|id| value!([name, id]))
                .ok_or_else(|| format!("tokenizer.json has no token {name}"))
        };
        let marks = |first: Value, last: Value| value!({"type": "BertProcessing", "cls": first, "sep": last});
        let prefix = keys.add_prefix_space;
        Ok(Some(match self.class {
            Class::Bert | Class::Mpnet => [
                value!({"type": "BertNormalizer", "clean_text": true,
                    "handle_chinese_chars": keys.tokenize_chinese_chars.unwrap_or(true), "strip_accents": keys.strip_accents,
                    "lowercase": keys.do_lower_case.unwrap_or(true)}),
                value!({"type": "BertPreTokenizer"}),
                match self.class {
                    Class::Mpnet => marks(mark(&keys.cls_token, "<s>")?, mark(&keys.sep_token, "</s>")?),
                    _ => marks(mark(&keys.cls_token, "[CLS]")?, mark(&keys.sep_token, "[SEP]")?),
                },
            ],
            Class::Roberta => [
                Value::Null,
                value!({"type": "ByteLevel", "add_prefix_space": prefix.unwrap_or(false), "trim_offsets": true, "use_regex": true}),
                marks(mark(&keys.cls_token, "<s>")?, mark(&keys.sep_token, "</s>")?),
            ],
            Class::Unigram | Class::AsItStands => [
                precompiled(&written),
                value!({"type": "Sequence", "pretokenizers": [{"type": "WhitespaceSplit"}, {"type": "Metaspace",
                    "replacement": "\u{2581}", "prepend_scheme": if prefix.unwrap_or(true) { "always" } else { "never" }, "split": true}]}),
                marks(mark(&keys.bos_token, "<s>")?, mark(&keys.eos_token, "</s>")?),
            ],
        }))
    }
}

/// SentencePiece's own table among a file's normalizers.
fn precompiled(written: &Value) -> Value {
    let several = written["normalizers"]
        .as_array()
        .map_or(std::slice::from_ref(written), Vec::as_slice);
    let found = several.iter().find(|normalizer| normalizer["type"] == "Precompiled");
    found.cloned().unwrap_or(Value::Null)
}
