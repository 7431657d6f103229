//! A step: views, pairings, loss, gradients, update.

use super::Trainer;
use crate::left_out::{Pass, with_a_way_out};
use crate::train::Progress;
use crate::train::batch::{backward, forward};
use crate::train::chance::Chance;
use crate::train::finite::Diverged;
use crate::train::journal::Step;
use crate::train::seen::Seen;
use anyhow::bail;
use fmicl_core::tch::{self, Tensor};
use fmicl_core::{Loss, Negatives, Pairing, Result, Rng, View};
use fmicl_data::{Batch, Unreadable};
use std::fmt;

impl Trainer<'_> {
    /// Whether a snapshot is one of a whole number of steps: not in one that failed halfway.
    pub fn is_between_steps(&self) -> bool {
        !self.stepping
    }

    /// Takes one step; the epoch is not over.
    ///
    /// # Errors
    /// An image that cannot be read; at the logging interval, a [`Diverged`].
    pub fn step(&mut self, progress: &Progress) -> anyhow::Result<()> {
        let train = &self.experiment.train;
        let seed = step_seed(self.experiment.seed, self.standing.step, self.processes.rank());
        tch::manual_seed(seed);
        let (mut losses, mut indices) = (Vec::with_capacity(train.accumulate), Vec::new());
        let mut last = None;
        if let Some(guard) = &mut self.guard {
            guard.remember();
        }
        for number in 0..train.accumulate {
            let batch = self.next_batch()?;
            self.stepping = true;
            if number == 0 {
                self.see_features(&batch.views, seed);
            }
            let (loss, pairing) = self.forward(&batch.views)?;
            if self.standing.step == 0 && number == 0 {
                let chance = Chance::of(&*self.experiment.objective, &pairing);
                // It drew from libtorch's one generator; what follows must depend on the run's seed.
                tch::manual_seed(seed);
                progress.note(&format!(
                    "chance level of the loss, of independent random features: {chance}"
                ));
            }
            if number + 1 == train.accumulate {
                self.sums.begin();
            }
            backward(self.experiment, self.processes, &loss, 1.0 / train.accumulate as f64)?;
            losses.push(Loss {
                value: loss.value.detach(),
                ..loss
            });
            indices.extend(batch.of_all);
            last = Some(pairing);
        }
        self.sums.finish(&mut self.parameters)?;
        self.see_gradients();
        let total = losses
            .iter()
            .skip(1)
            .fold(losses[0].value.copy(), |sum, loss| sum + &loss.value);
        let grad_norm = self.reduce();
        self.watch.note(self.standing.step + 1, indices, total, &grad_norm);
        let diverged = match self.guard {
            Some(_) => self.look()?,
            None => None,
        };
        if let Some(pairing) = last
            && (diverged.is_none() || self.last.is_none())
        {
            self.last = Some((pairing, grad_norm));
        }
        match (diverged, &mut self.guard) {
            (Some(diverged), Some(guard)) => {
                self.standing.skipped_steps += 1;
                guard.skip(diverged, self.standing.skipped_steps)?;
                self.model.learner.discard();
            }
            _ => {
                losses.iter().for_each(|loss| self.meter.add(loss));
                self.update();
            }
        }
        self.parameters.zero_grad();
        self.stepping = false;
        self.standing.step += 1;
        self.standing.batch += train.accumulate;
        self.standing.score = None;
        progress.step();
        if self.standing.step.is_multiple_of(train.log_every as u64) {
            self.require_finite()?;
            self.write_down()?;
            progress.show(
                self.standing.epochs + 1,
                self.meter.mean_loss(),
                self.meter.images_per_second(train.batch_size),
                self.meter.waiting(),
            );
        }
        Ok(())
    }

    /// A line of the journal for the step that was looked at last.
    fn write_down(&mut self) -> Result<()> {
        self.looked_at().map_or(Ok(()), |step| self.journal.step(&step))
    }

    /// The last step, where it was looked at.
    pub fn looked_at(&self) -> Option<Step> {
        let (loss, grad_norm) = self.watch.last()?;
        Some(Step {
            epoch: self.standing.epochs + 1,
            step: self.standing.step,
            lr: self.schedule.lr(self.standing.step - 1),
            loss: loss / self.experiment.train.accumulate as f64,
            grad_norm,
        })
    }

    /// The loss of a batch, of which `views` are this process's part, and its first pairing.
    fn forward(&mut self, views: &[View]) -> Result<(Loss, Pairing)> {
        let views: Vec<View> = views.iter().map(|view| view.to_device(self.device)).collect();
        for (number, view) in (1..).zip(&views) {
            self.see(format_args!("view {number}"), &view.input);
        }
        let (loss, mut pairings) = forward(self.experiment, &mut *self.model.learner, self.processes, &views)?;
        for (number, pairing) in (1..).zip(&pairings) {
            self.see(format_args!("anchors {number}"), &pairing.anchors);
            self.see(format_args!("positives {number}"), &pairing.positives);
            if let Negatives::Bank(negatives) | Negatives::Candidates(negatives) = &pairing.negatives {
                self.see(format_args!("negatives {number}"), negatives);
            }
        }
        for (name, term) in &loss.terms {
            self.see(format_args!("term {name}"), term);
        }
        self.see("loss", &loss.value);
        Ok((loss, pairings.swap_remove(0)))
    }

    /// From here on every tensor of a step is looked at, which takes time.
    pub fn look_closely(&mut self) {
        self.seen = Some(Vec::new());
        let mut variables: Vec<_> = self.model.store.variables().into_iter().collect();
        variables.sort_by(|a, b| a.0.cmp(&b.0));
        for (name, variable) in variables {
            self.see(name, &variable);
        }
    }

    /// What was seen, in its order.
    pub fn seen(&mut self) -> Vec<Seen> {
        self.seen.take().unwrap_or_default()
    }

    fn see(&mut self, name: impl fmt::Display, tensor: &Tensor) {
        if let Some(seen) = &mut self.seen {
            seen.push(Seen::new(name.to_string(), tensor));
        }
    }

    /// What the backbone makes of the step's first views, which the architecture keeps to itself. The generator is then
    /// where it was, at `seed`.
    fn see_features(&mut self, views: &[View], seed: i64) {
        if self.seen.is_none() {
            return;
        }
        for (number, view) in (1..).zip(views) {
            let view = view.to_device(self.device);
            let features = tch::no_grad(|| self.model.learner.encoder().forward(&view, true));
            self.see(format_args!("features {number}"), &features);
        }
        tch::manual_seed(seed);
    }

    fn see_gradients(&mut self) {
        if let Some(seen) = &mut self.seen {
            for group in &self.parameters.groups {
                for slice in &group.slices {
                    let gradient = group.grads.narrow(0, slice.offset, slice.len);
                    seen.push(Seen::new(format!("gradient of {}", slice.name), &gradient));
                }
            }
        }
    }

    fn next_batch(&mut self) -> anyhow::Result<Batch> {
        // The loader runs on through the epochs.
        let batches = match &mut self.batches {
            Some(batches) => batches,
            None => {
                let epochs = self.standing.epochs as u64..self.experiment.train.epochs as u64;
                let batches = self.loader.epochs(epochs, self.used, self.standing.batch)?;
                self.batches.insert(batches)
            }
        };
        let batch = match self.meter.wait_for(|| batches.next()) {
            Some(batch) => batch.map_err(with_a_way_out)?,
            None => bail!("epoch {} had no more batches", self.standing.epochs + 1),
        };
        let (left_out, split) = &self.left_out;
        left_out.add(Pass::Training, split, &batch.unreadable);
        self.skipped.list(left_out)?;
        self.meter.skip(batch.unreadable.len());
        let (count, most) = (self.meter.skipped_samples(), self.experiment.train.max_skipped_samples);
        match batch.unreadable.last() {
            Some(Unreadable { error, .. }) if count > most => bail!(
                "{count} samples of epoch {} cannot be read, and train.max_skipped_samples is {most}; the last: {error}",
                self.standing.epochs + 1
            ),
            _ => Ok(batch),
        }
    }

    /// Clips the gradients; their norm before that.
    fn reduce(&mut self) -> Tensor {
        match self.experiment.train.clip_grad_norm {
            Some(max_norm) => self.parameters.clip_grad_norm(max_norm),
            None => self.parameters.grad_norm(),
        }
    }

    /// The optimizer's step, and what follows it.
    fn update(&mut self) {
        let step = self.standing.step;
        self.optimizer.step(&mut self.parameters, self.schedule.lr(step));
        let progress = (step + 1) as f64 / self.total_steps() as f64;
        self.model.learner.after_step(&self.parameters, progress);
    }

    fn look(&mut self) -> Result<Option<Diverged>> {
        self.watch.look(self.experiment, self.steps_per_epoch())
    }

    /// That all losses and gradients so far were finite; waits for the device.
    ///
    /// # Errors
    /// A [`Diverged`] with the first step that was not.
    pub fn require_finite(&mut self) -> anyhow::Result<()> {
        match self.look()? {
            Some(diverged) => Err(diverged.into()),
            None => Ok(()),
        }
    }
}

/// Where libtorch's generator begins a step: what is drawn in one, such as dropout, does not depend on the steps that this
/// process took before, and is another in each process. The first one draws what one alone would.
fn step_seed(seed: u64, step: u64, rank: usize) -> i64 {
    let mut rng = match rank {
        0 => Rng::new(&[seed, step]),
        rank => Rng::new(&[seed, step, rank as u64]),
    };
    rng.bits() as i64
}
