//! Token ids of texts.
//!
//! A single text is its own positive: both views are the same tokens, with different dropout (SimCSE, Gao et al., EMNLP
//! 2021, arXiv 2104.08821). In pairs and triplets each text is a view.

use super::settings;
use super::tokens::{FILE, Tokens};
use fmicl_core::{
    Documented, Draw, Error, Input, Modality, Reads, Result, Samples, Stop, View, Views, register, require,
};
use serde::{Deserialize, Serialize};
use std::borrow::Cow;
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};

/// Tokens by a Hugging Face tokenizer, cut off at `max_length` and padded to the longest of the batch.
#[derive(Debug, Documented, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Text {
    /// Tokenizer: a `tokenizer.json`, used as it is, or a folder with one, whose `tokenizer_config.json`, if there is
    /// one, applies; relative to the working directory. Required.
    pub tokenizer: Option<PathBuf>,
    /// Maximum tokens of a text, special tokens included, from 3 to 100,000; the default is SimCSE's.
    pub max_length: usize,
    /// Lower-cases texts before tokenisation: `do_lower_case` of sentence-transformers.
    pub lower_case: bool,
    /// Prompt before each text, such as `query: `; the limit `max_length` includes it.
    pub prompt: String,
    /// Read once.
    #[serde(skip)]
    tokens: OnceLock<Tokens>,
}

impl Default for Text {
    fn default() -> Self {
        Text {
            tokenizer: None,
            max_length: 32,
            lower_case: false,
            prompt: String::new(),
            tokens: OnceLock::new(),
        }
    }
}

register!(
    Views,
    "text",
    Text,
    "token ids of texts; a text alone is its own positive, through dropout"
);

impl Text {
    fn tokens(&self) -> Result<&Tokens> {
        if let Some(tokens) = self.tokens.get() {
            return Ok(tokens);
        }
        let missing = || Error::config("is missing: name a tokenizer.json or the folder that has it").at("tokenizer");
        let path = self.tokenizer.as_ref().ok_or_else(missing)?;
        let opened = Tokens::open(path, self.max_length, self.lower_case);
        let tokens = opened.map_err(|error| error.named_in_config().at("tokenizer"))?;
        Ok(self.tokens.get_or_init(|| tokens))
    }

    /// The ids of each text behind the prompt.
    fn ids<'a>(&self, texts: impl Iterator<Item = &'a str>) -> Result<Vec<Vec<i64>>> {
        let prompted = |text: &'a str| match self.prompt.as_str() {
            "" => Cow::Borrowed(text),
            prompt => Cow::Owned([prompt, text].concat()),
        };
        let texts: Vec<_> = texts.map(prompted).collect();
        self.tokens()?.ids(texts.iter().map(|text| &**text).collect())
    }
}

impl Views for Text {
    fn validate(&self) -> Result<()> {
        require((3..=100_000).contains(&self.max_length), "max_length", || {
            format!("{} is not from 3 to 100000 tokens", self.max_length)
        })
    }

    fn reads(&self) -> Vec<Reads> {
        let reads = |path: &PathBuf| Reads {
            option: "tokenizer".into(),
            path: path.clone(),
            files: match path.is_dir() {
                true => {
                    let settings = settings::FILES.into_iter().filter(|file| path.join(file).exists());
                    std::iter::once(FILE).chain(settings).map(PathBuf::from).collect()
                }
                false => Vec::new(),
            },
        };
        self.tokenizer.iter().map(reads).collect()
    }

    fn modality(&self) -> Modality {
        Modality::Texts
    }

    fn input(&self) -> Result<Input> {
        Ok(Input::Tokens {
            vocabulary: self.tokens()?.vocabulary(),
            longest: self.max_length as i64,
        })
    }

