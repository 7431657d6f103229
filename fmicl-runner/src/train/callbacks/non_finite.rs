//! The non-finite check. By default a run ends at the first step whose loss or gradient is not finite, when the device is next
//! waited for; with `train.on_nan = "skip"` such a step leaves the model as it was.

use crate::config::{OnNan, Train};
use crate::train::callback::{Callback, Step};
use crate::train::finite::Diverged;
use crate::train::measured::Measured;
use crate::train::trainer::Trainer;
use fmicl_core::tch::{Tensor, nn::VarStore, no_grad};
use fmicl_data::Batch;

/// Finds steps that are not finite.
pub struct NonFinite {
    guard: Option<Guard>,
    /// The samples of the running step.
    samples: Vec<usize>,
}

impl NonFinite {
    /// As an experiment says, of a model in this store.
    pub fn new(train: &Train, store: &VarStore) -> Self {
        NonFinite {
            guard: Guard::of(train, store),
            samples: Vec::new(),
        }
    }
}

impl Callback for NonFinite {
    fn step_begin(&mut self, _: &mut Trainer) {
        if let Some(guard) = &mut self.guard {
            guard.remember();
        }
    }

    fn batch(&mut self, _: &mut Trainer, batch: &Batch) -> anyhow::Result<()> {
        self.samples.extend(&batch.of_all);
        Ok(())
    }

    /// Only where such a step is skipped the device is waited for.
    fn may_update(&mut self, trainer: &mut Trainer, step: &Step) -> anyhow::Result<bool> {
        let (number, samples) = (trainer.state.standing.step + 1, std::mem::take(&mut self.samples));
        trainer.state.watch.note(number, samples, step.loss(), &step.grad_norm);
        let Some(guard) = &mut self.guard else {
            return Ok(true);
        };
        let Some(diverged) = trainer.look()? else {
            return Ok(true);
        };
        trainer.state.standing.skipped_steps += 1;
        guard.skip(diverged, trainer.state.standing.skipped_steps)?;
        Ok(false)
    }

    fn log(&mut self, trainer: &mut Trainer, _: &mut Measured) -> anyhow::Result<()> {
        trainer.require_finite()
    }

    fn epoch_end(&mut self, trainer: &mut Trainer, _: &mut Measured) -> anyhow::Result<()> {
        trainer.require_finite()
    }
}

/// What a step changes before it is known whether it is finite, as it was before the step: running statistics and the
/// like. The parameters change later.
struct Guard {
    /// The variables without a gradient, and copies of them.
    buffers: Vec<(Tensor, Tensor)>,
    most: u64,
}

impl Guard {
    /// None where a step that is not finite ends the run.
    fn of(train: &Train, store: &VarStore) -> Option<Self> {
        let variables = store.variables().into_values();
        let buffers = variables.filter(|var| !var.requires_grad());
        (train.on_nan == OnNan::Skip).then(|| Guard {
            buffers: buffers.map(|var| (var.shallow_clone(), var.copy())).collect(),
            most: train.max_skipped_steps,
        })
    }

    /// Copies the buffers: a step begins.
    fn remember(&mut self) {
        no_grad(|| self.buffers.iter_mut().for_each(|(var, copy)| copy.copy_(var)));
    }

    /// Puts the buffers back, and says so.
    ///
    /// # Errors
    /// The step, where with it more have been skipped than may be.
    fn skip(&mut self, diverged: Diverged, skipped: u64) -> anyhow::Result<()> {
        no_grad(|| self.buffers.iter_mut().for_each(|(var, copy)| var.copy_(copy)));
        tracing::warn!(
            "skipped non-finite step ({skipped} of {} allowed): {diverged}",
            self.most
        );
        match skipped > self.most {
            true => Err(diverged.into()),
            false => Ok(()),
        }
    }
}
