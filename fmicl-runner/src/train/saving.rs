//! When a run writes a checkpoint, and when it stops.

use super::checkpoints::Writer;
use super::finite::Diverged;
use super::interrupt::{Interrupt, Stopped};
use super::{RunDir, TrainOptions, Trainer};
use crate::config::Train;
use fmicl_core::{Error, Result};
use std::time::{Duration, Instant};

/// Where the samples of a step that was not finite are written.
const DIVERGED: &str = "diverged.json";

/// Writes checkpoints as `[train]` asks, and at a signal.
pub struct Saving<'a> {
    train: &'a Train,
    run: &'a RunDir,
    interrupt: &'a Interrupt,
    /// Stop after this step, as at a signal.
    stop_after: Option<u64>,
    writer: Writer,
    saved: Instant,
    /// Checkpoints of this process, and the time that training waited for them.
    cost: (usize, Duration),
    best: Option<f64>,
}

impl<'a> Saving<'a> {
    /// For a run that goes on from the checkpoint after `last` steps, if there was one.
    ///
    /// # Errors
    /// Checkpoints that cannot be listed.
    pub fn new(train: &'a Train, run: &'a RunDir, options: &'a TrainOptions, last: Option<u64>) -> Result<Self> {
        let checkpoints = run.checkpoints();
        Ok(Saving {
            best: checkpoints.best_score()?,
            writer: Writer::new(checkpoints, train.keep, last),
            train,
            run,
            interrupt: &options.interrupt,
            stop_after: options.stop_after,
            saved: Instant::now(),
            cost: (0, Duration::ZERO),
        })
    }

    /// Between two steps: writes a checkpoint where one is due. `score` is that of an epoch which has just ended: none
    /// in the middle of one, `Some(None)` where it was not evaluated. Whether the run is to stop here.
    ///
    /// # Errors
    /// A checkpoint that cannot be written; a loss that is not finite, which must not become one; a [`Stopped`].
    pub fn between_steps(&mut self, trainer: &mut Trainer, score: Option<Option<f64>>) -> anyhow::Result<bool> {
        self.writer.check()?;
        let minutes = Duration::from_secs_f64(60.0 * self.train.checkpoint_minutes);
        let by_time = !minutes.is_zero() && self.saved.elapsed() >= minutes;
        let by_epoch = score.is_some_and(|score| {
            let better = |score| self.best.is_none_or(|best| score > best);
            trainer.epochs().is_multiple_of(self.train.checkpoint_every)
                || trainer.steps() == trainer.total_steps()
                || score.is_some_and(better)
        });
        let stop = self.stop_after.is_some_and(|last| trainer.steps() >= last);
        let asked = self.interrupt.asked();
        if by_time || by_epoch || stop || asked.is_some() {
            self.save(trainer)?;
            self.best = self.best.into_iter().chain(score.flatten()).max_by(f64::total_cmp);
        }
        if stop || asked.is_some() {
            self.writer.wait()?;
        }
        match asked {
            Some(signal) => Err(Stopped {
                signal,
                step: trainer.steps(),
                run: self.run.path().to_path_buf(),
            }
            .into()),
            None => Ok(stop),
        }
    }

    /// Writes a checkpoint of the steps before one that failed, such as by a sample that cannot be read.
    pub fn rescue(&mut self, trainer: &mut Trainer, error: &anyhow::Error) {
        if trainer.is_between_steps()
            && !error.is::<Diverged>()
            && let Err(second) = self.save(trainer)
        {
            // The first one is the one to tell.
            tracing::warn!("{second}");
        }
    }

    fn save(&mut self, trainer: &mut Trainer) -> anyhow::Result<()> {
        self.saved = Instant::now();
        if self.writer.last() == Some(trainer.steps()) {
            return Ok(());
        }
        trainer.require_finite()?;
        let asked = Instant::now();
        self.writer.save(trainer.snapshot())?;
        self.cost = (self.cost.0 + 1, self.cost.1 + asked.elapsed());
        Ok(())
    }

    /// An error of training as the user sees it: of a step that is not finite, the file with its samples, the checkpoint
    /// before it and what may help.
    pub fn explain(&mut self, error: anyhow::Error) -> anyhow::Error {
        let Some(diverged) = error.downcast_ref::<Diverged>() else {
            return error;
        };
        let written = self
            .writer
            .wait()
            .and_then(|()| self.run.write_json(DIVERGED, diverged));
        if let Err(error) = written {
            return error.into();
        }
        let run = self.run.path().display();
        let good = match self.run.last_checkpoint() {
            Ok(path) => format!("the last good checkpoint is {}", path.with_file_name("").display()),
            Err(_) => "there is no checkpoint before it".into(),
        };
        Error::Run(format!(
            "{diverged}; {good}; all samples are in {run}/{DIVERGED}; try a lower train.lr or a train.clip_grad_norm, and look \
             at it by: fmicl replay {run} --step {}",
            diverged.step
        ))
        .into()
    }

    /// What the checkpoints of this process have cost, for the log.
    pub fn cost(&self) -> String {
        let (count, waited) = self.cost;
        format!(
            "training has waited {:.2} s for {count} checkpoints",
            waited.as_secs_f64()
        )
    }

    /// Waits for the last checkpoint; from here on signals end the process.
    ///
    /// # Errors
    /// A checkpoint that cannot be written.
    pub fn finish(mut self) -> Result<()> {
        self.writer.wait()?;
        self.interrupt.release();
        Ok(())
    }
}
