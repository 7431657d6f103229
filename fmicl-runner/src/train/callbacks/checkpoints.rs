//! When a run writes a checkpoint.

use super::progress::Progress;
use super::tracking::SharedTrackers;
use crate::config::Train;
use crate::run::{RunDir, Writer};
use crate::train::callback::{Asked, Callback};
use crate::train::finite::Diverged;
use crate::train::measured::Measured;
use crate::train::trainer::Trainer;
use fmicl_core::Result;
use std::time::{Duration, Instant};

/// Writes checkpoints as `[train]` asks, and where a run ends or stops. Where there are several processes, the first one
/// writes.
pub struct Checkpoints<'a> {
    train: &'a Train,
    /// Directory and writer, in the process that writes.
    to: Option<(&'a RunDir, Writer)>,
    /// A checkpoint counts on what was tracked before it.
    trackers: SharedTrackers,
    progress: Progress,
    saved: Instant,
    /// Checkpoints of this process, and the time that training waited for them.
    cost: (usize, Duration),
    best: Option<f64>,
    /// Checkpoints in a row that could not be written.
    failed: u64,
    /// The score of an epoch that has just ended, where it was evaluated.
    ended: Option<Option<f64>>,
}

impl<'a> Checkpoints<'a> {
    /// For a run that goes on from the checkpoint after `last` steps, if there was one.
    ///
    /// # Errors
    /// Checkpoints that cannot be listed.
    pub fn new(
        train: &'a Train,
        run: Option<&'a RunDir>,
        trackers: SharedTrackers,
        progress: Progress,
        last: Option<u64>,
    ) -> Result<Self> {
        Ok(Checkpoints {
            best: run.map(|run| run.checkpoints().best_score()).transpose()?.flatten(),
            to: run.map(|run| (run, Writer::new(run.checkpoints(), train.keep, last))),
            train,
            trackers,
            progress,
            saved: Instant::now(),
            cost: (0, Duration::ZERO),
            failed: 0,
            ended: None,
        })
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

    /// Returns true if this process writes, and has no checkpoint of the trainer as it is.
    fn is_due(&self, trainer: &Trainer) -> bool {
        let due = |(_, writer): &(_, Writer)| writer.last() != Some(trainer.state.standing.step);
        self.to.as_ref().is_some_and(due)
    }

    fn begin(&mut self, trainer: &Trainer) -> Result<()> {
        let Some((_, writer)) = &mut self.to else {
            return Ok(());
        };
        let flushed = self.trackers.borrow_mut().flush();
        let begun = flushed.and_then(|()| writer.save(trainer.state.snapshot()));
        begun.map_err(|error| writer.failed(&error))
    }

    /// Waits for the last checkpoint; whether there was one to wait for.
    fn wait(&mut self) -> Result<bool> {
        self.to.as_mut().map_or(Ok(false), |(_, writer)| writer.wait())
    }

    /// Looks at what became of the last checkpoint, for which it waits.
    fn judge_last(&mut self) -> Result<()> {
        let written = self.wait();
        self.judge(written)
    }

    /// Counts failed writes in a row; returns the error after more than `train.max_failed_checkpoints` of them.
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
        let best = |(run, _): &(&RunDir, _)| run.checkpoints().best_score().unwrap_or(None);
        self.best = self.to.as_ref().and_then(best);
        let count = self.failed;
        tracing::warn!(
            "{error}; training continues, and the next one is tried: {count} of at most {most} failures in a row"
        );
        Ok(())
    }
}

impl Callback for Checkpoints<'_> {
    fn epoch_end(&mut self, trainer: &mut Trainer, _: &mut Measured) -> anyhow::Result<()> {
        self.ended = Some(trainer.state.standing.score);
        Ok(())
    }

    /// # Errors
    /// One that could not be written, after `train.max_failed_checkpoints` others in a row.
    fn ask(&mut self, _: &Trainer, asked: &mut Asked) -> anyhow::Result<()> {
        if self.to.as_ref().is_some_and(|(_, writer)| writer.is_ready()) {
            self.judge_last()?;
        }
        let minutes = Duration::from_secs_f64(60.0 * self.train.checkpoint_minutes);
        asked.checkpoint |= !minutes.is_zero() && self.saved.elapsed() >= minutes;
        Ok(())
    }

    /// # Errors
    /// As [`ask`](Callback::ask), one that cannot be written at the end, and a step that is not finite, which must not
    /// become one.
    fn between_steps(&mut self, trainer: &mut Trainer, asked: &Asked) -> anyhow::Result<()> {
        let ended = self.ended.take();
        let by_epoch = ended.is_some_and(|score| {
            let better = |score| self.best.is_none_or(|best| score > best);
            trainer
                .state
                .standing
                .epochs
                .is_multiple_of(self.train.checkpoint_every)
                || score.is_some_and(better)
        });
        if asked.ends() || (ended.is_some() && trainer.is_over()) {
            self.save_at_once(trainer)?;
        } else if asked.checkpoint || by_epoch {
            self.save(trainer)?;
            self.best = self.best.into_iter().chain(ended.flatten()).max_by(f64::total_cmp);
        }
        Ok(())
    }

    /// Writes a checkpoint of the steps before one that failed, such as by a sample that cannot be read.
    fn failed(&mut self, trainer: &mut Trainer, error: &anyhow::Error) {
        if !trainer.state.stepping
            && !error.is::<Diverged>()
            && let Err(second) = self.save_at_once(trainer)
        {
            // The first one is the one to tell.
            tracing::warn!("{second}");
        }
    }

    /// Waits for the last one.
    fn end(&mut self, _: &Trainer) -> anyhow::Result<()> {
        let (count, waited) = (self.cost.0, self.cost.1.as_secs_f64());
        if count > 0 {
            self.progress
                .note(&format!("training has waited {waited:.2} s for {count} checkpoints"));
        }
        self.wait()?;
        Ok(())
    }
}
