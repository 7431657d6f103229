//! A tokenizer, and batches of token ids.

use fmicl_core::tch::{Device, Kind, Tensor};
use fmicl_core::{Error, Result, View, read_file};
use std::path::{Path, PathBuf};
use tokenizers::{Tokenizer, TruncationParams};

/// What a folder calls its tokenizer.
pub(super) const FILE: &str = "tokenizer.json";

/// The names of padding in the tokenizers of BERT and of RoBERTa.
const PADDING: [&str; 2] = ["[PAD]", "<pad>"];

/// No tokenizer's file has as many bytes: the largest vocabularies take 20 MB.
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
    /// Reads a `tokenizer.json`, or the one in a folder; texts become at most `longest` tokens.
    ///
    /// # Errors
    /// A file that is missing or is no tokenizer's, or one that needs more than `longest` tokens for its own marks.
    pub fn open(path: &Path, longest: usize) -> Result<Self> {
        let file: PathBuf = if path.is_dir() { path.join(FILE) } else { path.into() };
        let bytes = read_file(&file, MOST, HINT)?;
        let broken = |error: tokenizers::Error| {
            let text = error.to_string();
            Error::data(
                &file,
                format!("is no tokenizer: {}", text.lines().next().unwrap_or_default()),
            )
        };
        let mut tokenizer = Tokenizer::from_bytes(&bytes).map_err(broken)?;
        let padding = match tokenizer.get_padding() {
            Some(padding) => padding.pad_id,
            None => PADDING.iter().find_map(|name| tokenizer.token_to_id(name)).unwrap_or(0),
        };
        tokenizer.with_padding(None);
        let truncation = TruncationParams {
            max_length: longest,
            ..Default::default()
        };
        tokenizer.with_truncation(Some(truncation)).map_err(broken)?;
        Ok(Tokens {
            tokenizer,
            padding: i64::from(padding),
        })
    }

    /// Ids are below it.
    pub fn vocabulary(&self) -> i64 {
        let vocabulary = self.tokenizer.get_vocab(true);
        vocabulary.values().max().map_or(1, |&largest| i64::from(largest) + 1)
    }

    /// The ids of each text, at least one.
    ///
    /// # Errors
    /// A text that the tokenizer refuses.
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
