//! What a run writes down as it goes: `metrics.jsonl`, a line an epoch, and `steps.jsonl`, a line every `train.log_every`
//! steps.

use crate::run::Lines;
use crate::train::callback::Callback;
use crate::train::measured::Measured;
use crate::train::trainer::Trainer;
use fmicl_core::{MetricValue, Result};
use serde::Serialize;
use serde::ser::{SerializeMap, Serializer};
use serde_json::Value;
use std::cell::RefCell;
use std::path::Path;
use std::rc::Rc;

/// The files; by default there are none.
#[derive(Debug, Default)]
pub struct Journal {
    epochs: Lines,
    steps: Lines,
}

/// A journal whose lines a checkpoint counts on.
pub type SharedJournal = Rc<RefCell<Journal>>;

impl Journal {
    /// The files of a run in the directory `run` that stands after so many `epochs` and `steps`: what they hold beyond that
    /// will come again, and is cut off.
    ///
    /// # Errors
    /// The disk's.
    pub fn open(run: &Path, epochs: usize, steps: u64) -> Result<Self> {
        let up_to = |key: &'static str, last: u64| move |line: &Value| line[key].as_u64().is_some_and(|at| at <= last);
        let (epoch_lines, found) = Lines::open(run.join("metrics.jsonl"), up_to("epoch", epochs as u64))?;
        if found < epochs {
            tracing::warn!("metrics.jsonl has lost lines: {found} are left of {epochs}");
        }
        Ok(Journal {
            epochs: epoch_lines,
            steps: Lines::open(run.join("steps.jsonl"), up_to("step", steps))?.0,
        })
    }

    /// That all of it is on the disk.
    ///
    /// # Errors
    /// The disk's.
    pub fn flush(&mut self) -> Result<()> {
        self.epochs.flush()?;
        self.steps.flush()
    }
}

impl Callback for SharedJournal {
    fn log(&mut self, _: &mut Trainer, measured: &mut Measured) -> anyhow::Result<()> {
        Ok(self.borrow_mut().steps.add(&Line(measured))?)
    }

    fn epoch_end(&mut self, _: &mut Trainer, measured: &mut Measured) -> anyhow::Result<()> {
        Ok(self.borrow_mut().epochs.add(&Line(measured))?)
    }
}

/// A line: the epoch, the step, and what was measured there.
struct Line<'a>(&'a Measured);

impl Serialize for Line<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("epoch", &self.0.epoch)?;
        map.serialize_entry("step", &self.0.step)?;
        let values = self.0.values.iter().map(|(name, value)| (name.as_str(), value));
        entries(&mut map, &values.collect::<Vec<_>>())?;
        map.end()
    }
}

/// Values of a group by their names within it.
struct Group<'a>(Vec<(&'a str, &'a MetricValue)>);

impl Serialize for Group<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        entries(&mut map, &self.0)?;
        map.end()
    }
}

/// Neighbours of one group become a map of their own.
fn entries<M: SerializeMap>(map: &mut M, values: &[(&str, &MetricValue)]) -> Result<(), M::Error> {
    let group = |name: &str| name.split_once('/').map(|(group, _)| group.to_string());
    for neighbours in values.chunk_by(|a, b| group(a.0).is_some() && group(a.0) == group(b.0)) {
        match (group(neighbours[0].0), neighbours[0]) {
            (Some(group), _) => {
                let within = neighbours
                    .iter()
                    .map(|(name, value)| (&name[group.len() + 1..], *value));
                map.serialize_entry(&group, &Group(within.collect()))?;
            }
            (None, (name, MetricValue::Count(value))) => map.serialize_entry(name, value)?,
            (None, (name, MetricValue::Number(value))) => map.serialize_entry(name, value)?,
            (None, (name, MetricValue::Text(value))) => map.serialize_entry(name, value)?,
        }
    }
    Ok(())
}
