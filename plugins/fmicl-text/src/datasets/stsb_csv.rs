//! `stsb-csv`: the STS benchmark as CSV or TSV files.
//!
//! Source: Cer et al., "SemEval-2017 Task 1", arXiv 1708.00055; the files of `stsb_multi_mt`, without a header, and those of others.

use super::sentences::example;
use crate::paths::Paths;
use crate::pool::{Distinct, Pool};
use crate::scored::{self, Pair, WHAT};
use fmicl_core::{Dataset, Documented, Error, Modality, Portion, Result, Samples, Source, Split, register, toml};
use serde::{Deserialize, Serialize};
use std::borrow::Cow;
use std::path::Path;

/// Distinct sentences of CSV or TSV files with two sentences and a score per row. (The evaluation `sts` uses the
/// scores.)
///
/// A file has three columns, or a header with `sentence1`, `sentence2` and `score` among its names; with a column
/// `split` the rows of `train` are taken. A row without a sentence, or whose score is missing or not a number from 0 to
/// 5, is an error.
#[derive(Debug, Documented, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct StsbCsv {
    /// Path of the file, or a list of paths. Required.
    pub path: Paths,
}

register!(
    Dataset,
    "stsb-csv",
    StsbCsv,
    "the sentences of CSV files with two sentences and a score a row, as the STS benchmark"
);

impl Dataset for StsbCsv {
    fn open(&self, split: Split) -> Result<Box<dyn Samples>> {
        let mut sentences = Distinct::default();
        for path in self.path.of(split, WHAT)? {
            read(path, &mut sentences)?;
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

/// Adds the sentences of a file; of one with a column of splits those for training.
///
/// # Errors
/// As [`scored::read`], and a file with splits of which none is for training.
fn read(path: &Path, sentences: &mut Distinct) -> Result<()> {
    let pairs = scored::read(path)?.pairs;
    let all = pairs.len();
    let is_for_training = |pair: &Pair| matches!(pair.split, None | Some(scored::Split::Train));
    let pairs: Vec<_> = pairs.into_iter().filter(is_for_training).collect();
    let path = path.display();
    match pairs.len() {
        0 => {
            return Err(Error::data(
                path.to_string(),
                format!("has {all} rows, and none of the split train"),
            ));
        }
        taken if taken < all => tracing::info!("{path}: the {taken} of {all} rows of the split train"),
        _ => {}
    }
    for sentence in pairs.iter().flat_map(|pair| &pair.sentences) {
        sentences.index(sentence);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Vec<String>, String> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("x.csv");
        std::fs::write(&path, text).unwrap();
        let dataset = StsbCsv { path: (&*path).into() };
        let shown = format!("{}: ", path.display());
        let samples = dataset
            .open(Split::Pretrain)
            .map_err(|error| error.to_string().replace(&shown, ""))?;
        Ok((0..samples.len())
            .map(|index| samples.texts(index).unwrap()[0].to_string())
            .collect())
    }

    #[test]
    fn distinct_sentences_are_read_and_their_scores_checked() {
        let text = "A cat.,\"A \"\"big\"\" cat, black.\",4.75\r\n\nA cat.,A dog.,0";
        assert_eq!(read(text).unwrap(), ["A cat.", "A \"big\" cat, black.", "A dog."]);
        assert_eq!(read("a,b,1\nc,d,\n").unwrap_err(), "line 2: the score is missing");
    }

    #[test]
    fn of_a_file_with_splits_the_rows_for_training_are_taken() {
        let header = "split\tscore\tsentence1\tsentence2\n";
        let rows = "test\t1\ta\tb\ntrain\t2\tc\td\ndev\t3\te\tf\n";
        assert_eq!(read(&[header, rows].concat()).unwrap(), ["c", "d"]);
        let error = read(&[header, "test\t1\ta\tb\n"].concat()).unwrap_err();
        assert_eq!(error, "has 1 rows, and none of the split train");
    }
}
