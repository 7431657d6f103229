//! Metrics of steps and epochs.

use crate::train::callback::{Callback, Step};
use crate::train::measured::Measured;
use crate::train::trainer::Trainer;
use anyhow::bail;
use fmicl_core::geometry;
use fmicl_core::tch::{Tensor, no_grad};
use std::fmt::Write;

/// The names of the numbers that each epoch has, `GROUP/NAME` in a group, beside the terms of the loss, what the objective learns and
/// what evaluations measure.
pub const EPOCH_METRICS: [&str; 12] = [
    "epoch",
    "step",
    "lr",
    "loss",
    "projections/alignment",
    "projections/uniformity",
    "projections/effective_rank",
    "projections/mean_cosine",
    "projections/dimensions",
    "grad_norm",
    "images_per_second",
    "waiting",
];
/// Those of an epoch in which several processes trained, steps or samples were skipped.
pub const SOME_EPOCHS_METRICS: [&str; 3] = ["communicating", "skipped_steps", "skipped_samples"];

/// Sums up the losses of an epoch, on the device, and reads them where it ends.
#[derive(Debug, Default)]
pub struct Metrics {
    last: Option<Last>,
}

/// Projections of an epoch's last step: those of its last batch's first pairing, `[N, d]`.
#[derive(Debug)]
struct Last {
    anchors: Tensor,
    positives: Tensor,
    grad_norm: Tensor,
}

impl Callback for Metrics {
    fn step_end(&mut self, trainer: &mut Trainer, step: &Step) {
        if step.taken {
            let meter = &mut trainer.state.meter;
            step.losses.iter().for_each(|loss| meter.add(loss));
        }
        if let Some(pairing) = &step.pairing
            && (step.taken || self.last.is_none())
        {
            self.last = Some(Last {
                anchors: pairing.anchors.shallow_clone(),
                positives: pairing.positives.shallow_clone(),
                grad_norm: step.grad_norm.shallow_clone(),
            });
        }
    }

    /// Of the last step: its learning rate, its loss, and the norm of its gradients before clipping.
    fn log(&mut self, trainer: &mut Trainer, measured: &mut Measured) -> anyhow::Result<()> {
        let Some((loss, grad_norm)) = trainer.state.watch.last() else {
            return Ok(());
        };
        measured.number("lr", trainer.last_lr()?);
        measured.number("loss", loss / trainer.plan.experiment.train.accumulate as f64);
        measured.number("grad_norm", grad_norm);
        Ok(())
    }

    fn epoch_end(&mut self, trainer: &mut Trainer, measured: &mut Measured) -> anyhow::Result<()> {
        let Some(last) = self.last.take() else {
            bail!("epoch {} had no step", measured.at.epoch)
        };
        if trainer.state.meter.is_empty() {
            bail!("every step of epoch {} was skipped", measured.at.epoch)
        }
        measure(trainer, &last, measured)
    }
}

/// An epoch's values: the learning rate and the norm of the gradients are its last step's, loss and terms its means, what the
/// objective learns is as the last step left it.
fn measure(trainer: &Trainer, last: &Last, measured: &mut Measured) -> anyhow::Result<()> {
    let (plan, meter) = (&trainer.plan, &trainer.state.meter);
    let value = |tensor: Tensor| tensor.double_value(&[]);
    let (lr, loss, terms) = (trainer.last_lr()?, meter.mean_loss(), meter.mean_terms());
    let (x, y) = (&last.anchors, &last.positives);
    let [alignment, uniformity, rank, cosine] = no_grad(|| {
        let projections = [
            geometry::alignment(x, y),
            geometry::uniformity(x),
            geometry::effective_rank(x),
            geometry::mean_cosine(x),
        ];
        projections.map(value)
    });
    let images_per_second = meter.images_per_second(plan.experiment.train.batch_size);
    write!(measured.line, "epoch {:>4}  loss {loss:.4}", measured.at.epoch)?;
    if let Some(f_mi) = terms.get("f_mi") {
        write!(measured.line, "  f-MI {f_mi:.3}")?;
    }
    let learned = trainer.state.model.learned.metrics();
    for (name, value) in &learned {
        write!(measured.line, "  {name} {value:.3}")?;
    }
    write!(
        measured.line,
        "  alignment {alignment:.3}  uniformity {uniformity:.3}  rank {rank:.1}  lr {lr:.2e}  {images_per_second:.0} samples/s"
    )?;
    measured.number("lr", lr);
    measured.number("loss", loss);
    for (name, mean) in terms {
        measured.number(name, mean);
    }
    for (name, value) in learned {
        measured.number(name, value);
    }
    measured.text("projections/of", "the epoch's last batch, in training mode");
    measured.number("projections/alignment", alignment);
    measured.number("projections/uniformity", uniformity);
    measured.number("projections/effective_rank", rank);
    measured.number("projections/mean_cosine", cosine);
    // At most so many can be independent.
    measured.count("projections/dimensions", x.size()[0].min(x.size()[1]).unsigned_abs());
    measured.number("grad_norm", last.grad_norm.double_value(&[]));
    measured.number("images_per_second", images_per_second);
    measured.number("waiting", meter.waiting());
    let [communicating, skipped_steps, skipped_samples] = SOME_EPOCHS_METRICS;
    if plan.processes.are_many() {
        measured.number(communicating, meter.communicating(plan.processes.called()));
    }
    let skipped = trainer.state.standing.skipped_steps;
    let unread = meter.skipped_samples() as u64;
    for (name, count) in [(skipped_steps, skipped), (skipped_samples, unread)] {
        if count > 0 {
            measured.count(name, count);
        }
    }
    Ok(())
}