    fn random(&self, samples: &dyn Samples, draw: &Draw, _stop: &Stop) -> Result<Vec<View>> {
        let tokens = self.tokens()?;
        let texts: Vec<Vec<Cow<str>>> = draw
            .indices
            .iter()
            .map(|&index| samples.texts(index))
            .collect::<Result<_>>()?;
        // Where in the flat list of all texts a sample's begin.
        let starts = texts.iter().scan(0, |next, texts| {
            let start = *next;
            *next += texts.len();
            Some(start)
        });
        let starts: Vec<usize> = starts.collect();
        let ids = self.ids(texts.iter().flatten().map(|text| &**text))?;
        let length = ids.iter().map(Vec::len).max().unwrap_or(1);
        let view = |view: usize| {
            let row = |(texts, start): (&Vec<Cow<str>>, &usize)| match texts.len() {
                1 if view < 2 => Ok(&ids[*start][..]),
                count if view < count => Ok(&ids[start + view][..]),
                count => Err(Error::Run(format!(
                    "view {} of a sample of {count} texts: hard negatives need a dataset of triplets",
                    view + 1
                ))),
            };
            let rows: Vec<&[i64]> = texts.iter().zip(&starts).map(row).collect::<Result<_>>()?;
            Ok(tokens.view(&rows, length))
        };
        (0..draw.views).map(view).collect()
    }

    fn evaluation(&self, samples: &dyn Samples, indices: &[usize], _stop: &Stop) -> Result<View> {
        let tokens = self.tokens()?;
        let first = |&index: &usize| Ok(samples.texts(index)?.into_iter().next().unwrap_or_default());
        let texts: Vec<Cow<str>> = indices.iter().map(first).collect::<Result<_>>()?;
        let ids = self.ids(texts.iter().map(|text| &**text))?;
        let length = ids.iter().map(Vec::len).max().unwrap_or(1);
        Ok(tokens.view(&ids.iter().map(Vec::as_slice).collect::<Vec<_>>(), length))
    }

    /// The tokens, as the tokenizer writes them.
    fn recipes(&self, samples: &dyn Samples, draw: &Draw) -> Result<Vec<Vec<Vec<String>>>> {
        let tokens = self.tokens()?;
        let of_sample = |index: &usize| {
            let views = self.random(
                samples,
                &Draw {
                    indices: &[*index],
                    ..*draw
                },
                &Stop::default(),
            )?;
            Ok(views.iter().map(|view| tokens.written(view)).collect())
        };
        draw.indices.iter().map(of_sample).collect()
    }

    /// The longest first, so that a batch has little padding.
    fn order(&self, samples: &dyn Samples) -> Vec<usize> {
        let length = |&index: &usize| {
            samples
                .texts(index)
                .map_or(0, |texts| texts.first().map_or(0, |text| text.len()))
        };
        let mut order: Vec<usize> = (0..samples.len()).collect();
        order.sort_by_cached_key(|index| std::cmp::Reverse(length(index)));
        order
    }

    fn lines(&self, lines: Vec<String>) -> Result<Arc<dyn Samples>> {
        Ok(Arc::new(Lines(lines)))
    }

    /// A tokenizer of the single letters.
    fn example(&self, folder: &Path) -> Result<fmicl_core::toml::Table> {
        let marks = ["[PAD]", "[UNK]", "[CLS]", "[SEP]"].map(String::from);
        let letters = ('a'..='z').flat_map(|letter| [letter.to_string(), format!("##{letter}")]);
        let vocabulary: serde_json::Map<_, _> = (marks.into_iter().chain(letters).enumerate())
            .map(|(id, word)| (word, id.into()))
            .collect();
        let special = |id: usize, content: &str| {
            serde_json::json!({"id": id, "content": content, "special": true, "single_word": false, "lstrip": false,
                "rstrip": false, "normalized": false})
        };
        let tokenizer = serde_json::json!({
            "version": "1.0",
            "added_tokens": [special(0, "[PAD]"), special(1, "[UNK]"), special(2, "[CLS]"), special(3, "[SEP]")],
            "normalizer": {"type": "BertNormalizer", "clean_text": true, "handle_chinese_chars": true,
                "strip_accents": null, "lowercase": true},
            "pre_tokenizer": {"type": "BertPreTokenizer"},
            "post_processor": {"type": "BertProcessing", "sep": ["[SEP]", 3], "cls": ["[CLS]", 2]},
            "decoder": null,
            "model": {"type": "WordPiece", "unk_token": "[UNK]", "continuing_subword_prefix": "##",
                "max_input_chars_per_word": 100, "vocab": vocabulary},
        });
        let path = folder.join("tokenizer.json");
        let written = std::fs::create_dir_all(folder).and_then(|()| std::fs::write(&path, tokenizer.to_string()));
        written.map_err(|error| Error::io(&path, error))?;
        let path = path.to_string_lossy().into_owned();
        Ok(fmicl_core::toml::Table::from_iter([(
            "tokenizer".to_string(),
            path.into(),
        )]))
    }
}

