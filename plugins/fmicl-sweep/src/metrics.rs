//! The metrics that a sweep's runs have, as far as they are known before the first one starts.

use super::file::SweepFile;
use super::outcome::Finished;
use fmicl_core::{Error, MetricNames, find_name};
use fmicl_runner::Checked;
use fmicl_runner::run::training::{TRAINING, training_names};

/// The names of the metrics of each evaluation, and of training, run by run.
#[derive(Debug, Default)]
pub struct Metrics(Vec<Vec<(String, MetricNames)>>);

impl Metrics {
    /// Adds those of a run that has not been trained.
    pub fn add(&mut self, run: &Checked) {
        let evaluations = run.of_evaluations().into_iter();
        let evaluations = evaluations.map(|(name, names)| (name.to_string(), names));
        let training = (TRAINING.to_string(), training_names(run.of_training()));
        self.0.push(evaluations.chain([training]).collect());
    }

    /// Adds those of a run that has finished.
    pub fn add_finished(&mut self, run: &Finished) {
        self.0.push(run.metrics());
    }

    /// The metrics that the file asks for and no run has, at their lines.
    pub fn missing(&self, file: &SweepFile) -> Vec<Error> {
        let missing = file.metrics().filter_map(|(key, name)| {
            let is_there = self.0.iter().any(|run| find(run, name).is_ok());
            let why = (!is_there).then(|| find(&self.of_any(), name).err()).flatten()?;
            Some(file.locate(Error::config(why).at(&key)))
        });
        missing.collect()
    }

    /// Those that any run has.
    fn of_any(&self) -> Vec<(String, MetricNames)> {
        let mut all: Vec<(String, MetricNames)> = Vec::new();
        for (evaluation, names) in self.0.iter().flatten() {
            match all.iter_mut().find(|(known, _)| known == evaluation) {
                None => all.push((evaluation.clone(), names.clone())),
                Some((_, known)) => {
                    let more = names.all.iter().filter(|name| !known.all.contains(name));
                    let more: Vec<_> = more.cloned().collect();
                    known.all.extend(more);
                }
            }
        }
        all
    }
}

fn find(run: &[(String, MetricNames)], name: &str) -> Result<(), String> {
    find_name(run.iter().map(|(evaluation, names)| (&**evaluation, names)), name).map(drop)
}
