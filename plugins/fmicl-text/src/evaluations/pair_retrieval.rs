//! `pair-retrieval`: how well a sentence finds the one that it is paired with.
//!
//! The first sentences of the pairs are the queries. The second sentences, and third ones, which are hard negatives, are ranked for
//! each by their cosine with it. A sentence counts once, so that a query may have several to find:
//!
//! * `recall@k`: the share of queries with one of theirs among the `k` nearest;
//! * `map`: the mean over queries of the average precision, `(1 / R) sum_{rank of one of its R} precision at that rank`, which is the
//!   mean reciprocal rank where each has one.
//!
//! The metrics named `reverse` are those of second sentences that find first ones.
//!
//! Source: Manning et al., "Introduction to Information Retrieval", 2008, section 8.4; recall both ways as in CLIP's table 13
//! (Radford et al., ICML 2021, arXiv 2103.00020).

mod ranks;

use super::encoded;
use crate::datasets::triplets;
use crate::paths::Paths;
use crate::pool::{Distinct, Pool};
use fmicl_core::tch::{Kind, Tensor};
use fmicl_core::{
    Documented, Error, Evaluation, Metric, MetricNames, Modality, Report, Representation, Result, Samples, Task,
    normalize, register, require, toml,
};
use ranks::Sought;
use serde::{Deserialize, Serialize};
use std::path::Path;
use std::sync::Arc;

/// Sentences that find those that they are paired with, both ways, by the cosine of features.
#[derive(Debug, Documented, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct PairRetrieval {
    /// Path of a file of pairs, or a list of paths: CSV, TSV or JSONL files of two columns, or of three, the third being a hard
    /// negative, as those of the dataset `triplets`. Required.
    pub data: Paths,
    /// Ranks `k` of `recall@k`, at least 1 each; `[1, 5, 10]` by default. The first one is the main metric.
    pub k: Vec<usize>,
}

register!(
    Evaluation,
    "pair-retrieval",
    PairRetrieval,
    "recall at k and mean average precision of the sentence that one is paired with, both ways, by the cosine of features"
);

impl Default for PairRetrieval {
    fn default() -> Self {
        PairRetrieval {
            data: Paths::default(),
            k: vec![1, 5, 10],
        }
    }
}

impl Evaluation for PairRetrieval {
    fn validate(&self) -> Result<()> {
        require(!self.k.is_empty(), "k", || "has no rank; [1] is the least".into())?;
        for (index, k) in self.k.iter().enumerate() {
            require(*k >= 1, "k", || format!("{k} is not at least 1"))?;
            require(!self.k[..index].contains(k), "k", || format!("{k} is there twice"))?;
        }
        Ok(())
    }

    fn modality(&self) -> Option<Modality> {
        Some(Modality::Texts)
    }

    fn open(&self) -> Result<Box<dyn Task>> {
        require(!self.data.0.is_empty(), "data", || {
            format!(
                "is missing: set it, by --data or in the experiment, to {}",
                triplets::WHAT
            )
        })?;
        let opened = Opened::new(&triplets::read(&self.data.0, "data")?, self.k.clone())?;
        let (most, ranked) = (self.k.iter().copied().max().unwrap_or_default(), opened.least());
        if most > ranked {
            let message = format!("has {ranked} sentences to rank, fewer than the {most} of `k`; give a smaller one");
            return Err(Error::data(&self.data.0[0], message));
        }
        Ok(Box::new(opened))
    }

    fn example(&self, folder: &Path) -> Result<toml::Table> {
        let path = folder.join("pairs.csv");
        let row = |n: usize| format!("What do {n} dogs do?,{n} dogs run.\n");
        let rows: String = (0..12).map(row).collect();
        let io = |error| Error::io(&path, error);
        std::fs::create_dir_all(folder).map_err(io)?;
        std::fs::write(&path, format!("question,answer\n{rows}")).map_err(io)?;
        let path = path.to_string_lossy().into_owned();
        Ok(toml::Table::from_iter([("data".to_string(), path.into())]))
    }
}

/// The pairs, whose sentences are encoded once each.
struct Opened {
    /// On what was read.
    notes: Vec<String>,
    sentences: Arc<Pool>,
    k: Vec<usize>,
    /// Second sentences for first ones, and the other way round.
    ways: [Sought; 2],
    /// How many of the sentences that are ranked are hard negatives alone.
    negatives: usize,
}

impl Opened {
    fn new(pairs: &triplets::Rows, k: Vec<usize>) -> Result<Self> {
        let mut sentences = Distinct::default();
        let (mut firsts, mut seconds) = (Vec::new(), Vec::new());
        let mut thirds = Vec::new();
        for index in 0..pairs.len() {
            let mut texts = pairs.texts(index)?.into_iter().map(|text| sentences.index(&text));
            firsts.extend(texts.next());
            seconds.extend(texts.next());
            thirds.extend(texts.next());
        }
        let there = Sought::new(&firsts, &seconds, &thirds);
        let back = Sought::new(&seconds, &firsts, &[]);
        let negatives = there.ranked() - back.queries();
        // The report has them, too, once there is one.
        let notes = pairs.notes();
        notes.iter().for_each(|note| tracing::warn!("{note}"));
        Ok(Opened {
            notes,
            sentences: Arc::new(sentences.into_pool()),
            k,
            ways: [there, back],
            negatives,
        })
    }

    /// The fewest sentences that are ranked either way.
    fn least(&self) -> usize {
        self.ways.iter().map(Sought::ranked).min().unwrap_or_default()
    }
}

/// What stands before the names of the metrics of either way.
const WAYS: [&str; 2] = ["", "reverse "];

impl Task for Opened {
    fn metrics(&self, _in_training: bool) -> MetricNames {
        let of = |way: &str| {
            let recalls = self.k.iter().map(move |k| recall(way, *k));
            recalls.chain([format!("{way}map")]).collect::<Vec<_>>()
        };
        let all: Vec<String> = WAYS.into_iter().flat_map(of).collect();
        MetricNames {
            main: all[0].clone(),
            all,
        }
    }

    fn judge(&self, it: &dyn Representation) -> Result<Report> {
        let features = encoded(it, &self.sentences)?;
        let features = normalize(&features);
        let mut metrics = Vec::new();
        for (way, sought) in WAYS.iter().zip(&self.ways) {
            let found = sought.find(&features);
            for k in &self.k {
                let recalled = found.recalled(*k);
                let metric = Metric::percent(&recall(way, *k), mean(&recalled), None);
                metrics.push(match it.is_in_training() {
                    true => metric,
                    false => metric.counting(&recalled),
                });
            }
            metrics.push(Metric::percent(&format!("{way}map"), mean(&found.precision), None));
        }
        let [there, back] = &self.ways;
        let mut notes = vec![format!(
            "pair-retrieval: {} first sentences find theirs among {}, by cosine; reverse: {} second ones among {}.",
            there.queries(),
            there.ranked(),
            back.queries(),
            back.ranked()
        )];
        if self.negatives > 0 {
            notes.push(format!(
                "{} of those that are ranked are hard negatives alone.",
                self.negatives
            ));
        }
        notes.extend(self.notes.iter().map(|note| format!("{note}.")));
        Ok(Report {
            title: "sentences find those that they are paired with".into(),
            metrics,
            main: recall("", self.k[0]),
            notes,
            ..Report::default()
        })
    }
}

fn recall(way: &str, k: usize) -> String {
    format!("{way}recall@{k}")
}

fn mean(each: &Tensor) -> f64 {
    each.mean(Kind::Double).double_value(&[])
}

#[cfg(test)]
mod tests;
