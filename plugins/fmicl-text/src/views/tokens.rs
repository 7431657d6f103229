//! A tokenizer, and batches of token ids.

use super::settings::Settings;
use fmicl_core::tch::{Device, Kind, Tensor};
use fmicl_core::{Error, Result, View, panics, read_file};
use std::path::{Path, PathBuf};
use tokenizers::normalizers::{Lowercase, NormalizerWrapper, Sequence};
use tokenizers::{Tokenizer, TruncationDirection, TruncationParams};

/// File name of a folder's tokenizer.
pub(super) const FILE: &str = "tokenizer.json";

/// The names of padding in the tokenizers of BERT and of RoBERTa.
const PADDING: [&str; 2] = ["[PAD]", "<pad>"];

/// Maximum bytes of a tokenizer's file: the largest vocabularies take 20 MB.
const MOST: u64 = 256 << 20;
const HINT: &str = "a `tokenizer.json` of Hugging Face is expected";

/// A tokenizer that cuts off what is too long.
pub(super) struct Tokens {
    tokenizer: Tokenizer,
    padding: i64,
}

impl std::fmt::Debug for Tokens {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "a tokenizer of {} ids", self.vocabulary())
    }
}

impl Tokens {
    /// Reads a `tokenizer.json` as it stands, or the one in a folder by the settings beside it; texts become at most
    /// `longest` tokens, with `lower_case` lower-cased before tokenisation.
    ///
    /// # Errors
    /// [`Error`] if the file is missing or not a tokenizer, or its special tokens alone exceed `longest`.
    pub fn open(path: &Path, longest: usize, lower_case: bool) -> Result<Self> {
        let (file, settings): (PathBuf, _) = match path.is_dir() {
            true => (path.join(FILE), Some(Settings::of_folder(path)?)),
            false => (path.into(), None),
        };
        let bytes = read_file(&file, MOST, HINT)?;
        let in_a_line = |error: String| {
            let line = error.lines().next().unwrap_or_default();
            Error::data(&file, format!("is not a tokenizer: {line}"))
        };
        // The crate takes much that a file says on trust, and panics later: at a text that needs it.
        let read = panics::quietly(|| Tokenizer::from_bytes(&bytes)).map_err(in_a_line)?;
        let mut tokenizer = read.map_err(|error| {
            let error = error.to_string();
            in_a_line(format!("{}; {HINT}", error.lines().next().unwrap_or_default()))
        })?;
        if let Some(settings) = &settings {
            panics::quietly(|| settings.apply(&mut tokenizer)).map_err(in_a_line)??;
        }
        let side = settings.and_then(|settings| settings.truncation());
        let made = panics::quietly(|| Tokens::of(tokenizer, longest, lower_case, side)).and_then(|made| made);
        made.map_err(in_a_line)
    }

    fn of(
        mut tokenizer: Tokenizer,
        longest: usize,
        lower_case: bool,
        side: Option<TruncationDirection>,
    ) -> Result<Self, String> {
        if lower_case {
            let own = tokenizer.get_normalizer().cloned();
            let all = std::iter::once(NormalizerWrapper::Lowercase(Lowercase))
                .chain(own)
                .collect();
            tokenizer.with_normalizer(Some(Sequence::new(all)));
        }
        let padding = match tokenizer.get_padding() {
            Some(padding) => padding.pad_id,
            None => PADDING.iter().find_map(|name| tokenizer.token_to_id(name)).unwrap_or(0),
        };
        tokenizer.with_padding(None);
        let own = tokenizer.get_truncation().map(|truncation| truncation.direction);
        let truncation = TruncationParams {
            max_length: longest,
            direction: side.or(own).unwrap_or(TruncationDirection::Right),
            ..Default::default()
        };
        let truncated = tokenizer.with_truncation(Some(truncation));
        truncated.map_err(|error| error.to_string())?;
        let tokens = Tokens {
            tokenizer,
            padding: i64::from(padding),
        };
        tokens.try_out(longest)?;
        Ok(tokens)
    }

    /// Checks that texts become at most `longest` ids, all in the vocabulary.
    fn try_out(&self, longest: usize) -> Result<(), String> {
        let (vocabulary, long) = (self.vocabulary(), "a ".repeat(longest));
        let mut ids = vec![self.padding];
        for text in ["", "A b, 1.", "\u{e9}\u{6f22} \u{1f980}", &long] {
            let encoded = self.tokenizer.encode_fast(text, true);
            let encoded = encoded.map_err(|error| error.to_string())?;
            let length = encoded.get_ids().len();
            if length > longest {
                return Err(format!(
                    "it makes {length} tokens of a text, and {longest} are the most"
                ));
            }
            ids.extend(encoded.get_ids().iter().map(|&id| i64::from(id)));
        }
        match ids.iter().find(|id| **id >= vocabulary) {
            Some(id) => Err(format!(
                "it gives the id {id}, and its vocabulary ends before {vocabulary}"
            )),
            None => Ok(()),
        }
    }

