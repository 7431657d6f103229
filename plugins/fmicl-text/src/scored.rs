//! Files of pairs of sentences with a score each, in the layouts that people have.
//!
//! | file | columns |
//! |---|---|
//! | with a header, separated by tabs, commas, semicolons or bars, or objects of JSON | by their names, whatever else there is |
//! | without one, seven columns and more, by tabs | the STS benchmark's own: score the fifth, sentences the sixth and seventh |
//! | without one, three columns | both sentences and the score |

mod columns;

use crate::table::{Row, Table};
use columns::{Columns, header, without_header};
use fmicl_core::{Error, Result};
use std::path::Path;

pub(crate) const WHAT: &str = "a CSV, TSV or JSONL file with two sentences and a score a row";

/// The largest score.
const MOST: f64 = 5.0;

/// A split of the STS benchmark, where a file has several.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Split {
    Train,
    Dev,
    Test,
}

/// Two sentences and how alike people found them, from 0 to 5.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Pair {
    pub sentences: [String; 2],
    pub score: f64,
    /// Nothing where the file has no such column.
    pub split: Option<Split>,
}

/// The pairs of a file.
#[derive(Debug)]
pub(crate) struct Scored {
    pub pairs: Vec<Pair>,
    /// `true` if its scores were from 0 to 1; those of `pairs` are multiplied by 5.
    pub is_of_one: bool,
}

impl Scored {
    /// `true` if its rows name their split.
    pub fn has_splits(&self) -> bool {
        self.pairs.iter().any(|pair| pair.split.is_some())
    }
}

/// Reads a file, gzipped or not.
///
/// # Errors
/// [`Error::Data`] with the columns that are wanted, or with the line of a row that is not as it should be.
pub(crate) fn read(path: &Path) -> Result<Scored> {
    let table = Table::open(path, &format!("it should be {WHAT}"))?;
    let mut rows = table.rows().peekable();
    let first = match rows.peek() {
        None => return Err(Error::data(path, format!("has no row; it should be {WHAT}"))),
        // The error comes again below.
        Some(Err(_)) => None,
        Some(Ok(first)) => Some(first),
    };
    let header = first.map(header).transpose()?.flatten();
    let columns = match (header, first) {
        (Some(columns), _) => {
            rows.next();
            columns
        }
        (None, Some(first)) => without_header(first)?,
        (None, None) => Columns::three(),
    };
    let mut pairs = rows.map(|row| pair(&row?, &columns)).collect::<Result<Vec<_>>>()?;
    if pairs.is_empty() {
        return Err(Error::data(path, format!("has no row; it should be {WHAT}")));
    }
    let is_of_one = pairs.iter().all(|pair| pair.score <= 1.0) && pairs.iter().any(|pair| pair.score > 0.0);
    if is_of_one {
        pairs.iter_mut().for_each(|pair| pair.score *= MOST);
    }
    Ok(Scored { pairs, is_of_one })
}

