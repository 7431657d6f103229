//! Early ends of a run: a signal, or `--stop-after`.

use crate::log;
use crate::train::callback::{Asked, Callback};
use crate::train::interrupt::{Interrupt, Signal, Stopped};
use crate::train::trainer::Trainer;
use std::path::PathBuf;

/// Ends a run where it is asked to, behind the checkpoint that is then written. Where there are several processes, all of
/// them stop after the same step.
pub struct Signals<'a> {
    /// Source of the request to stop.
    pub interrupt: &'a Interrupt,
    /// Stop after this step.
    pub stop_after: Option<u64>,
    /// The run's directory, which may be on the disk of the first process alone.
    pub path: PathBuf,
    /// Whether this process speaks for all.
    pub speaks: bool,
}

impl Callback for Signals<'_> {
    fn ask(&mut self, trainer: &Trainer, asked: &mut Asked) -> anyhow::Result<()> {
        asked.stop |= self.stop_after.is_some_and(|last| trainer.state.standing.step >= last);
        asked.signal = self.interrupt.number();
        Ok(())
    }

    fn between_steps(&mut self, trainer: &mut Trainer, asked: &Asked) -> anyhow::Result<()> {
        let Some(signal) = Signal::of(asked.signal) else {
            return Ok(());
        };
        let (step, run) = (trainer.state.standing.step, self.path.clone());
        Err(Stopped { signal, step, run }.into())
    }

    /// There is nothing left to save: a signal ends the process at once.
    fn end(&mut self, trainer: &Trainer) -> anyhow::Result<()> {
        let (speaks, run, step) = (self.speaks, self.path.clone(), trainer.state.standing.step);
        let ended = self.interrupt.end_at_once(move |signal| {
            let run = run.clone();
            if speaks {
                log::end("", &Stopped { signal, step, run }.to_string());
            }
        });
        Ok(ended?)
    }
}
