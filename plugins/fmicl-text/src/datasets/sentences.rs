//! `sentences`: text files with a sentence a line.
//!
//! Source: the Wikipedia sentences of SimCSE (Gao et al., EMNLP 2021, arXiv 2104.08821), `wiki1m_for_simcse.txt`.

use crate::corpus::{Corpus, Format};
use crate::paths::Paths;
use fmicl_core::{
    Dataset, Documented, Error, Modality, Portion, Result, Samples, Source, Split, register, require, toml,
};
use serde::{Deserialize, Serialize};
use std::borrow::Cow;
use std::path::Path;

/// Sentences of plain or gzipped text in UTF-8, read on demand: four bytes per sentence are held in memory, and the
/// unpacked content of gzipped files.
///
/// Empty lines are skipped, and the log says how many. A line of up to 1 MiB is a sentence; the tokenizer truncates it.
/// A longer line, invalid UTF-8, and a file without any sentence are errors. White space around a sentence and a byte
/// order mark are dropped. A plain file must not be changed while it is read.
#[derive(Debug, Documented, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Sentences {
    /// Path of the file, or a list of paths. Required.
    pub path: Paths,
    /// Content of a line: a sentence (`lines`), a paragraph of WikiText (`wikitext`), or JSON (`jsonl`).
    pub format: Format,
    /// Name of the member that has the sentence in an object of `jsonl`; by default `text` or `sentence`.
    pub column: String,
}

register!(
    Dataset,
    "sentences",
    Sentences,
    "text with a sentence a line, gzipped or not; WikiText's paragraphs, or JSON lines"
);

const WHAT: &str = "a text file with a sentence a line";
const HINT: &str = "`path` should name a text file with a sentence a line, gzipped or not";

impl Dataset for Sentences {
    fn validate(&self) -> Result<()> {
        require(self.column.is_empty() || self.format == Format::Jsonl, "column", || {
            "is of `format = \"jsonl\"` alone; leave it out".into()
        })
    }

    fn open(&self, split: Split) -> Result<Box<dyn Samples>> {
        let paths = self.path.of(split, WHAT)?;
        let open = |path| Corpus::open(path, self.format, &self.column, HINT);
        let files: Vec<_> = paths.iter().map(|path| open(path)).collect::<Result<_>>()?;
        if let Some(file) = files
            .iter()
            .find(|file| self.format == Format::Lines && begins_as_wikitext(file))
        {
            tracing::warn!(
                "{}: begins with a heading of WikiText; format = \"wikitext\" leaves headings out and divides paragraphs",
                file.path().display()
            );
        }
        for path in paths
            .iter()
            .filter(|path| self.format == Format::Lines && is_named_table(path))
        {
            tracing::warn!(
                "{}: each line is read as a sentence, with its separators and its header; the dataset triplets reads the columns of pairs",
                path.display()
            );
        }
        if let Some(file) = files
            .iter()
            .find(|file| self.format == Format::Lines && begins_as_json(file))
        {
            let message = "begins with an object of JSON; format = \"jsonl\" reads the sentence in it";
            return Err(Error::data(file.path(), message));
        }
        for file in files.iter().filter(|file| file.empty() > 0) {
            let (path, sentences, empty) = (file.path().display(), file.len(), file.empty());
            let found = format!("{path}: {sentences} sentences; {empty} lines without one are skipped");
            match self.format {
                Format::Lines | Format::Jsonl => tracing::warn!("{found}"),
                // Headings, and the lines around them, are many in any such file.
                Format::Wikitext => tracing::info!("{found}"),
            }
        }
        Ok(Box::new(Corpora::new(files)))
    }

    fn modality(&self) -> Modality {
        Modality::Texts
    }

    fn source(&self) -> Source {
        Source {
            looks_in: self.path.0.clone(),
            by_hand: "the text is your own: `path` says where it lies. A million sentences of English Wikipedia, as SimCSE \
                      takes: https://huggingface.co/datasets/princeton-nlp/datasets-for-simcse/resolve/main/wiki1m_for_simcse.txt"
                .into(),
            ..Source::default()
        }
    }

    fn example(&self, folder: &Path) -> Result<toml::Table> {
        let lines = (0..20).map(|n| format!("In {} there were {n} houses and {} trees.\n", 1900 + n, n * n));
        example(folder, "sentences.txt", &lines.collect::<String>())
    }
}

fn begins_as_wikitext(file: &Corpus) -> bool {
    file.get(0).is_ok_and(|first| Format::Wikitext.is_heading(&first))
}

fn is_named_table(path: &Path) -> bool {
    let extension = path.extension().unwrap_or_default();
    ["csv", "tsv"].iter().any(|known| extension.eq_ignore_ascii_case(known))
}

fn begins_as_json(file: &Corpus) -> bool {
    let is_object = |first: String| serde_json::from_str::<serde_json::Map<_, _>>(&first).is_ok();
    file.get(0).is_ok_and(is_object)
}

/// Writes a file, and returns the option that names it.
pub(super) fn example(folder: &Path, name: &str, text: &str) -> Result<toml::Table> {
    let path = folder.join(name);
    std::fs::create_dir_all(folder).map_err(|error| Error::io(folder, error))?;
    std::fs::write(&path, text).map_err(|error| Error::io(&path, error))?;
    let path = path.to_string_lossy().into_owned();
    Ok(toml::Table::from_iter([("path".to_string(), path.into())]))
}

