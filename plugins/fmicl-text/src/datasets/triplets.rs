//! The dataset `triplets`: a sentence, its entailment and its contradiction.
//!
//! Source: supervised SimCSE (Gao et al., EMNLP 2021, arXiv 2104.08821), `nli_for_simcse.csv`.

mod columns;

use super::sentences::example;
use crate::paths::Paths;
use crate::pool::Pool;
use crate::table::Table;
use columns::Columns;
use fmicl_core::{Dataset, Documented, Error, Modality, Portion, Result, Samples, Source, Split, register, toml};
use serde::{Deserialize, Serialize};
use std::borrow::Cow;
use std::path::{Path, PathBuf};

/// CSV, TSV or JSONL files with three columns: a sentence, its entailment (the positive) and its contradiction (a hard negative); or the
/// first two alone. All files have the same number of them. Columns with usual names are found by them, whatever their order and whatever else there is.
///
/// The first row of two or three columns is a header, which the log shows, unless a field of it contains white space or ends like a sentence
/// and none is a usual column name: then it is a triplet.
///
/// A row without one of them is skipped, and the log counts such rows; SimCSE reads a space instead.
#[derive(Debug, Documented, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Triplets {
    /// Path of the file, or a list of paths. Required.
    pub path: Paths,
}

register!(
    Dataset,
    "triplets",
    Triplets,
    "CSV, TSV or JSONL files of sentence, positive and perhaps hard negative, as supervised SimCSE's"
);

pub(crate) const WHAT: &str = "a CSV, TSV or JSONL file with two or three columns: sentence, positive, hard negative";

impl Dataset for Triplets {
    fn open(&self, split: Split) -> Result<Box<dyn Samples>> {
        Ok(Box::new(read(self.path.of(split, WHAT)?, "path")?))
    }

    fn modality(&self) -> Modality {
        Modality::Texts
    }

    fn source(&self) -> Source {
        Source {
            looks_in: self.path.0.clone(),
            by_hand: "`path` says where the CSV files lie. SimCSE's, of SNLI and MNLI: \
                      https://huggingface.co/datasets/princeton-nlp/datasets-for-simcse/resolve/main/nli_for_simcse.csv"
                .into(),
            ..Source::default()
        }
    }

    fn example(&self, folder: &Path) -> Result<toml::Table> {
        let row = |n| format!("\"{n} men, all old, play.\",{n} people play.,{n} men sleep.\n");
        let rows: String = (0..20).map(row).collect();
        example(folder, "triplets.csv", &format!("sent0,sent1,hard_neg\n{rows}"))
    }
}

/// The rows of files, of which `option` names each.
///
/// # Errors
/// [`Error::Data`] with the line that is not as it should be.
pub(crate) fn read(paths: &[PathBuf], option: &str) -> Result<Rows> {
    let mut rows = Rows {
        pool: Pool::default(),
        width: 0,
    };
    for path in paths {
        rows.read(path, option)?;
    }
    Ok(rows)
}

/// The sentences of all rows, `width` of each.
pub(crate) struct Rows {
    pool: Pool,
    /// 0 before the first file.
    width: usize,
}

impl Rows {
    /// Adds a file's rows.
    fn read(&mut self, path: &Path, option: &str) -> Result<()> {
        let table = Table::open(path, &format!("`{option}` should name {WHAT}"))?;
        let (mut rows, before) = (table.rows(), self.pool.len());
        let empty = || Error::data(path, format!("has no row; it should be {WHAT}"));
        let first = rows.next().ok_or_else(empty)??;
        let columns = Columns::of(path, &first)?;
        let width = columns.taken.len();
        if self.width != 0 && self.width != width {
            return Err(first.error(format!("columns: {width}; the files before have {}", self.width)));
        }
        self.width = width;
        let first = (!columns.is_named).then_some(Ok(first));
        let (mut skipped, mut numbers) = (0, true);
        for row in first.into_iter().chain(rows) {
            let row = row?;
            if row.len() != columns.width {
                return Err(row.error(format!(
                    "{} fields where the first row has {}",
                    row.len(),
                    columns.width
                )));
            }
            let texts = || {
                columns
                    .taken
                    .iter()
                    .map(|field| row.fields().nth(*field).unwrap_or_default())
            };
            if texts().any(str::is_empty) {
                skipped += 1;
                continue;
            }
            numbers &= width == 3 && texts().nth(2).is_some_and(|field| field.parse::<f64>().is_ok());
            for field in &columns.taken {
                self.pool.push(row.sentence(*field)?);
            }
        }
        if skipped > 0 {
            tracing::warn!("{}: {skipped} rows without a sentence are skipped", path.display());
        }
        if self.pool.len() == before {
            return Err(empty());
        }
        if numbers {
            let message =
                "has a number in the third column of every row: pairs with scores are of the dataset stsb-csv";
            return Err(Error::data(path, message));
        }
        Ok(())
    }
}

impl Samples for Rows {
    fn len(&self) -> usize {
        self.pool.len() / self.width
    }

    fn portions(&self) -> Vec<Portion> {
        vec![self.pool.portion(self.len())]
    }

