//! STS12 to STS16, the STS benchmark and SICK-R as SentEval lays them out.
//!
//! Source: SentEval (Conneau and Kiela, LREC 2018, arXiv 1803.05449) as SimCSE uses it: `SentEval/senteval/sts.py`.

use super::pairs::Pairs;
use crate::files::{self, Bytes};
use crate::pool::Distinct;
use crate::table::score;
use fmicl_core::{Error, Result};
use std::path::{Path, PathBuf};

/// One of the seven tasks that SimCSE averages over.
pub(super) struct Task {
    /// As in SimCSE's tables.
    pub name: &'static str,
    /// Below the folder `downstream`.
    pub folder: &'static str,
    files: Files,
}

enum Files {
    /// `STS.input.X.txt` and `STS.gs.X.txt` for each of these.
    Subsets(&'static [&'static str]),
    /// The file of the test split, its columns, and how many lines its header has.
    Table(&'static str, Columns, usize),
}

/// Where a row, separated by tabs, has its sentences and its score, from 0.
struct Columns {
    sentences: [usize; 2],
    score: usize,
}

const STSB: Columns = Columns {
    sentences: [5, 6],
    score: 4,
};
const SICK: Columns = Columns {
    sentences: [1, 2],
    score: 3,
};

/// The tasks, in the order of SimCSE's tables. STS13 is without the subset SMT, whose licence forbids to hand it on.
pub(super) const TASKS: [Task; 7] = [
    Task {
        name: "STS12",
        folder: "STS/STS12-en-test",
        files: Files::Subsets(&["MSRpar", "MSRvid", "SMTeuroparl", "surprise.OnWN", "surprise.SMTnews"]),
    },
    Task {
        name: "STS13",
        folder: "STS/STS13-en-test",
        files: Files::Subsets(&["FNWN", "headlines", "OnWN"]),
    },
    Task {
        name: "STS14",
        folder: "STS/STS14-en-test",
        files: Files::Subsets(&["deft-forum", "deft-news", "headlines", "images", "OnWN", "tweet-news"]),
    },
    Task {
        name: "STS15",
        folder: "STS/STS15-en-test",
        files: Files::Subsets(&["answers-forums", "answers-students", "belief", "headlines", "images"]),
    },
    Task {
        name: "STS16",
        folder: "STS/STS16-en-test",
        files: Files::Subsets(&[
            "answer-answer",
            "headlines",
            "plagiarism",
            "postediting",
            "question-question",
        ]),
    },
    Task {
        name: "STS-B",
        folder: "STS/STSBenchmark",
        files: Files::Table("sts-test.csv", STSB, 0),
    },
    Task {
        name: "SICK-R",
        folder: "SICK",
        files: Files::Table("SICK_test_annotated.txt", SICK, 1),
    },
];

/// The folder `downstream` of SentEval's data, where `data` is it or lies above it.
pub(super) fn downstream(data: &Path) -> Option<PathBuf> {
    let candidates = [data.into(), data.join("downstream"), data.join("data/downstream")];
    candidates
        .into_iter()
        .find(|folder| TASKS.iter().any(|task| folder.join(task.folder).is_dir()))
}

impl Task {
    /// The test split: the pairs of all subsets together, which is the setting "all".
    ///
    /// # Errors
    /// [`Error::Data`] with the file and the line.
    pub fn read(&self, downstream: &Path, sentences: &mut Distinct) -> Result<Pairs> {
        let folder = downstream.join(self.folder);
        let mut pairs = Pairs::default();
        match &self.files {
            Files::Subsets(subsets) => {
                for subset in *subsets {
                    read_subset(&folder, subset, sentences, &mut pairs)?;
                }
            }
            Files::Table(file, columns, header) => {
                read_table(&folder.join(file), columns, *header, sentences, &mut pairs)?;
            }
        }
        if pairs.len() == 0 {
            Err(Error::data(folder, "has no pair with a score"))
        } else {
            Ok(pairs)
        }
    }
}

/// Pairs without a score, an empty line in `STS.gs.*`, are left out.
fn read_subset(folder: &Path, subset: &str, sentences: &mut Distinct, pairs: &mut Pairs) -> Result<()> {
    let (input, gold) = (format!("STS.input.{subset}.txt"), format!("STS.gs.{subset}.txt"));
    let (input, gold) = (folder.join(input), folder.join(gold));
    let (rows, scores) = (lines(&input)?, lines(&gold)?);
    if rows.len() != scores.len() {
        let message = format!(
            "{} pairs, and {} scores in {}",
            rows.len(),
            scores.len(),
            gold.display()
        );
        return Err(Error::data(input, message));
    }
    for ((number, row), (_, text)) in rows.iter().zip(&scores) {
        if text.trim().is_empty() {
            continue;
        }
        let row = Row {
            path: &input,
            number: *number,
            fields: row.split('\t').collect(),
        };
        let score = score(text).map_err(|message| Error::data(&gold, format!("line {number}: {message}")))?;
        let [one, two] = row.sentences([0, 1])?;
        pairs.push(sentences.index(&one), sentences.index(&two), score);
    }
    Ok(())
}

