//! When a run writes a checkpoint, and when it stops.

use super::finite::Diverged;
use super::interrupt::{Interrupt, Signal, Stopped};
use super::{TrainOptions, Trainer};
use crate::config::{Experiment, Train};
use crate::run::{RunDir, Writer};
use crate::{log, shell};
use fmicl_core::{Error, Processes, Result};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// Where the samples of a step that was not finite are written.
const DIVERGED: &str = "diverged.json";

/// Writes checkpoints as `[train]` asks, and at a signal. Where there are several processes, all of them stop after the same
/// step, and the first one writes.
pub struct Saving<'a> {
    experiment: &'a Experiment,
    train: &'a Train,
    processes: &'a dyn Processes,
    /// The run's directory, which may be on the disk of the first process alone.
    path: PathBuf,
    /// The same, in the process that writes.
    run: Option<&'a RunDir>,
    interrupt: &'a Interrupt,
    /// Stop after this step, as at a signal.
    stop_after: Option<u64>,
    /// In the same process.
    writer: Option<Writer>,
    saved: Instant,
    /// Checkpoints of this process, and the time that training waited for them.
    cost: (usize, Duration),
    best: Option<f64>,
    /// Checkpoints in a row that could not be written.
    failed: u64,
}

impl<'a> Saving<'a> {
    /// For a run that goes on from the checkpoint after `last` steps, if there was one.
    ///
    /// # Errors
    /// Checkpoints that cannot be listed.
    pub fn new(
        experiment: &'a Experiment,
        processes: &'a dyn Processes,
        (path, run): (&Path, Option<&'a RunDir>),
        options: &'a TrainOptions,
        last: Option<u64>,
    ) -> Result<Self> {
        Ok(Saving {
            best: run.map(|run| run.checkpoints().best_score()).transpose()?.flatten(),
            writer: run.map(|run| Writer::new(run.checkpoints(), experiment.train.keep, last)),
            experiment,
            train: &experiment.train,
            processes,
            path: path.to_path_buf(),
            run,
            interrupt: &options.interrupt,
            stop_after: options.stop_after,
            saved: Instant::now(),
            cost: (0, Duration::ZERO),
            failed: 0,
        })
    }

    /// Between two steps: writes a checkpoint where one is due. `score` is that of an epoch which has just ended: none
    /// in the middle of one, `Some(None)` where it was not evaluated. Whether the run is to stop here.
    ///
    /// # Errors
    /// One that cannot be written: at the end, or after `train.max_failed_checkpoints` others in a row; a loss that is not
    /// finite, which must not become one; a [`Stopped`].
    pub fn between_steps(&mut self, trainer: &mut Trainer, score: Option<Option<f64>>) -> anyhow::Result<bool> {
        if self.writer.as_ref().is_some_and(Writer::is_ready) {
            self.judge_last()?;
        }
        let minutes = Duration::from_secs_f64(60.0 * self.train.checkpoint_minutes);
        let by_time = !minutes.is_zero() && self.saved.elapsed() >= minutes;
        let stop = self.stop_after.is_some_and(|last| trainer.steps() >= last);
        // Clocks and signals differ from process to process.
        let own = [by_time.into(), stop.into(), self.interrupt.number()];
        let [by_time, stop, asked] = match self.processes.are_many() {
            true => self.processes.largest(own)?,
            false => own,
        };
        let (by_time, stop, asked) = (by_time > 0, stop > 0, Signal::of(asked));
        let by_epoch = score.is_some_and(|score| {
            let better = |score| self.best.is_none_or(|best| score > best);
            trainer.epochs().is_multiple_of(self.train.checkpoint_every) || score.is_some_and(better)
        });
        if stop || asked.is_some() || (score.is_some() && trainer.steps() == trainer.total_steps()) {
            self.save_at_once(trainer)?;
        } else if by_time || by_epoch {
            self.save(trainer)?;
            self.best = self.best.into_iter().chain(score.flatten()).max_by(f64::total_cmp);
        }
        match asked {
            Some(signal) => Err(Stopped {
                signal,
                step: trainer.steps(),
                run: self.path.clone(),
            }
            .into()),
            None => Ok(stop),
        }
    }

    /// Writes a checkpoint of the steps before one that failed, such as by a sample that cannot be read.
    pub fn rescue(&mut self, trainer: &mut Trainer, error: &anyhow::Error) {
        if trainer.is_between_steps()
            && !error.is::<Diverged>()
            && let Err(second) = self.save_at_once(trainer)
        {
            // The first one is the one to tell.
            tracing::warn!("{second}");
        }
    }

    /// Begins to write a checkpoint beside training. One that cannot be written is said, and tried again at the next.
    fn save(&mut self, trainer: &mut Trainer) -> anyhow::Result<()> {
        self.saved = Instant::now();
        // In every process, so that all stop at the same step.
        trainer.require_finite()?;
        if !self.is_due(trainer) {
            return Ok(());
        }
        let asked = Instant::now();
        self.judge_last()?;
        let begun = self.begin(trainer);
        self.judge(begun.map(|()| false))?;
        self.cost = (self.cost.0 + 1, self.cost.1 + asked.elapsed());
        Ok(())
    }

    /// Writes a checkpoint that must be there.
    fn save_at_once(&mut self, trainer: &mut Trainer) -> anyhow::Result<()> {
        trainer.require_finite()?;
        // What became of the one before is no matter: this one counts.
        let _ = self.wait();
        if self.is_due(trainer) {
            self.begin(trainer)?;
            self.wait()?;
        }
        Ok(())
    }

    /// Whether this process writes, and has no checkpoint of the trainer as it is.
    fn is_due(&self, trainer: &Trainer) -> bool {
        let due = |writer: &Writer| writer.last() != Some(trainer.steps());
        self.writer.as_ref().is_some_and(due)
    }

    fn begin(&mut self, trainer: &mut Trainer) -> Result<()> {
        let Some(writer) = &mut self.writer else {
            return Ok(());
        };
        // A checkpoint counts on the lines before it.
        let begun = trainer.journal.flush().and_then(|()| writer.save(trainer.snapshot()));
        begun.map_err(|error| writer.failed(&error))
    }

    /// Waits for the last checkpoint; whether there was one to wait for.
    fn wait(&mut self) -> Result<bool> {
        self.writer.as_mut().map_or(Ok(false), Writer::wait)
    }

    /// Looks at what became of the last checkpoint, for which it waits.
    fn judge_last(&mut self) -> Result<()> {
        let written = self.wait();
        self.judge(written)
    }

    /// `written`: whether a checkpoint was. One that was not is an error where too many have not been.
    fn judge(&mut self, written: Result<bool>) -> Result<()> {
        let error = match written {
            Ok(true) => {
                self.failed = 0;
                return Ok(());
            }
            Ok(false) => return Ok(()),
            Err(error) => error,
        };
        let most = self.train.max_failed_checkpoints;
        self.failed += 1;
        if self.failed > most {
            return Err(error);
        }
        // It may have been the best.
        self.best = self.run.and_then(|run| run.checkpoints().best_score().unwrap_or(None));
        let count = self.failed;
        tracing::warn!(
            "{error}; training goes on, and the next one is tried: {count} of at most {most} failures in a row"
        );
        Ok(())
    }

    /// An error of training as the user sees it: of a step that is not finite, the file with its samples, the checkpoint
    /// before it and what may help.
    pub fn explain(&mut self, error: anyhow::Error) -> anyhow::Error {
        let (Some(diverged), Some(run)) = (error.downcast_ref::<Diverged>(), self.run) else {
            return error;
        };
        let written = self.wait().and_then(|_| run.write_json(DIVERGED, diverged));
        if let Err(error) = written {
            return error.into();
        }
        let good = match run.last_checkpoint() {
            Ok(path) => format!("the last good checkpoint is {}", path.with_file_name("").display()),
            Err(_) => "there is no checkpoint before it".into(),
        };
        let (run, replay) = (run.path().display(), shell::word(run.path()));
        Error::Run(format!(
            "{diverged}; {good}; all samples are in {run}/{DIVERGED}; {}, and look at it by: fmicl replay \
             {replay} --step {}",
            diverged.advice(self.experiment),
            diverged.step
        ))
        .into()
    }

    /// What the checkpoints on the way have cost, for the log.
    pub fn cost(&self) -> Option<String> {
        let (count, waited) = (self.cost.0, self.cost.1.as_secs_f64());
        (count > 0).then(|| format!("training has waited {waited:.2} s for {count} checkpoints"))
    }

    /// Waits for the last checkpoint, after `step` steps; from here on a signal ends the process at once.
    ///
    /// # Errors
    /// A checkpoint that cannot be written.
    pub fn finish(mut self, step: u64) -> Result<()> {
        self.wait()?;
        let (speaks, run) = (self.run.is_some(), self.path.clone());
        self.interrupt.end_at_once(move |signal| {
            let run = run.clone();
            if speaks {
                log::end("", &Stopped { signal, step, run }.to_string());
            }
        })
    }
}
