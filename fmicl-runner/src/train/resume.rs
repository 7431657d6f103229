//! Going on with a run: which one, from which checkpoint, and what about it may have changed.

use super::callbacks::Progress;
use super::options::{Resume, TrainOptions};
use super::trainer::Trainer;
use crate::config::{Experiment, leaves};
use crate::run::{Checkpoint, RunDir, Standing, changed_files, is_listed};
use fmicl_core::{Error, Portion, Result};

/// A run to go on with, locked.
pub struct Found {
    /// Its directory.
    pub run: RunDir,
    /// Its checkpoint; `None` if there is none yet, and the run starts again.
    pub checkpoint: Option<Checkpoint>,
    /// The config that it has from here on, where it differs, and what differs in a line each.
    changed: Option<(String, Vec<String>)>,
    /// A line for each file that has changed since the run copied it.
    files: Vec<String>,
}

/// Keys that may change when a run is resumed, with all keys below them; also `dataset.root`, and that of a dataset
/// within another.
const MAY_CHANGE: [&str; 18] = [
    "device",
    "engine",
    "eval",
    "evaluations",
    "trackers",
    "train.epochs",
    "train.threads",
    "train.tile",
    "train.log_every",
    "train.checkpoint_every",
    "train.checkpoint_minutes",
    "train.keep",
    "train.max_failed_checkpoints",
    "train.on_nan",
    "train.on_collapse",
    "train.max_skipped_steps",
    "train.on_error",
    "train.max_skipped_samples",
];

/// Changes that a refusal shows.
const MOST_TOLD: usize = 3;

/// Effect of another number of processes on a step.
pub const OTHER_PROCESSES: &str =
    "the last bits will differ, and so will dropout and batch norms that are not synchronised";

/// The run that the options mean; `None` for a new one.
///
/// # Errors
/// A directory that holds something else or is in use; a run of another config; checkpoints that are all damaged.
pub fn find(experiment: &Experiment, options: &TrainOptions) -> Result<Option<Found>> {
    let path = match (&options.resume, &options.out) {
        (Resume::Run(path), _) => path,
        (Resume::Auto, Some(path)) if RunDir::is_at(path) => path,
        _ => return Ok(None),
    };
    let run = RunDir::open(path)?.locked()?;
    let before = crate::config::load(&run.config_path(), &[])?;
    let changes = changes(&before, experiment).map_err(|refused| {
        Error::config(format!(
            "{}: the run has {refused}; that may not change (docs/RESUME.md): set it back, or start a new run with another --out",
            path.display()
        ))
    })?;
    let changed = match changes.is_empty() {
        true => None,
        false => Some((RunDir::config_of(experiment)?, changes)),
    };
    run.checkpoints().clear_partial()?;
    Ok(Some(Found {
        checkpoint: run.newest_checkpoint(u64::MAX)?,
        changed,
        files: changed_files(experiment, run.path()),
        run,
    }))
}

impl Found {
    /// Says what goes on, and makes the directory what it was at the checkpoint; the trainer stands there already.
    ///
    /// # Errors
    /// Fewer epochs than the run has had, another dataset than `portions`, or the disk's.
    pub fn go_on(
        &self,
        experiment: &Experiment,
        portions: &[Portion],
        trainer: &Trainer,
        progress: &Progress,
    ) -> Result<()> {
        let path = self.run.path().display();
        let (standing, total) = (&trainer.state.standing, trainer.plan.total_steps());
        let steps = standing.step;
        match &self.checkpoint {
            Some(checkpoint) => {
                self.run.require_portions(portions, &experiment.dataset.source())?;
                fmicl_core::require(steps <= total, "train.epochs", || {
                    format!(
                        "{} are fewer than the run has already trained: it is at step {steps}",
                        experiment.train.epochs
                    )
                })
                .map_err(|error| experiment.locate(error))?;
                progress.note(&format!(
                    "{path}: resumes after step {steps} of {total} (epoch {}), from {}",
                    standing.epochs + 1,
                    checkpoint.path.display()
                ));
                self.note_bits(&checkpoint.standing, standing, progress);
            }
            None => {
                self.run.keep_portions(portions)?;
                progress.note(&format!(
                    "{path}: the run there had no checkpoint yet, so it starts again"
                ));
            }
        }
        self.files.iter().for_each(|file| progress.note(file));
        if let Some((config, changes)) = &self.changed {
            changes.iter().for_each(|change| progress.note(change));
            if changes.iter().any(|change| change.starts_with("train.epochs ")) {
                progress.note("the learning rate follows the schedule of the new number of epochs from here on");
            }
            self.run.write_config(config)?;
        }
        Ok(())
    }

    /// What the last bits depend on.
    fn note_bits(&self, before: &Standing, now: &Standing, progress: &Progress) {
        if before.processes != now.processes {
            let (now, before) = (now.processes, before.processes);
            progress.note(&format!("{now} processes, and before {before}: {OTHER_PROCESSES}"));
        }
        if (&before.device, before.threads) != (&now.device, now.threads) {
            progress.note(&format!(
                "on {} with {} threads of libtorch, and before on {} with {}: the last bits will differ",
                now.device, now.threads, before.device, before.threads
            ));
        }
    }
}

/// What differs and may, or the first things that may not.
fn changes(before: &Experiment, now: &Experiment) -> Result<Vec<String>, String> {
    let flat = |experiment| -> Result<_, String> {
        let table = RunDir::table_of(experiment).map_err(|error| error.to_string())?;
        Ok(leaves(&table))
    };
    let (before, now) = (flat(before)?, flat(now)?);
    let keys: std::collections::BTreeSet<_> = before.keys().chain(now.keys()).collect();
    let shown = |value: Option<&toml::Value>| value.map_or("unset".to_string(), toml::Value::to_string);
    let (mut allowed, mut refused) = (Vec::new(), Vec::new());
    for key in keys {
        let (was, is) = (before.get(key), now.get(key));
        if was == is {
            continue;
        }
        match may_change(key) {
            true => allowed.push(format!("{key} is {} now, and was {}", shown(is), shown(was))),
            false => refused.push(format!("{key} = {}, not {}", shown(was), shown(is))),
        }
    }
    match refused.is_empty() {
        true => Ok(allowed),
        false => {
            let more = refused.len().saturating_sub(MOST_TOLD);
            refused.truncate(MOST_TOLD);
            let more = (more > 0).then(|| format!("{more} more"));
            Err(refused.into_iter().chain(more).collect::<Vec<_>>().join(", "))
        }
    }
}

fn may_change(key: &str) -> bool {
    is_listed(key, &MAY_CHANGE) || (key.starts_with("dataset.") && key.ends_with(".root"))
}