    /// Ids are below it.
    pub fn vocabulary(&self) -> i64 {
        let vocabulary = self.tokenizer.get_vocab(true);
        vocabulary.values().max().map_or(1, |&largest| i64::from(largest) + 1)
    }

    /// The ids of each text, at least one.
    ///
    /// # Errors
    /// [`Error`] if the tokenizer refuses the text.
    pub fn ids(&self, texts: Vec<&str>) -> Result<Vec<Vec<i64>>> {
        let encoded = self.tokenizer.encode_batch_fast(texts, true);
        let encoded = encoded.map_err(|error| Error::Run(format!("the tokenizer: {error}")))?;
        let ids = encoded.iter().map(|one| {
            let ids: Vec<i64> = one.get_ids().iter().map(|&id| i64::from(id)).collect();
            // A tokenizer without marks makes nothing of nothing.
            if ids.is_empty() { vec![self.padding] } else { ids }
        });
        Ok(ids.collect())
    }

    /// The tokens of a view of one text, as they stand in the vocabulary, without padding.
    pub fn written(&self, view: &View) -> Vec<String> {
        let ids = Vec::<i64>::try_from(view.input.flatten(0, -1)).unwrap_or_default();
        let length = match &view.mask {
            Some(mask) => mask.sum(Kind::Int64).int64_value(&[]) as usize,
            None => ids.len(),
        };
        let word = |id: &i64| {
            let token = u32::try_from(*id).ok().and_then(|id| self.tokenizer.id_to_token(id));
            token.unwrap_or_else(|| id.to_string())
        };
        ids.iter().take(length).map(word).collect()
    }

    /// Rows of ids, padded to `length`, with their mask: both `[N, length]`, whole numbers.
    pub fn view(&self, rows: &[&[i64]], length: usize) -> View {
        let mut input = vec![self.padding; rows.len() * length];
        let mut mask = vec![0i64; rows.len() * length];
        for (row, ids) in rows.iter().enumerate() {
            input[row * length..][..ids.len()].copy_from_slice(ids);
            mask[row * length..][..ids.len()].fill(1);
        }
        let size = [rows.len() as i64, length as i64];
        let tensor = |values: &[i64]| {
            Tensor::from_slice(values)
                .view(size)
                .to_device(Device::Cpu)
                .to_kind(Kind::Int64)
        };
        View {
            input: tensor(&input),
            mask: Some(tensor(&mask)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::views::Text;
    use fmicl_core::Views;
    use serde_json::{Value, json};

    /// The error of opening the letters' tokenizer after a change.
    fn error_of(change: impl Fn(&mut Value)) -> String {
        let folder = tempfile::tempdir().unwrap();
        Text::default().example(folder.path()).unwrap();
        let path = folder.path().join(FILE);
        let mut tokenizer: Value = serde_json::from_slice(&std::fs::read(&path).unwrap()).unwrap();
        change(&mut tokenizer);
        std::fs::write(&path, tokenizer.to_string()).unwrap();
        let error = Tokens::open(&path, 8, false).unwrap_err().to_string();
        error.replace(path.to_str().unwrap(), FILE)
    }

    /// A post-processor that puts these marks before each text.
    fn template(marks: &[&str], ids: Value) -> Value {
        let marks: Vec<_> = marks
            .iter()
            .map(|id| json!({"SpecialToken": {"id": id, "type_id": 0}}))
            .collect();
        let text = |id: &str| vec![json!({"Sequence": {"id": id, "type_id": 0}})];
        let (single, pair) = ([marks, text("A")].concat(), [text("A"), text("B")].concat());
        json!({"type": "TemplateProcessing", "single": single, "pair": pair, "special_tokens": ids})
    }

    #[test]
    fn what_the_crate_takes_on_trust_is_refused_in_a_line() {
        let cls = |id: i64| json!({"[CLS]": {"id": "[CLS]", "ids": [id], "tokens": ["[CLS]"]}});
        // The crate panics at the first text.
        let panicked = error_of(|tokenizer| tokenizer["post_processor"] = template(&["[CLS]"], json!({})));
        assert!(
            panicked.starts_with("tokenizer.json: is not a tokenizer: "),
            "{panicked}"
        );
        assert!(!panicked.contains('\n'), "{panicked}");
        let foreign = error_of(|tokenizer| tokenizer["post_processor"] = template(&["[CLS]"], cls(1 << 20)));
        assert_eq!(
            foreign,
            "tokenizer.json: is not a tokenizer: it gives the id 1048576, and its vocabulary ends before 56"
        );
        let many = error_of(|tokenizer| tokenizer["post_processor"] = template(&["[CLS]"; 10], cls(2)));
        assert!(many.starts_with("tokenizer.json: is not a tokenizer: "), "{many}");
        let padding = json!({"strategy": "BatchLongest", "direction": "Right", "pad_to_multiple_of": null, "pad_id": 77,
            "pad_type_id": 0, "pad_token": "[PAD]"});
        assert_eq!(
            error_of(|tokenizer| tokenizer["padding"] = padding.clone()),
            "tokenizer.json: is not a tokenizer: it gives the id 77, and its vocabulary ends before 56"
        );
    }
}