fn pair(row: &Row, columns: &Columns) -> Result<Pair> {
    let fits = match columns.width {
        Ok(width) => row.len() == width,
        Err(least) => row.len() >= least,
    };
    if !fits {
        let width = columns.width.unwrap_or_else(|least| least);
        return Err(row.error(format!(
            "{} fields where {width} are expected: two sentences and a score",
            row.len()
        )));
    }
    let sentence = |field| {
        let text = row.sentence(field)?;
        // As SentEval gives the benchmark's own files to an encoder.
        Ok::<_, Error>(match columns.width {
            Ok(_) => text.to_string(),
            Err(_) => text.split_whitespace().collect::<Vec<_>>().join(" "),
        })
    };
    let split = columns.split.map(|column| row.fields().nth(column).unwrap_or_default());
    let split = split.map(|name| match name.to_lowercase().as_str() {
        "train" => Ok(Split::Train),
        "dev" | "val" | "valid" | "validation" => Ok(Split::Dev),
        "test" => Ok(Split::Test),
        _ => Err(row.error(format!("the split `{name}` is not one of train, dev, test"))),
    });
    Ok(Pair {
        sentences: [sentence(columns.sentences[0])?, sentence(columns.sentences[1])?],
        score: row.score(columns.score)?,
        split: split.transpose()?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::files::tests::gzip;

    fn open(bytes: impl AsRef<[u8]>) -> Result<Scored, String> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("x");
        std::fs::write(&path, bytes).unwrap();
        let shown = format!("{}: ", path.display());
        read(&path).map_err(|error| error.to_string().replace(&shown, ""))
    }

    fn rows(bytes: impl AsRef<[u8]>) -> Vec<(String, String, f64)> {
        let pairs = open(bytes).unwrap().pairs.into_iter();
        pairs
            .map(
                |Pair {
                     sentences: [one, two],
                     score,
                     ..
                 }| (one, two, score),
            )
            .collect()
    }

    fn row(one: &str, two: &str, score: f64) -> (String, String, f64) {
        (one.into(), two.into(), score)
    }

    #[test]
    fn a_header_says_where_the_columns_are_in_any_case_and_with_tabs_or_commas() {
        let expected = [row("A b.", "C \"d\".", 4.5), row("E, f.", "G", 1.25)];
        for text in [
            "sentence1,sentence2,score\nA b.,\"C \"\"d\"\".\",4.5\n\"E, f.\",G,1.25\n",
            "sentence1;sentence2;score\nA b.;\"C \"\"d\"\".\";4.5\nE, f.;G;1.25\n",
            "{\"sentence1\": \"A b.\", \"sentence2\": \"C \\\"d\\\".\", \"score\": 4.5}\n\
             {\"score\": 1.25, \"sentence1\": \"E, f.\", \"sentence2\": \"G\"}\n",
            "id,Score,Sentence1,SENTENCE2\n7,4.5,A b.,\"C \"\"d\"\".\"\n8,1.25,\"E, f.\",G\n",
            "\u{feff}sentence1\tsentence2\tlabel\r\nA b.\tC \"d\".\t4.5\r\nE, f.\tG\t1.25\r\n",
            "pair_ID\tsentence_A\tsentence_B\trelatedness_score\n1\tA b.\tC \"d\".\t4.5\n2\tE, f.\tG\t1.25\n",
            // GLUE's dev.tsv.
            "index\tgenre\tfilename\tyear\told_index\tsource1\tsource2\tsentence1\tsentence2\tscore\n\
             0\tm\tM\t2012\t0\tn\tn\tA b.\tC \"d\".\t4.5\n1\tm\tM\t2012\t4\tn\tn\tE, f.\tG\t1.25\n",
        ] {
            assert_eq!(rows(text), expected, "{text}");
            assert_eq!(rows(gzip(text.as_bytes())), expected);
        }
    }

    #[test]
    fn files_without_a_header_have_three_columns_or_the_benchmarks() {
        assert_eq!(rows("a,\"b, c\",2\n"), [row("a", "b, c", 2.0)]);
        assert_eq!(rows("a\tb, \"c\t2\n"), [row("a", "b, \"c", 2.0)]);
        let text = "news\tMSR\t2012\t0001\t2.500\t\"A  b\tc\"\thttp://x\ty \nnews\tMSR\t2012\t2\t5\td\te\n";
        assert_eq!(rows(text), [row("\"A b", "c\"", 2.5), row("d", "e", 5.0)]);
    }

    /// `stsbenchmark.tsv.gz`, as sentence-transformers has it.
    #[test]
    fn a_column_of_splits_is_read() {
        let text = "split\tgenre\tdataset\tyear\tsid\tscore\tsentence1\tsentence2\n\
                    train\tg\td\t2012\t1\t5.0\ta\tb\ndev\tg\td\t2012\t1\t2\tc\t\"d\ntest\tg\td\t2012\t1\t0.5\te\tf\n";
        let scored = open(gzip(text.as_bytes())).unwrap();
        let splits: Vec<_> = scored.pairs.iter().map(|pair| pair.split).collect();
        assert_eq!(splits, [Some(Split::Train), Some(Split::Dev), Some(Split::Test)]);
        assert!(scored.has_splits() && !scored.is_of_one);
        let error = open("split,sentence1,sentence2,score\nother,a,b,1\n").unwrap_err();
        assert_eq!(error, "line 2: the split `other` is not one of train, dev, test");
    }

    #[test]
    fn scores_of_0_to_1_are_taken_five_times() {
        let scored = open("sentence1,sentence2,score\na,b,0.9\nc,d,1.0\ne,f,0\n").unwrap();
        let scores: Vec<_> = scored.pairs.iter().map(|pair| pair.score).collect();
        assert_eq!((scores, scored.is_of_one), (vec![4.5, 5.0, 0.0], true));
        assert!(!open("a,b,0.9\nc,d,1.1\n").unwrap().is_of_one);
        assert!(!open("a,b,0\nc,d,0\n").unwrap().is_of_one);
    }

    #[test]
    fn what_is_wrong_names_the_columns_that_are_wanted_or_the_line() {
        let error = |text: &[u8]| open(text).err().unwrap();
        let wanted = "wanted is a header with sentence1, sentence2 and score (or label, similarity, similarity_score, \
                      relatedness_score, gold), or three columns in this order";
        for (text, found) in [
            ("one,two,how alike\na,b,1\n", "one, two, how alike"),
            ("sentence1,score\na,1\n", "sentence1, score"),
            ("a,b\nc,d\n", "a, b"),
        ] {
            assert_eq!(
                error(text.as_bytes()),
                format!("line 1: has the columns {found}; {wanted}")
            );
        }
        // GLUE's test.tsv.
        let hidden = "index\tsentence1\tsentence2\n0\ta\tb\n";
        assert_eq!(
            error(hidden.as_bytes()),
            "line 1: has the columns index, sentence1, sentence2, and no scores: those of GLUE's test split are hidden, so take dev.tsv"
        );
        assert_eq!(error(b"a,b,1\nc,d,\n"), "line 2: the score is missing");
        let range = "is not a number from 0 to 5 (or, in all rows, from 0 to 1)";
        assert_eq!(error(b"a,b,1\n\nc,d,6\n"), format!("line 3: the score `6` {range}"));
        assert_eq!(error(b"a,b,nan\n"), format!("line 1: the score `nan` {range}"));
        let expected = "line 2: 2 fields where 3 are expected: two sentences and a score";
        assert_eq!(error(b"a,b,1\nc,d\n"), expected);
        assert_eq!(error(b"a,b,1\n, d,2\n"), "line 2: column 1 has no sentence");
        assert!(error(b"a,b,1\ncaf\xe9,d,2\n").starts_with("line 2 is not UTF-8"));
        assert!(error(b"\n").starts_with("has no row; it should be a CSV, TSV or JSONL file"));
        assert!(error(b"sentence1,sentence2,score\n").starts_with("has no row"));
    }
}