/// Texts that were given a line each.
struct Lines(Vec<String>);

impl Samples for Lines {
    fn len(&self) -> usize {
        self.0.len()
    }

    fn texts(&self, index: usize) -> Result<Vec<Cow<'_, str>>> {
        Ok(vec![Cow::Borrowed(&self.0[index])])
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use fmicl_core::Part;

    /// Samples of one, two or three texts.
    struct Given(Vec<Vec<&'static str>>);

    impl Samples for Given {
        fn len(&self) -> usize {
            self.0.len()
        }

        fn texts(&self, index: usize) -> Result<Vec<Cow<'_, str>>> {
            Ok(self.0[index].iter().map(|text| Cow::Borrowed(*text)).collect())
        }
    }

    fn text(folder: &Path, max_length: i64) -> Part<dyn Views> {
        let mut options = Text::default().example(folder).unwrap();
        options.insert("max_length".into(), max_length.into());
        Part::new("text", options).unwrap()
    }

    fn draw(indices: &[usize], views: usize) -> Draw<'_> {
        Draw {
            indices,
            views,
            seed: 0,
            epoch: 0,
        }
    }

    fn rows(view: &View) -> Vec<Vec<i64>> {
        Vec::try_from(&view.input).unwrap()
    }

    #[test]
    fn a_text_alone_is_its_own_positive_and_texts_that_belong_together_are_views() {
        let folder = tempfile::tempdir().unwrap();
        let views = text(folder.path(), 32);
        let alone = Given(vec![vec!["a b"], vec!["ab"]]);
        let found = views.random(&alone, &draw(&[1, 0], 2), &Stop::default()).unwrap();
        // [CLS] a ##b [SEP] and [CLS] a b [SEP].
        assert_eq!(rows(&found[0]), [[2, 4, 7, 3], [2, 4, 6, 3]]);
        assert_eq!(rows(&found[0]), rows(&found[1]));
        let triplets = Given(vec![vec!["a", "b", "c d"]]);
        let found = views.random(&triplets, &draw(&[0], 3), &Stop::default()).unwrap();
        assert_eq!(
            found.iter().flat_map(rows).collect::<Vec<_>>(),
            [[2, 4, 3, 0], [2, 6, 3, 0], [2, 8, 10, 3]]
        );
        let mask = found[0].mask.as_ref().unwrap();
        assert_eq!(Vec::<Vec<i64>>::try_from(mask).unwrap(), [[1, 1, 1, 0]]);
        let error = views
            .random(&alone, &draw(&[0], 3), &Stop::default())
            .unwrap_err()
            .to_string();
        assert_eq!(
            error,
            "view 3 of a sample of 1 texts: hard negatives need a dataset of triplets"
        );
    }

    #[test]
    fn long_texts_are_cut_off_and_an_empty_one_has_its_marks() {
        let folder = tempfile::tempdir().unwrap();
        let views = text(folder.path(), 5);
        let long = "x ".repeat(50_000);
        let samples = views.lines(vec![long, String::new()]).unwrap();
        let found = views.evaluation(&*samples, &[0, 1], &Stop::default()).unwrap();
        assert_eq!(found.input.size(), [2, 5]);
        assert_eq!(rows(&found)[1], [2, 3, 0, 0, 0]);
        assert_eq!(views.order(&*samples), [0, 1]);
        let input = views.input().unwrap();
        assert_eq!(
            input,
            Input::Tokens {
                vocabulary: 56,
                longest: 5
            }
        );
    }

    #[test]
    fn what_is_no_tokenizer_is_an_error_at_its_key() {
        let folder = tempfile::tempdir().unwrap();
        let error = |tokenizer: Option<&Path>| {
            let part = Text {
                tokenizer: tokenizer.map(Path::to_path_buf),
                ..Default::default()
            };
            part.input().unwrap_err().to_string()
        };
        assert_eq!(
            error(None),
            "tokenizer: is missing: name a tokenizer.json or the folder that has it"
        );
        assert!(error(Some(folder.path())).contains("tokenizer.json: there is no such file"));
        let broken = folder.path().join("broken.json");
        std::fs::write(&broken, "{\"version\": 3").unwrap();
        assert!(error(Some(&broken)).contains("broken.json: is not a tokenizer: "));
    }
}
