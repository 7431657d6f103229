//! The data of an experiment: the splits of its dataset, and what its evaluations bring.

mod files;
mod labelled;
mod open;
#[cfg(test)]
mod tests;

pub use labelled::{Labelled, has_labels};
pub(crate) use open::Source;
pub use open::{Opened, open_split, trained_on};

use crate::config::Experiment;
use crate::left_out::{LeftOut, with_a_way_out};
use fmicl_core::{Error, MetricNames, Portion, Result, Samples, Views, find_name};
use fmicl_data::OnError;
use std::rc::Rc;
use std::sync::Arc;

/// All data of an experiment, opened and checked.
pub struct Splits {
    /// Samples of pre-training, without labels; often the labelled training split.
    pub pretrain: Arc<dyn Samples>,
    /// Labelled splits, if the dataset has labels.
    pub labelled: Option<Labelled>,
    /// The experiment's evaluations; those that want labels where there are some.
    pub tasks: Vec<Opened>,
    /// The names of the experiment's evaluations that want labels where there are none.
    without_labels: Vec<String>,
    /// Why there are no labels where the dataset might have some.
    pub no_labels: Option<&'static str>,
    /// Samples that were left out.
    pub left_out: Rc<LeftOut>,
    /// How many processes of this machine hold what an evaluation takes.
    pub processes_here: usize,
    /// Whether pre-training sees other samples than the labelled ones for training.
    own_pretrain: bool,
    views: Arc<dyn Views>,
    on_error: OnError,
    /// Whether their features are held as f16.
    pub(crate) half: bool,
}

impl Splits {
    /// Returns true if there is an evaluation of the encoder.
    pub fn judge_encoders(&self) -> bool {
        !self.tasks.is_empty()
    }

    /// The evaluations that want labels, and the labelled splits.
    pub fn by_labels(&self) -> impl Iterator<Item = (&Opened, &Labelled)> {
        let labelled = self.labelled.as_ref();
        let tasks = self.tasks.iter().filter(|opened| opened.evaluation.wants_labels());
        tasks.filter_map(move |opened| Some((opened, labelled?)))
    }

    /// The evaluations that training waits for: not those that train themselves.
    pub fn in_training(&self) -> impl Iterator<Item = &Opened> {
        self.tasks.iter().filter(|opened| !opened.evaluation.trains())
    }

    /// The names of the metrics of each evaluation, in or after training.
    pub fn metrics(&self, in_training: bool) -> Vec<(&str, MetricNames)> {
        let tasks = self.tasks.iter();
        let tasks = tasks.filter(|opened| !in_training || !opened.evaluation.trains());
        let names = |opened: &'_ Opened| opened.task.metrics(in_training);
        tasks.map(|opened| (&*opened.name, names(opened))).collect()
    }

    /// Checks that `eval.best` names a metric that evaluations in training have.
    ///
    /// # Errors
    /// There is none of that name, or more than one.
    pub fn require_best(&self, experiment: &Experiment) -> Result<()> {
        let Some(best) = &experiment.eval.best else {
            return Ok(());
        };
        let names = self.metrics(true);
        let found = find_name(names.iter().map(|(evaluation, names)| (*evaluation, names)), best);
        found
            .map(drop)
            .map_err(|message| Error::config(message).at("eval.best"))
    }

    /// The numbers of a sample of the labelled training split as it is, without an encoder; nothing where there are no labels,
    /// or samples mean nothing without an encoder.
    ///
    /// # Errors
    /// A sample that cannot be read and may not be left out.
    pub fn raw_width(&self) -> Result<Option<usize>> {
        let Some(labelled) = &self.labelled else {
            return Ok(None);
        };
        let view = |index| self.views.evaluation(&*labelled.train, &[index], &Default::default());
        let first = match self.on_error {
            OnError::Fail => view(0).map_err(with_a_way_out)?,
            OnError::Skip => match (0..labelled.train.len()).find_map(|index| view(index).ok()) {
                Some(first) => first,
                None => return Ok(None),
            },
        };
        Ok(self.views.raw(&first).map(|raw| raw.numel()))
    }

    /// The name of the split that pre-training sees.
    pub fn pretrain_name(&self) -> &'static str {
        match self.labelled.is_some() && !self.own_pretrain {
            true => "train",
            false => "pretrain",
        }
    }

    /// The splits, each once, with their names.
    pub fn each(&self) -> Vec<(&'static str, &Arc<dyn Samples>)> {
        let mut splits = vec![(self.pretrain_name(), &self.pretrain)];
        if let Some(Labelled { train, test }) = &self.labelled {
            // Else those whose labels are used may be fewer, but are among those of pre-training.
            if self.own_pretrain {
                splits.push(("train", train));
            }
            splits.push(("test", test));
        }
        splits
    }

    /// Facts that the numbers of samples do not show, a line each: the files that were left out, views that look as if they
    /// were meant for other data. It may read some samples.
    pub fn notes(&self, experiment: &Experiment) -> Vec<String> {
        let mut notes: Vec<String> = self.no_labels.map(String::from).into_iter().collect();
        for (_, samples) in self.each() {
            // Two splits may be of the same files.
            let more = samples.notes().into_iter().filter(|note| !notes.contains(note));
            notes.extend(more.collect::<Vec<_>>());
        }
        if let [first, more @ ..] = &self.without_labels[..] {
            let (names, need) = match more {
                [] => (first.clone(), "needs"),
                _ => (self.without_labels.join(", "), "need"),
            };
            notes.push(format!("left out of the evaluation: {names}, which {need} labels"));
        }
        if let Some(labelled) = &self.labelled {
            notes.extend(labelled.classes_apart());
        }
        for (opened, labelled) in self.by_labels() {
            notes.extend(opened.evaluation.doubts(&opened.name, &labelled.sizes()));
        }
        notes.extend(experiment.views.doubts(&*self.pretrain));
        notes.extend(experiment.objective.doubts(experiment.architecture.bears_repulsion()));
        notes
    }
}

/// The number of samples and the portions, a line each, for comparing those of several processes.
pub(crate) fn as_text(samples: usize, portions: &[Portion]) -> String {
    let line = |portion: &Portion| {
        let Portion { name, samples, crc32 } = portion;
        format!(
            "{samples} samples{}{name}, {crc32}\n",
            if name.is_empty() { "" } else { " of " }
        )
    };
    let count = format!("{samples} samples to train on\n");
    std::iter::once(count).chain(portions.iter().map(line)).collect()
}