fn read_table(path: &Path, columns: &Columns, header: usize, found: &mut Distinct, pairs: &mut Pairs) -> Result<()> {
    for (number, line) in lines(path)?.iter().skip(header) {
        let row = Row {
            path,
            number: *number,
            fields: line.trim().split('\t').collect(),
        };
        let [one, two] = row.sentences(columns.sentences)?;
        let score = score(row.fields.get(columns.score).unwrap_or(&"")).map_err(|message| row.error(message))?;
        pairs.push(found.index(&one), found.index(&two), score);
    }
    Ok(())
}

fn lines(path: &Path) -> Result<Vec<(u64, String)>> {
    let bytes = Bytes::open(path, "download SentEval's data again, as docs/LANGUAGE.md says")?;
    files::lines(&bytes, path)
}

/// A line that is split at tabs.
struct Row<'a> {
    path: &'a Path,
    number: u64,
    fields: Vec<&'a str>,
}

impl Row<'_> {
    /// Two sentences, with one space between words, as SentEval gives them to an encoder.
    fn sentences(&self, columns: [usize; 2]) -> Result<[String; 2]> {
        let words = |column: usize| {
            let text = self.fields.get(column).unwrap_or(&"");
            text.split_whitespace().collect::<Vec<_>>().join(" ")
        };
        let found = columns.map(words);
        match columns.iter().zip(&found).find(|(_, sentence)| sentence.is_empty()) {
            Some((column, _)) => Err(self.error(format!("column {} (of tabs) has no sentence", column + 1))),
            None => Ok(found),
        }
    }

    fn error(&self, message: impl std::fmt::Display) -> Error {
        Error::data(self.path, format!("line {}: {message}", self.number))
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    /// Writes all seven tasks, a few pairs each, below `downstream`.
    pub(crate) fn write(downstream: &Path) {
        for task in &TASKS {
            let folder = downstream.join(task.folder);
            std::fs::create_dir_all(&folder).unwrap();
            let put = |name: String, text: &str| std::fs::write(folder.join(name), text).unwrap();
            match &task.files {
                Files::Subsets(subsets) => {
                    for (n, subset) in subsets.iter().enumerate() {
                        let input = format!("One  {n} .\tTwo {subset} .\nA\tB\nThree .\tFour {n}\tsource\n");
                        put(format!("STS.input.{subset}.txt"), &input);
                        put(format!("STS.gs.{subset}.txt"), &format!("{n}\n\n{}\n", 5 - n % 2));
                    }
                }
                Files::Table("sts-test.csv", ..) => {
                    let row = |text, score| format!("news\tMSR\t2012\t0001\t{score}\tA \"b\" c.\t{text}\n");
                    let rows = [row("A b.", "4.500"), row("De f.", "0")].concat();
                    for name in ["sts-dev.csv", "sts-test.csv"] {
                        put(name.into(), &rows);
                    }
                }
                Files::Table(file, ..) => {
                    let text = "pair_ID\tsentence_A\tsentence_B\trelatedness_score\tentailment_judgment\n\
                                6\tNo boy plays\tA boy plays\t3.3\tNEUTRAL\r\n9\tA\tB\t1\tNEUTRAL\r\n";
                    put((*file).to_string(), text);
                }
            }
        }
    }

    type Read = (Vec<(usize, usize, f64)>, Vec<String>);

    fn read(task: &str, downstream: &Path) -> Result<Read, String> {
        let task = TASKS.iter().find(|known| known.name == task).unwrap();
        let mut sentences = Distinct::default();
        let shown = format!("{}/", downstream.join(task.folder).display());
        let pairs = task.read(downstream, &mut sentences);
        let pairs = pairs.map_err(|error| error.to_string().replace(&shown, ""))?;
        let pool = sentences.into_pool();
        let texts = (0..pool.len()).map(|index| pool.get(index).to_string()).collect();
        Ok((pairs.iter().collect(), texts))
    }

    #[test]
    fn subsets_are_joined_and_pairs_without_a_score_left_out() {
        let folder = tempfile::tempdir().unwrap();
        write(folder.path());
        let (pairs, texts) = read("STS13", folder.path()).unwrap();
        let scores: Vec<_> = pairs.iter().map(|pair| pair.2).collect();
        assert_eq!(scores, [0.0, 5.0, 1.0, 4.0, 2.0, 5.0]);
        assert_eq!(texts[..4], ["One 0 .", "Two FNWN .", "Three .", "Four 0"]);
        assert_eq!(pairs[3], (2, 6, 4.0), "a sentence that comes again is encoded once");
    }

    #[test]
    fn the_benchmark_and_sick_are_separated_by_tabs() {
        let folder = tempfile::tempdir().unwrap();
        write(folder.path());
        let (pairs, texts) = read("STS-B", folder.path()).unwrap();
        assert_eq!(pairs, [(0, 1, 4.5), (0, 2, 0.0)]);
        assert_eq!(texts, ["A \"b\" c.", "A b.", "De f."]);
        let (pairs, texts) = read("SICK-R", folder.path()).unwrap();
        assert_eq!(pairs, [(0, 1, 3.3), (2, 3, 1.0)]);
        assert_eq!(texts, ["No boy plays", "A boy plays", "A", "B"]);
    }

    /// By Python's rules of text files, `splitlines`, `split` and `strip`, which SentEval's code follows.
    #[test]
    fn files_are_read_as_senteval_reads_them() {
        let folder = tempfile::tempdir().unwrap();
        write(folder.path());
        let put = |path: &str, text: &str| std::fs::write(folder.path().join(path), text).unwrap();
        // Most pairs of STS16 have no score, the last one here neither; words are what white space of any kind parts.
        put(
            "STS/STS16-en-test/STS.input.headlines.txt",
            "\"A\" b\u{a0}c\t d  e \r\nno\tscore\r\nf\u{e9}\tg\r\n \t \r\n",
        );
        put("STS/STS16-en-test/STS.gs.headlines.txt", "0.40\n\n5\n\n");
        for subset in ["answer-answer", "plagiarism", "postediting", "question-question"] {
            put(&format!("STS/STS16-en-test/STS.input.{subset}.txt"), "x\ty\n");
            put(&format!("STS/STS16-en-test/STS.gs.{subset}.txt"), "\n");
        }
        let (pairs, texts) = read("STS16", folder.path()).unwrap();
        assert_eq!(pairs, [(0, 1, 0.4), (2, 3, 5.0)]);
        assert_eq!(texts, ["\"A\" b c", "d e", "f\u{e9}", "g"]);
        // Quotation marks are letters, and behind the sentences may be where they come from.
        put(
            "STS/STSBenchmark/sts-test.csv",
            "main-news\theadlines\t2013\t7\t2.200\t\"a, b\tc\"\thttp://x\ty \n",
        );
        assert_eq!(
            read("STS-B", folder.path()).unwrap(),
            (vec![(0, 1, 2.2)], vec!["\"a, b".into(), "c\"".into()])
        );
    }

    #[test]
    fn what_is_wrong_is_said_with_its_line() {
        let folder = tempfile::tempdir().unwrap();
        let error = |task: &str, file: &str, text: &str| {
            write(folder.path());
            let path = TASKS.iter().find(|known| known.name == task).unwrap().folder;
            std::fs::write(folder.path().join(path).join(file), text).unwrap();
            read(task, folder.path()).unwrap_err()
        };
        let gold = "STS.gs.images.txt";
        assert_eq!(
            error("STS14", gold, "1\n2\n7\n"),
            format!("{gold}: line 3: the score `7` is not a number from 0 to 5 (or, in all rows, from 0 to 1)")
        );
        assert_eq!(
            error("STS14", gold, "1\n"),
            format!("STS.input.images.txt: 3 pairs, and 1 scores in {gold}")
        );
        // The second pair has no score, so it need not be whole.
        let found = error("STS15", "STS.input.belief.txt", "a\tb\nA\nc\n");
        assert_eq!(
            found,
            "STS.input.belief.txt: line 3: column 2 (of tabs) has no sentence"
        );
        let found = error("STS-B", "sts-test.csv", "news\tMSR\t2012\t1\t\ta\tb\n");
        assert_eq!(found, "sts-test.csv: line 1: the score is missing");
    }

    #[test]
    fn the_folder_is_found_from_above() {
        let folder = tempfile::tempdir().unwrap();
        let inner = folder.path().join("data/downstream");
        write(&inner);
        for data in ["", "data", "data/downstream"] {
            assert_eq!(downstream(&folder.path().join(data)), Some(inner.clone()), "{data}");
        }
        assert_eq!(downstream(&inner.join("STS")), None);
    }
}
