//! The training of a network, epoch by epoch.

use super::Finetune;
use super::tuning::{Recipe, Snapshot, Tuning};
use crate::augment::augmentation;
use crate::predicted::Predicted;
use fmicl_core::{Batches, Error, LabelledBatch, Result, Shuffled, Split, Supervised};
use fmicl_models::schedules::LearningRate;
use tch::{Kind, Tensor};

/// A trained network.
pub struct Trained {
    pub tuning: Tuning,
    /// Its epoch, from 1, and its accuracy on held-out samples, if there are any.
    pub epoch: usize,
    pub held_out: Option<f64>,
}

impl Finetune {
    /// Trains a copy of the encoder on the training samples at `indices`; of its epochs, the first of the best on those at `out`.
    pub fn train(&self, it: &dyn Supervised, indices: Vec<usize>, out: Vec<usize>) -> Result<Trained> {
        let recipe = Recipe {
            optimizer: &*self.optimizer,
            layer_decay: self.layer_decay,
            label_smoothing: self.label_smoothing,
        };
        let mut tuning = Tuning::new(it.trainable()?, it.samples().classes, self.seed, &recipe);
        // A backbone may have dropout.
        tch::manual_seed(self.seed as i64);
        let Batches {
            per_epoch,
            batch_size,
            items,
        } = it.shuffled(&Shuffled {
            indices,
            batch_size: self.batch_size,
            epochs: self.epochs,
            seed: self.seed,
            augmentation: augmentation(self.augment, self.crop, self.flip),
        })?;
        let rate = LearningRate {
            base_lr: self.lr * batch_size as f64 / BATCH,
            warmup_steps: (self.warmup_epochs * per_epoch) as u64,
            total_steps: (self.epochs * per_epoch) as u64,
            final_lr: 0.0,
            schedule: &self.schedule,
        };
        let mut best: Option<(f64, usize, Snapshot)> = None;
        let mut losses: Option<Tensor> = None;
        for (step, batch) in items.enumerate() {
            let LabelledBatch { view, labels, .. } = batch?;
            let loss = tuning.step(&view, &labels, rate.at(step as u64)?).to_kind(Kind::Double);
            losses = Some(losses.map_or_else(|| loss.shallow_clone(), |sum| sum + &loss));
            if (step + 1) % per_epoch != 0 {
                continue;
            }
            let epoch = (step + 1) / per_epoch;
            let loss = losses.take().map_or(f64::NAN, |sum| sum.double_value(&[])) / per_epoch as f64;
            if !loss.is_finite() {
                let message = format!("finetune: the loss of epoch {epoch} is not finite; try a lower `lr`");
                return Err(Error::Run(message));
            }
            let accuracy = match out.is_empty() {
                true => None,
                false => Some(predict(it, &tuning, Split::Train, out.clone())?.accuracy()),
            };
            tell((epoch, self.epochs), loss, accuracy);
            match accuracy {
                Some(accuracy) if accuracy.is_nan() => {
                    return Err(Error::Run("none of the held-out samples can be read".into()));
                }
                Some(accuracy) if best.as_ref().is_none_or(|(most, ..)| accuracy > *most) => {
                    best = Some((accuracy, epoch, tuning.snapshot()));
                }
                _ => {}
            }
        }
        match best {
            Some((accuracy, epoch, snapshot)) => {
                tuning.restore(&snapshot);
                Ok(Trained {
                    tuning,
                    epoch,
                    held_out: Some(accuracy),
                })
            }
            None => Ok(Trained {
                tuning,
                epoch: self.epochs,
                held_out: None,
            }),
        }
    }
}

/// The batch for which learning rates are given.
const BATCH: f64 = 256.0;

/// Writes an epoch to the log.
fn tell((epoch, epochs): (usize, usize), loss: f64, held_out: Option<f64>) {
    let held_out = held_out.map_or(String::new(), |share| format!(", held-out {:.1} %", 100.0 * share));
    tracing::info!("finetune: epoch {epoch} of {epochs}, loss {loss:.4}{held_out}");
}

/// Predictions for the samples of a split at `indices`.
pub fn predict(it: &dyn Supervised, tuning: &Tuning, split: Split, indices: Vec<usize>) -> Result<Predicted> {
    let mut predicted = Predicted::default();
    for batch in it.in_order(split, indices)?.items {
        let LabelledBatch { indices, view, labels } = batch?;
        let logits = tuning.logits(&view);
        // The last step of all can be the one that diverges.
        if !logits.sum(Kind::Double).double_value(&[]).is_finite() {
            let message = "finetune: the trained network is not finite; try a lower `lr`";
            return Err(Error::Run(message.into()));
        }
        predicted.add(&logits, &labels, indices);
    }
    Ok(predicted)
}
