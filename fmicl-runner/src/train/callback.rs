//! Callbacks of the train loop, and the values that they get.

use super::measured::Measured;
use super::trainer::Trainer;
use fmicl_core::tch::Tensor;
use fmicl_core::{Loss, Pairing, Processes, Result, View};
use fmicl_data::Batch;

/// Something that watches the train loop, called in the order of the loop. Within a step it is shown tensors, which stay on
/// the device: reading a number of one would make every step wait.
#[expect(unused_variables, reason = "a callback has the events that it is for")]
pub trait Callback {
    /// The type's name, for the test of the list.
    #[cfg(test)]
    fn name(&self) -> &'static str {
        std::any::type_name::<Self>()
    }

    /// A step begins.
    fn step_begin(&mut self, trainer: &mut Trainer) {}

    /// A batch was read; nothing is computed yet.
    ///
    /// # Errors
    /// A batch that may not be used: the steps before it count.
    fn batch(&mut self, trainer: &mut Trainer, batch: &Batch) -> anyhow::Result<()> {
        Ok(())
    }

    /// A batch's loss is there, without its gradients.
    fn loss(&mut self, trainer: &mut Trainer, forward: &Forward) {}

    /// A step's gradients are there, summed over the processes and not clipped.
    fn gradients(&mut self, trainer: &mut Trainer) {}

    /// Returns true if the optimizer may take the step. The step is skipped if any callback returns false.
    ///
    /// # Errors
    /// An error that ends the run.
    fn may_update(&mut self, trainer: &mut Trainer, step: &Step) -> anyhow::Result<bool> {
        Ok(true)
    }

    /// A step is over, taken or left out.
    fn step_end(&mut self, trainer: &mut Trainer, step: &Step) {}

    /// After every `train.log_every` steps: here the device may be waited for. What is measured is added, or used.
    ///
    /// # Errors
    /// What ends the run.
    fn log(&mut self, trainer: &mut Trainer, measured: &mut Measured) -> anyhow::Result<()> {
        Ok(())
    }

    /// An epoch is over, and counted. As [`log`](Callback::log).
    ///
    /// # Errors
    /// What ends the run.
    fn epoch_end(&mut self, trainer: &mut Trainer, measured: &mut Measured) -> anyhow::Result<()> {
        Ok(())
    }

    /// Between two steps, before [`between_steps`](Callback::between_steps): what this process asks for.
    ///
    /// # Errors
    /// What ends the run.
    fn ask(&mut self, trainer: &Trainer, asked: &mut Asked) -> anyhow::Result<()> {
        Ok(())
    }

    /// Between two steps: does what the processes have asked for.
    ///
    /// # Errors
    /// What ends the run.
    fn between_steps(&mut self, trainer: &mut Trainer, asked: &Asked) -> anyhow::Result<()> {
        Ok(())
    }

    /// A step failed, which ends the run.
    fn failed(&mut self, trainer: &mut Trainer, error: &anyhow::Error) {}

    /// The loop is over, or stops here.
    ///
    /// # Errors
    /// What could not be brought to an end.
    fn end(&mut self, trainer: &Trainer) -> anyhow::Result<()> {
        Ok(())
    }
}

/// A batch on its way through a step.
pub struct Forward<'a> {
    /// This process's views, on the device.
    pub views: &'a [View],
    /// The pairings of all processes.
    pub pairings: &'a [Pairing],
    /// Their mean loss.
    pub loss: &'a Loss,
}

/// Results of a step.
#[derive(Debug, Default)]
pub struct Step {
    /// The loss of each of its batches, without a graph.
    pub losses: Vec<Loss>,
    /// The first pairing of its last batch.
    pub pairing: Option<Pairing>,
    /// The norm of its gradients before clipping.
    pub grad_norm: Tensor,
    /// True if the optimizer took the step.
    pub taken: bool,
}

impl Step {
    /// Adds a batch.
    pub fn add(&mut self, loss: Loss, mut pairings: Vec<Pairing>) {
        self.losses.push(Loss {
            value: loss.value.detach(),
            ..loss
        });
        self.pairing = Some(pairings.swap_remove(0));
    }

    /// The sum of its batches' losses, on the device.
    pub fn loss(&self) -> Tensor {
        let mut values = self.losses.iter().map(|loss| &loss.value);
        let first = values.next().map(Tensor::copy).unwrap_or_default();
        values.fold(first, |sum, value| sum + value)
    }
}

/// Requests of callbacks between two steps. Clocks and signals differ from process to process: where one asks, all do
/// it.
#[derive(Debug, Clone, Copy, Default)]
pub struct Asked {
    /// A checkpoint, for the time since the last one.
    pub checkpoint: bool,
    /// To stop here.
    pub stop: bool,
    /// The number of the signal that asks to stop, or 0.
    pub signal: i64,
}

impl Asked {
    /// Combines the requests of all processes.
    ///
    /// # Errors
    /// Those of [`Processes::all_reduce`].
    pub fn of_all(self, processes: &dyn Processes) -> Result<Self> {
        if !processes.are_many() {
            return Ok(self);
        }
        let own = [self.checkpoint.into(), self.stop.into(), self.signal];
        let [checkpoint, stop, signal] = processes.largest(own)?;
        Ok(Asked {
            checkpoint: checkpoint > 0,
            stop: stop > 0,
            signal,
        })
    }

    /// Returns true if the loop ends here.
    pub fn ends(&self) -> bool {
        self.stop || self.signal != 0
    }
}