    fn texts(&self, index: usize) -> Result<Vec<Cow<'_, str>>> {
        let texts = (0..self.width).map(|field| self.pool.get(index * self.width + field).into());
        Ok(texts.collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn open(files: &[&str]) -> Result<Vec<Vec<String>>, String> {
        let folder = tempfile::tempdir().unwrap();
        let write = |(name, text): (usize, &&str)| {
            let path = folder.path().join(format!("{name}.csv"));
            std::fs::write(&path, text).unwrap();
            path
        };
        let path = Paths(files.iter().enumerate().map(write).collect());
        let samples = Triplets { path }.open(Split::Pretrain);
        let shown = format!("{}/", folder.path().display());
        let samples = samples.map_err(|error| error.to_string().replace(&shown, ""))?;
        let row = |index| samples.texts(index).unwrap().into_iter().map(Cow::into_owned).collect();
        Ok((0..samples.len()).map(row).collect())
    }

    #[test]
    fn a_row_is_two_or_three_sentences() {
        let three = open(&["sent0,sent1,hard_neg\na,\"b, c\",d\n", "x,y,z\np,q,r\n"]).unwrap();
        assert_eq!(three, [["a", "b, c", "d"], ["p", "q", "r"]]);
        assert_eq!(open(&["sent0,sent1\na,b\nc,d"]).unwrap(), [["a", "b"], ["c", "d"]]);
    }

    #[test]
    fn a_first_row_of_sentences_is_a_triplet_and_one_of_names_a_header() {
        let row = "p,q,r\n";
        for first in [
            "A dog runs,Dogs,Cats",
            "Yes.,Sure,No",
            "\"Left, right\",b,c",
            "狗跑。,狗,猫",
        ] {
            let rows = open(&[&format!("{first}\n{row}")]).unwrap();
            assert_eq!(
                (rows.len(), &*rows[1]),
                (2, &["p", "q", "r"].map(String::from)[..]),
                "{first}"
            );
        }
        for first in [
            "sent0,sent1,hard_neg",
            "Anchor,Positive,Hard negative",
            "Sentence 1,Sentence 2,Of a cat",
            "s,t,u",
        ] {
            assert_eq!(
                open(&[&format!("{first}\n{row}")]).unwrap(),
                [["p", "q", "r"]],
                "{first}"
            );
        }
        let scores = open(&["A dog runs.,A cat.,3.8\nc,d,0\n"]).unwrap_err();
        assert!(
            scores.ends_with("pairs with scores are of the dataset stsb-csv"),
            "{scores}"
        );
    }

    #[test]
    fn columns_are_found_by_name_in_objects_and_among_many() {
        for text in [
            "{\"id\": 1, \"Positive\": \"b\", \"anchor\": \"a\", \"negative\": \"c\"}\n\
             {\"id\": 2, \"Positive\": \"q\", \"anchor\": \"p\", \"negative\": \"r\"}\n",
            "id;negative;Positive;anchor\n1;c;b;a\n2;r;q;p\n",
            "negative,anchor,positive\nc,a,b\nr,p,q\n",
            "[\"a\", \"b\", \"c\"]\n[\"p\", \"q\", \"r\"]\n",
        ] {
            assert_eq!(open(&[text]).unwrap(), [["a", "b", "c"], ["p", "q", "r"]], "{text}");
        }
        let simcse = open(&["{\"sent0\": \"a\", \"sent1\": \"b\"}\n"]).unwrap();
        assert_eq!(simcse, [["a", "b"]]);
        for text in ["id,question,answer\n7,a,b\n", "answer,question\nb,a\n"] {
            assert_eq!(open(&[text]).unwrap(), [["a", "b"]], "{text}");
        }
        let other = open(&["question,answer,wrong\na,b,c\n"]).unwrap();
        assert_eq!(other, [["a", "b", "c"]]);
    }

    /// `train.py` of SimCSE, by way of pandas.
    #[test]
    fn the_file_of_simcse_is_read_as_simcse_reads_it() {
        let rows = open(&["sent0,sent1,hard_neg\r\n\
            \"Yes, he said \"\"no\"\".\",He said: no.,\"Two\nlines, one field.\"\r\n\
            None,n/a,caf\u{e9}\r\n\r\n\
            left, ,out\r\n"]);
        let expected = [
            ["Yes, he said \"no\".", "He said: no.", "Two\nlines, one field."],
            ["None", "n/a", "caf\u{e9}"],
        ];
        assert_eq!(rows.unwrap(), expected);
    }

    #[test]
    fn what_is_wrong_is_said_with_its_line() {
        let error = |files: &[&str]| open(files).err().unwrap();
        assert_eq!(
            error(&["a,b,c\nd,e\n"]),
            "0.csv: line 2: 2 fields where the first row has 3"
        );
        let wanted = "wanted are two or three, or a header with sentence1 (or sent0, ";
        for (text, found) in [
            ("a\nb\n", "a"),
            ("a,b,c,d\n", "a, b, c, d"),
            ("{\"id\": 1, \"text\": \"a\"}\n", "id, text"),
        ] {
            let error = error(&[text]);
            assert!(
                error.starts_with(&format!("0.csv: line 1: has the columns {found}; {wanted}")),
                "{error}"
            );
        }
        let expected = "1.csv: line 1: columns: 2; the files before have 3";
        assert_eq!(error(&["a,b,c\np,q,r\n", "a,b\np,q\n"]), expected);
        let scores = error(&["s,t,score\na,b,3.8\nc,d,0\n"]);
        assert!(
            scores.ends_with("pairs with scores are of the dataset stsb-csv"),
            "{scores}"
        );
        assert!(
            error(&["sent0,sent1,hard_neg\n"]).starts_with("0.csv: has no row; it should be a CSV, TSV or JSONL file")
        );
    }
}
