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
/// A row without one of them is left out, and such rows are counted; SimCSE reads a space instead.
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
        notes: vec![],
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
    notes: Vec<String>,
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
        let (mut left_out, mut without_third, mut numbers) = (0, 0, true);
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
                left_out += 1;
                without_third += usize::from(!texts().take(2).any(str::is_empty));
                continue;
            }
            numbers &= width == 3 && texts().nth(2).is_some_and(|field| field.parse::<f64>().is_ok());
            for field in &columns.taken {
                self.pool.push(row.sentence(*field)?);
            }
        }
        if left_out > 0 {
            let path = path.display();
            let alone = match without_third {
                0 => String::new(),
                count => format!(", {count} of them without their hard negative alone"),
            };
            self.notes.push(format!(
                "{path}: {left_out} rows without a sentence are left out{alone}"
            ));
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

    fn notes(&self) -> Vec<String> {
        self.notes.clone()
    }

    fn texts(&self, index: usize) -> Result<Vec<Cow<'_, str>>> {
        let texts = (0..self.width).map(|field| self.pool.get(index * self.width + field).into());
        Ok(texts.collect())
    }
}

#[cfg(test)]
mod tests;
