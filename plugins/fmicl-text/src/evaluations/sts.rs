//! `sts`: semantic textual similarity, as SimCSE evaluates sentence encoders.
//!
//! A task's figure is Spearman's rank correlation between the cosines of the frozen features of two sentences and the
//! scores that people gave them, all subsets of the task together (the setting "all"). Alignment and uniformity are Wang
//! and Isola's (ICML 2020, arXiv 2005.10242), of features of length 1:
//!
//! ```text
//! alignment  = mean |x - y|^2 over pairs with a score above 4
//! uniformity = log mean exp(-2 |x - y|^2) over all pairs of sentences
//! ```
//!
//! Source: Gao et al., SimCSE, EMNLP 2021, arXiv 2104.08821, appendix B and figure 3.

mod layout;
mod pairs;
mod senteval;
mod spearman;

use pairs::Pairs;

use super::encoded;
use crate::pool::{Distinct, Pool};
use fmicl_core::geometry::{alignment, uniformity};
use fmicl_core::tch::Tensor;
use fmicl_core::{
    Documented, Error, Evaluation, Metric, MetricNames, Modality, Report, Representation, Result, Scatter, Task,
    register, registry, require, toml,
};
use senteval::TASKS;
use serde::{Deserialize, Serialize};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Spearman's correlation on STS tasks, alignment and uniformity.
#[derive(Debug, Documented, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Sts {
    /// Data of the tasks: SentEval's (the folder that holds `STS` and `SICK`, or one or two above it); a folder with the STS benchmark
    /// alone (`dev.csv`, `test.csv`, `sts-dev.csv`, ..., or `stsbenchmark.tsv.gz`); or one such file, with commas or tabs.
    pub data: PathBuf,
    /// Tasks to evaluate, of `STS12` to `STS16`, `STS-B` and `SICK-R`; if empty, those that are there.
    pub tasks: Vec<String>,
}

register!(
    Evaluation,
    "sts",
    Sts,
    "Spearman's correlation of cosines with people's scores on STS12-16, STS-B, SICK-R; alignment, uniformity"
);

impl Evaluation for Sts {
    fn validate(&self) -> Result<()> {
        let known = TASKS.map(|task| task.name);
        let unknown = self.tasks.iter().find(|task| !known.contains(&task.as_str()));
        require(unknown.is_none(), "tasks", || {
            let name = unknown.map_or("", String::as_str);
            let hint = registry::did_you_mean(name, &known);
            format!("no task named `{name}`{hint}; there are {}", known.join(", "))
        })
    }

    fn modality(&self) -> Option<Modality> {
        Some(Modality::Texts)
    }

    fn open(&self) -> Result<Box<dyn Task>> {
        require(!self.data.as_os_str().is_empty(), "data", || {
            format!(
                "is missing: set it, by --data or in the experiment, to {}",
                layout::WHAT
            )
        })?;
        let mut sentences = Distinct::default();
        let found = layout::read(&self.data, &self.tasks, &mut sentences)?;
        Ok(Box::new(Opened {
            sentences: Arc::new(sentences.into_pool()),
            found,
        }))
    }

    fn example(&self, folder: &Path) -> Result<toml::Table> {
        let path = folder.join("dev.csv");
        let row = |n: usize| {
            format!(
                "The {n} dogs run.,\"The dogs{} run, all {n}.\",{n}.0\n",
                " and cats".repeat(5 - n)
            )
        };
        let rows = (0..6).map(row);
        let io = |error| Error::io(&path, error);
        std::fs::create_dir_all(folder).map_err(io)?;
        std::fs::write(&path, rows.collect::<String>()).map_err(io)?;
        let data = folder.to_string_lossy().into_owned();
        Ok(toml::Table::from_iter([("data".to_string(), data.into())]))
    }
}

/// The tasks' pairs, whose sentences are encoded once each.
struct Opened {
    sentences: Arc<Pool>,
    found: layout::Found,
}

impl Opened {
    /// The name of the mean of the tasks, if there are several: of fewer than all it is another number than that of the papers.
    fn average(&self) -> Option<String> {
        match self.found.tasks.len() {
            0 | 1 => None,
            all if all == TASKS.len() => Some("average".into()),
            some => Some(format!("average of {some}")),
        }
    }

    /// The best checkpoint is that of STS-B dev where it is there, as in SimCSE.
    fn main(&self) -> String {
        let first = || self.found.tasks.first().map(|(name, _)| name.clone());
        let dev = self.found.geometry.as_ref().map(|(name, _)| name.clone());
        dev.or_else(|| self.average()).or_else(first).unwrap_or_default()
    }
}

impl Task for Opened {
    fn metrics(&self, _in_training: bool) -> MetricNames {
        let tasks = self.found.tasks.iter().map(|(name, _)| name.clone());
        let mut all: Vec<String> = tasks.chain(self.average()).collect();
        if let Some((name, pairs)) = &self.found.geometry {
            let alignment = (pairs.above(ALIKE).len() > 0).then_some(ALIGNMENT);
            let geometry = alignment.into_iter().chain([UNIFORMITY]).map(String::from);
            all.extend(std::iter::once(name.clone()).chain(geometry));
        }
        MetricNames { main: self.main(), all }
    }

    fn judge(&self, it: &dyn Representation) -> Result<Report> {
        let features = encoded(it, &self.sentences)?;
        let layout::Found {
            tasks,
            geometry,
            missing,
            notes: found,
        } = &self.found;
        let correlation = |(name, pairs): &(String, Pairs)| Metric::new(name, 100.0 * pairs.spearman(&features), 2);
        let mut metrics: Vec<_> = tasks.iter().map(correlation).collect();
        let mut notes = vec!["a task is its test split, all subsets together".to_string()];
        if !missing.is_empty() {
            notes.push(format!("not there: {}", missing.join(", ")));
        }
        notes.extend(found.iter().cloned());
        if let Some(name) = self.average() {
            let average = metrics.iter().map(|metric| metric.value).sum::<f64>() / metrics.len() as f64;
            metrics.push(Metric::new(&name, average, 2));
        }
        if let Some(set @ (name, pairs)) = geometry {
            metrics.push(correlation(set));
            let close = pairs.above(ALIKE);
            if close.len() > 0 {
                let (x, y) = close.features(&features);
                metrics.push(lower(ALIGNMENT, &alignment(&x, &y)));
            }
            let (x, y) = pairs.features(&features);
            metrics.push(lower(UNIFORMITY, &uniformity(&Tensor::cat(&[x, y], 0))));
            let alignment = match close.len() {
                0 => format!("no alignment, for no pair of {name} has a score above {ALIKE}"),
                count => format!("alignment of the {count} pairs of {name} with a score above {ALIKE}"),
            };
            notes.push(format!("{alignment}, uniformity of its {} sentences", 2 * pairs.len()));
        }
        let main = geometry.iter().chain(tasks).next();
        let scatter = main.map(|(name, pairs)| {
            let of = format!("pairs of {name}");
            Scatter::new(&of, ["people's score", "cosine"], &pairs.points(&features))
        });
        Ok(Report {
            scatter,
            title: "Spearman's rank correlation x 100 of cosines with people's scores".into(),
            metrics,
            main: self.main(),
            notes,
            ..Report::default()
        })
    }
}

/// Pairs with a score above it mean the same, as in SimCSE.
const ALIKE: f64 = 4.0;
const ALIGNMENT: &str = "alignment";
const UNIFORMITY: &str = "uniformity";

fn lower(name: &str, value: &Tensor) -> Metric {
    Metric::new(name, value.double_value(&[]), 3).lower_is_better()
}

#[cfg(test)]
mod tests;
