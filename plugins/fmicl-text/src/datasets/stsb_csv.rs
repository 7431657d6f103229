//! `stsb-csv`: the STS benchmark as CSV files.
//!
//! Source: Cer et al., "SemEval-2017 Task 1", arXiv 1708.00055; the files of `stsb_multi_mt`, without a header.

use super::sentences::example;
use crate::evaluations::Pairs;
use crate::paths::Paths;
use crate::pool::{Distinct, Pool};
use crate::table::Table;
use fmicl_core::{Dataset, Error, Modality, Portion, Result, Samples, Source, Split, register, toml};
use serde::{Deserialize, Serialize};
use std::borrow::Cow;
use std::path::Path;

/// The distinct sentences of CSV files with two sentences and a score a row; what the scores are for is the evaluation
/// `sts`.
///
/// A file has three columns, or a header with `sentence1`, `sentence2` and `score` among its names. A row without a
/// sentence, or with a score that is missing or no number from 0 to 5, is an error.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct StsbCsv {
    /// The file, or a list of files.
    pub path: Paths,
}

register!(
    Dataset,
    "stsb-csv",
    StsbCsv,
    "the sentences of CSV files with two sentences and a score a row, as the STS benchmark"
);

const WHAT: &str = "a CSV file with two sentences and a score a row";
const NAMES: [&str; 3] = ["sentence1", "sentence2", "score"];

impl Dataset for StsbCsv {
    fn open(&self, split: Split) -> Result<Box<dyn Samples>> {
        let mut sentences = Distinct::default();
        for path in self.path.of(split, WHAT)? {
            read_stsb(path, &mut sentences)?;
        }
        Ok(Box::new(sentences.into_pool()))
    }

    fn modality(&self) -> Modality {
        Modality::Texts
    }

    fn source(&self) -> Source {
        Source {
            looks_in: self.path.0.clone(),
            page: "https://ixa2.si.ehu.eus/stswiki/index.php/STSbenchmark".into(),
            by_hand: "`path` says where the CSV files lie, such as those of https://github.com/PhilipMay/stsb-multi-mt"
                .into(),
            ..Source::default()
        }
    }

    fn example(&self, folder: &Path) -> Result<toml::Table> {
        let rows = (0..10).map(|n| format!("\"Dog {n}, a brown one, runs.\",A dog of {n} years sleeps.,{}\n", n % 6));
        example(folder, "stsb.csv", &rows.collect::<String>())
    }
}

impl Samples for Pool {
    fn len(&self) -> usize {
        Pool::len(self)
    }

    fn portions(&self) -> Vec<Portion> {
        vec![self.portion(Samples::len(self))]
    }

    fn texts(&self, index: usize) -> Result<Vec<Cow<'_, str>>> {
        Ok(vec![self.get(index).into()])
    }
}

/// The pairs of a file, whose sentences are added to `sentences`.
///
/// # Errors
/// [`Error::Data`] with the line of a row that is not as it should be.
pub(crate) fn read_stsb(path: &Path, sentences: &mut Distinct) -> Result<Pairs> {
    let table = Table::open(path, &format!("it should be {WHAT}"))?;
    let (mut pairs, mut columns, mut width) = (Pairs::default(), [0, 1, 2], 3);
    for (index, row) in table.rows().enumerate() {
        let row = row?;
        if index == 0 {
            let column = |name| row.fields().position(|field| field == name);
            if let [Some(one), Some(two), Some(score)] = NAMES.map(column) {
                (columns, width) = ([one, two, score], row.len());
                continue;
            }
        }
        if row.len() != width {
            return Err(row.error(format!(
                "{} fields where {width} are expected: two sentences and a score",
                row.len()
            )));
        }
        let [one, two, score] = columns;
        let (one, two, score) = (row.sentence(one)?, row.sentence(two)?, row.score(score)?);
        pairs.push(sentences.index(one), sentences.index(two), score);
    }
    match pairs.len() {
        0 => Err(Error::data(path, format!("has no row; it should be {WHAT}"))),
        _ => Ok(pairs),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &[u8]) -> Result<(Pairs, Pool), String> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("x.csv");
        std::fs::write(&path, text).unwrap();
        let mut sentences = Distinct::default();
        let shown = format!("{}: ", path.display());
        let pairs = read_stsb(&path, &mut sentences).map_err(|error| error.to_string().replace(&shown, ""))?;
        Ok((pairs, sentences.into_pool()))
    }

    #[test]
    fn quoted_sentences_and_scores_are_read() {
        let text = "A cat.,\"A \"\"big\"\" cat, black.\",4.75\r\n\nA cat.,A dog.,0";
        let (pairs, pool) = read(text.as_bytes()).unwrap();
        assert_eq!(pairs.iter().collect::<Vec<_>>(), [(0, 1, 4.75), (0, 2, 0.0)]);
        assert_eq!(
            [0, 1, 2].map(|index| pool.get(index)),
            ["A cat.", "A \"big\" cat, black.", "A dog."]
        );
    }

    #[test]
    fn a_header_says_where_the_columns_are() {
        let (pairs, pool) = read(b"\xef\xbb\xbfid,score,sentence1,sentence2\n7,2.5,a,b\n").unwrap();
        assert_eq!((pairs.iter().collect::<Vec<_>>(), pool.len()), (vec![(0, 1, 2.5)], 2));
    }

    #[test]
    fn what_is_wrong_is_said_with_its_line() {
        let error = |text: &[u8]| read(text).err().unwrap();
        assert_eq!(error(b"a,b,1\nc,d,\n"), "line 2: the score is missing");
        assert_eq!(
            error(b"a,b,1\n\nc,d,6\n"),
            "line 3: the score `6` is no number from 0 to 5"
        );
        assert_eq!(error(b"a,b,nan\n"), "line 1: the score `nan` is no number from 0 to 5");
        let expected = "line 2: 2 fields where 3 are expected: two sentences and a score";
        assert_eq!(error(b"a,b,1\nc,d\n"), expected);
        assert_eq!(error(b"a,b,1\n, d,2\n"), "line 2: column 1 has no sentence");
        assert!(error(b"a,b,1\ncaf\xe9,d,2\n").starts_with("line 2 is not UTF-8"));
        assert!(error(b"\n").starts_with("has no row; it should be a CSV file"));
    }
}
