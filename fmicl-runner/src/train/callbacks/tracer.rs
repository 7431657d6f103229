//! Every tensor of a step, for `fmicl replay`.

use crate::train::callback::{Callback, Forward};
use crate::train::seen::Seen;
use crate::train::trainer::Trainer;
use fmicl_core::Negatives;
use fmicl_core::tch::{self, Tensor};
use fmicl_data::Batch;
use std::cell::RefCell;
use std::fmt;
use std::rc::Rc;

/// Traced tensors, in order.
pub type Traced = Rc<RefCell<Vec<Seen>>>;

/// Looks at every tensor of the step to come, which waits for the device at each.
pub struct Tracer {
    seen: Traced,
    /// Whether a batch has been seen.
    begun: bool,
}

impl Tracer {
    /// Has looked at the model's variables.
    pub fn new(trainer: &Trainer) -> Self {
        let tracer = Tracer {
            seen: Traced::default(),
            begun: false,
        };
        let mut variables: Vec<_> = trainer.state.model.store.variables().into_iter().collect();
        variables.sort_by(|a, b| a.0.cmp(&b.0));
        for (name, variable) in variables {
            tracer.see(name, &variable);
        }
        tracer
    }

    /// Shared access to the trace, to print it.
    pub fn traced(&self) -> Traced {
        self.seen.clone()
    }

    fn see(&self, name: impl fmt::Display, tensor: &Tensor) {
        self.seen.borrow_mut().push(Seen::new(name.to_string(), tensor));
    }
}

impl Callback for Tracer {
    /// What the backbone makes of the step's first views, which the architecture keeps to itself. The generator is then
    /// where the step begins.
    fn batch(&mut self, trainer: &mut Trainer, batch: &Batch) -> anyhow::Result<()> {
        if std::mem::replace(&mut self.begun, true) {
            return Ok(());
        }
        for (number, view) in (1..).zip(&batch.views) {
            let view = view.to_device(trainer.plan.device);
            let encoder = trainer.state.model.learner.encoder();
            let features = tch::no_grad(|| encoder.forward(&view, true));
            self.see(format_args!("features {number}"), &features);
        }
        trainer.plan.seed_step(trainer.state.standing.step);
        Ok(())
    }

    fn loss(&mut self, _: &mut Trainer, forward: &Forward) {
        for (number, view) in (1..).zip(forward.views) {
            self.see(format_args!("view {number}"), &view.input);
        }
        for (number, pairing) in (1..).zip(forward.pairings) {
            self.see(format_args!("anchors {number}"), &pairing.anchors);
            self.see(format_args!("positives {number}"), &pairing.positives);
            if let Negatives::Bank(negatives) | Negatives::Candidates(negatives) = &pairing.negatives {
                self.see(format_args!("negatives {number}"), negatives);
            }
        }
        for (name, term) in &forward.loss.terms {
            self.see(format_args!("term {name}"), term);
        }
        self.see("loss", &forward.loss.value);
    }

    fn gradients(&mut self, trainer: &mut Trainer) {
        for group in &trainer.state.parameters.groups {
            for slice in &group.slices {
                let gradient = group.grads.narrow(0, slice.offset, slice.len);
                self.see(format_args!("gradient of {}", slice.name), &gradient);
            }
        }
    }
}