/// The sentences of several files, one after the other.
struct Corpora {
    files: Vec<Corpus>,
    /// Cumulative number of sentences at the end of each file.
    ends: Vec<usize>,
}

impl Corpora {
    fn new(files: Vec<Corpus>) -> Self {
        let add = |sum: &mut usize, file: &Corpus| {
            *sum += file.len();
            Some(*sum)
        };
        let ends = files.iter().scan(0, add).collect();
        Corpora { files, ends }
    }
}

impl Samples for Corpora {
    fn len(&self) -> usize {
        self.ends.last().copied().unwrap_or(0)
    }

    fn portions(&self) -> Vec<Portion> {
        let is_one = self.files.len() == 1;
        let numbered = (1..).zip(&self.files);
        numbered
            .map(|(number, file)| file.portion((!is_one).then_some(number)))
            .collect()
    }

    fn texts(&self, index: usize) -> Result<Vec<Cow<'_, str>>> {
        let file = self.ends.partition_point(|&end| end <= index);
        let before = if file == 0 { 0 } else { self.ends[file - 1] };
        Ok(vec![self.files[file].get(index - before)?.into()])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn objects_of_json_are_no_sentences_unless_the_format_says_so() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("x.jsonl");
        std::fs::write(&path, "{\"text\": \"One.\", \"de\": \"Eins.\"}\n").unwrap();
        let open = |format, column: &str| {
            let path = Paths(vec![path.clone()]);
            let dataset = Sentences {
                path,
                format,
                column: column.into(),
            };
            dataset.validate()?;
            let samples = dataset.open(Split::Pretrain)?;
            Ok::<_, Error>(samples.texts(0)?[0].to_string())
        };
        let error = open(Format::Lines, "").unwrap_err().to_string();
        assert!(
            error.ends_with("begins with an object of JSON; format = \"jsonl\" reads the sentence in it"),
            "{error}"
        );
        assert_eq!(open(Format::Jsonl, "").unwrap(), "One.");
        assert_eq!(open(Format::Jsonl, "de").unwrap(), "Eins.");
        let error = open(Format::Wikitext, "de").unwrap_err().to_string();
        assert_eq!(error, "column: is of `format = \"jsonl\"` alone; leave it out");
    }

    #[test]
    fn files_follow_one_another() {
        let folder = tempfile::tempdir().unwrap();
        let write = |name: &str, text: &str| {
            let path = folder.path().join(name);
            std::fs::write(&path, text).unwrap();
            path
        };
        let path = Paths(vec![
            write("a", "one\n\ntwo\n"),
            write("b", "three"),
            write("c", "four\nfive"),
        ]);
        let dataset = Sentences {
            path,
            ..Default::default()
        };
        let samples = dataset.open(Split::Pretrain).unwrap();
        let texts: Vec<_> = (0..samples.len())
            .flat_map(|index| samples.texts(index).unwrap())
            .collect();
        assert_eq!(texts, ["one", "two", "three", "four", "five"]);
    }

    #[test]
    fn portions_are_named_alike_wherever_the_files_lie_and_differ() {
        let names = |files: &[&str]| {
            let folder = tempfile::tempdir().unwrap();
            let write = |name: &&str| {
                let path = folder.path().join(name);
                std::fs::create_dir_all(path.parent().unwrap()).unwrap();
                std::fs::write(&path, "one\ntwo\n").unwrap();
                path
            };
            let path = Paths(files.iter().map(write).collect());
            let dataset = Sentences {
                path,
                ..Default::default()
            };
            let portions = dataset.open(Split::Pretrain).unwrap().portions();
            portions.into_iter().map(|portion| portion.name).collect::<Vec<_>>()
        };
        assert_eq!(names(&["a.txt"]), ["a.txt"]);
        assert_eq!(names(&["en/a.txt", "de/a.txt"]), ["1:a.txt", "2:a.txt"]);
    }

    #[test]
    fn a_heading_of_wikitext_is_known_at_the_start() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a");
        for (text, expected) in [
            (" \n = Homarus gammarus = \n \n One . Two . \n", true),
            ("= 1\n", false),
        ] {
            std::fs::write(&path, text).unwrap();
            let file = Corpus::open(&path, Format::Lines, "", HINT).unwrap();
            assert_eq!(begins_as_wikitext(&file), expected);
        }
    }

    #[test]
    fn there_is_pretraining_alone_and_a_path_must_be_given() {
        let error = |dataset: &Sentences, split| dataset.open(split).map(|_| ()).unwrap_err().to_string();
        let dataset = Sentences::default();
        let expected = "path: is missing: set it to a text file with a sentence a line";
        assert_eq!(error(&dataset, Split::Pretrain), expected);
        let dataset = Sentences {
            path: Path::new("a").into(),
            ..dataset
        };
        let expected = "a: has sentences without labels: only pre-training is possible";
        assert_eq!(error(&dataset, Split::Test), expected);
        let expected =
            "a: there is no such file; `path` should name a text file with a sentence a line, gzipped or not";
        assert_eq!(error(&dataset, Split::Pretrain), expected);
    }
}
