//! `linear-sgd`: the linear evaluation of MoCo, MoCo v3 and solo-learn, a linear layer that SGD trains on the frozen encoder.
//!
//! Each epoch shuffles the labelled training samples; each batch is cropped and flipped at random, encoded by the frozen encoder in
//! evaluation mode, and is a step of SGD with momentum 0.9 and without weight decay on the mean cross entropy. A layer for each
//! learning rate is trained on the same features, in one pass ([`Heads`]). The one that is best on held-out training samples is
//! judged on the test samples: their labels have no share in the choice.
//!
//! Source: He et al., CVPR 2020, arXiv 1911.05722, section 4.1, and `main_lincls.py` of facebookresearch/moco (100 epochs, batches of
//! 256, rate 30 with steps at 60 and 80); `main_lincls.py` of facebookresearch/moco-v3 (90 epochs, rate times batch / 256, cosine);
//! `main_linear.py` of solo-learn; the rates side by side are DINOv2's, arXiv 2304.07193, appendix B.3.

mod cached;
mod encoded;
mod source;

use crate::accuracies::HELD_OUT;
use crate::augment;
use crate::heads::Heads;
use crate::held_out;
use crate::normal::new_weights;
use crate::one_or_more;
use crate::predicted::{ACCURACY, BALANCED, Learnt, Predicted, TOP_5};
use crate::tiles;
use cached::Cached;
use encoded::Encoded;
use fmicl_core::{
    Documented, Error, Evaluation, Metric, MetricNames, Part, Report, Representation, Result, Schedule, Sizes, Split,
    Task, register, require,
};
use fmicl_models::schedules::{LearningRate, cosine};
use serde::{Deserialize, Serialize};
use source::{Block, Source, Steps};
use tch::{Device, Kind, Tensor};

/// A linear layer that SGD trains on the frozen encoder, with crops and flips.
///
/// With `augment = false` it learns from the features that other evaluations use, too; training can then wait for it
/// (`eval.every`), and raw pixels are judged as well. With crops and flips it runs after training alone, in one process.
#[derive(Debug, Documented, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct LinearSgd {
    /// Learning rates at a batch of 256 (they are multiplied by batch / 256), each above 0 and at most 1e6, which are tried side by side;
    /// `[0.01, 0.03, 0.1, 0.3, 1, 3, 10, 30]` by default. MoCo has 30, MoCo v3 0.1 for a ResNet-50.
    #[serde(with = "one_or_more")]
    pub lr: Vec<f64>,
    /// Share of the labelled training samples, 0 to 0.5, by which the rate is chosen, metric `held-out`; the layer learns from the
    /// others. 0.1 by default; 0 for one rate alone.
    pub held_out: f64,
    /// Passes over the samples, at least 1; 100 by default.
    pub epochs: usize,
    /// Samples of a step, at least 2; 256 by default. If there are fewer samples, all of them.
    pub batch_size: usize,
    /// Schedule of the learning rate over the epochs; `cosine` by default. `step` is MoCo's first.
    pub schedule: Part<dyn Schedule>,
    /// Crops and flips at random; true by default. `false` encodes each sample once.
    pub augment: bool,
    /// The least and the greatest part of the image's area that a crop keeps, in (0, 1]; `[0.08, 1]` by default.
    pub crop: [f64; 2],
    /// The probability of a horizontal flip, from 0 to 1; 0.5 by default.
    pub flip: f64,
    /// Seed of the initial weights, the order and the crops; 0 by default.
    pub seed: u64,
}

register!(
    Evaluation,
    "linear-sgd",
    LinearSgd,
    "accuracy of a linear layer that SGD trains on the frozen encoder, with crops and flips (MoCo's protocol)"
);

impl Default for LinearSgd {
    fn default() -> Self {
        LinearSgd {
            lr: vec![0.01, 0.03, 0.1, 0.3, 1.0, 3.0, 10.0, 30.0],
            held_out: 0.1,
            epochs: 100,
            batch_size: 256,
            schedule: cosine(),
            augment: true,
            crop: [0.08, 1.0],
            flip: 0.5,
            seed: 0,
        }
    }
}

impl Evaluation for LinearSgd {
    fn validate(&self) -> Result<()> {
        require(!self.lr.is_empty(), "lr", || "has no rate; [0.1] has one".into())?;
        for (index, lr) in self.lr.iter().enumerate() {
            require(*lr > 0.0 && *lr <= MOST, "lr", || {
                format!("{lr} is not above 0 and at most {MOST}")
            })?;
            require(!self.lr[..index].contains(lr), "lr", || format!("{lr} is there twice"))?;
        }
        held_out::validate(self.held_out)?;
        require(self.held_out > 0.0 || self.lr.len() == 1, "held_out", || {
            let count = self.lr.len();
            format!("0 leaves nothing to choose one of {count} rates by; take 0.1, or a single `lr`")
        })?;
        require(self.epochs >= 1, "epochs", || "0 is not at least 1".into())?;
        augment::validate_batch_size(self.batch_size)?;
        augment::validate(self.crop, self.flip)
    }

    fn wants_labels(&self) -> bool {
        true
    }

    fn trains(&self) -> bool {
        self.augment
    }

    fn validate_for(&self, sizes: &Sizes) -> Result<()> {
        let left = match self.held_out > 0.0 {
            true => held_out::indices(sizes.train, self.held_out).0.len(),
            false => sizes.train,
        };
        require(left >= LEAST, "", || {
            format!(
                "of {} labelled training samples {left} are left to learn from, and {LEAST} are the least",
                sizes.train
            )
        })
    }

    fn memory(&self, sizes: &Sizes, width: usize) -> u64 {
        Heads::memory(self.lr.len(), (width, sizes.classes), self.batch_size) + tiles::BYTES
    }

    fn open(&self) -> Result<Box<dyn Task>> {
        Ok(Box::new(self.clone()))
    }
}

/// The highest learning rate that is tried.
const MOST: f64 = 1e6;

/// Labelled training samples of a batch.
const LEAST: usize = 2;

impl Task for LinearSgd {
    fn metrics(&self, _in_training: bool) -> MetricNames {
        let held_out: &[&str] = if self.held_out > 0.0 { &[HELD_OUT] } else { &[] };
        MetricNames::new(ACCURACY, [TOP_5, BALANCED, LR].iter().chain(held_out).copied())
    }

    fn judge(&self, it: &dyn Representation) -> Result<Report> {
        let _no_grad = tch::no_grad_guard();
        match self.augment {
            true => self.report(&Encoded(&*it.supervised()?), it.is_in_training()),
            false => self.report(&Cached(it.labelled()?), it.is_in_training()),
        }
    }
}

const LR: &str = "lr";

impl LinearSgd {
    fn report(&self, source: &dyn Source, in_training: bool) -> Result<Report> {
        let labels = source.labels();
        let (classes, class_names) = source.classes();
        self.validate_for(&Sizes {
            train: labels.len(),
            test: source.test_samples(),
            classes,
        })?;
        let (left, out) = match self.held_out > 0.0 {
            true => held_out::indices(labels.len(), self.held_out),
            false => ((0..labels.len()).collect(), Vec::new()),
        };
        let learnt: Vec<_> = left.iter().map(|&index| labels[index]).collect();
        let heads = self.fit(source, left)?;
        let (head, held_out) = self.choose(source, &heads, out.clone())?;

        let mut predicted = Predicted::default();
        let all = (0..source.test_samples()).collect();
        for block in source.in_order(Split::Test, all, self)? {
            let Block {
                features,
                labels,
                indices,
            } = block?;
            predicted.add(&heads.logits_of(head, &features), &labels, indices);
        }
        let of = Learnt {
            classes,
            class_names,
            labels: &Tensor::from_slice(&learnt),
        };
        let title = "test accuracy of a linear layer, trained by SGD";
        let mut report = predicted.report(title, &of, !in_training)?;
        report.metrics.push(Metric {
            higher_is_better: None,
            ..Metric::new(LR, self.lr[head], 3)
        });
        if let Some(accuracy) = held_out {
            report.metrics.push(Metric::percent(HELD_OUT, accuracy, None));
        }
        report.notes.insert(0, self.note(head, (learnt.len(), out.len())));
        Ok(report)
    }

    /// Trains a head for each rate on the training samples at `indices`.
    fn fit(&self, source: &dyn Source, indices: Vec<usize>) -> Result<Heads> {
        let Steps {
            per_epoch,
            batch_size,
            blocks,
        } = source.shuffled(indices, self)?;
        let schedule = LearningRate {
            base_lr: batch_size as f64 / BATCH,
            warmup_steps: 0,
            total_steps: self.epochs as u64,
            final_lr: 0.0,
            schedule: &self.schedule,
        };
        let (classes, _) = source.classes();
        let mut heads = None;
        for (step, block) in blocks.enumerate() {
            let Block { features, labels, .. } = block?;
            let heads = heads.get_or_insert_with(|| {
                let weights = new_weights(features.size()[1], classes as i64, self.seed);
                Heads::new(&weights.to_device(features.device()), &self.lr)
            });
            // The rate changes from epoch to epoch, as in the references.
            let factor = schedule.at((step / per_epoch) as u64)?;
            let _ = heads.step(&features, &labels, factor);
        }
        heads.ok_or_else(|| Error::Run("there was no batch to train a linear layer on".into()))
    }

    /// The head that is best on the training samples at `out`, of equals the first, and its accuracy there; the only one, and
    /// nothing, if there are no such samples.
    fn choose(&self, source: &dyn Source, heads: &Heads, out: Vec<usize>) -> Result<(usize, Option<f64>)> {
        let finite = heads.are_finite();
        let diverged = || {
            let rates = self.rates();
            Error::Run(format!(
                "the linear layers diverged at all learning rates, {rates}: add lower ones to `lr`"
            ))
        };
        if out.is_empty() {
            return if finite[0] { Ok((0, None)) } else { Err(diverged()) };
        }
        let (mut right, mut count) = (Tensor::zeros([finite.len() as i64], (Kind::Double, Device::Cpu)), 0);
        for block in source.in_order(Split::Train, out, self)? {
            let Block { features, labels, .. } = block?;
            let hits = heads.logits(&features).argmax(2, false).eq_tensor(&labels.unsqueeze(1));
            right += hits
                .sum_dim_intlist([0i64].as_slice(), false, Kind::Double)
                .to_device(Device::Cpu);
            count += labels.numel();
        }
        let right = Vec::<f64>::try_from(right)?;
        let mut best: Option<(usize, f64)> = None;
        for (head, right) in right.into_iter().enumerate().filter(|(head, _)| finite[*head]) {
            if best.is_none_or(|(_, most)| right > most) {
                best = Some((head, right));
            }
        }
        let (head, right) = best.ok_or_else(diverged)?;
        if count == 0 {
            return Err(Error::Run(
                "none of the samples to choose a learning rate by can be read".into(),
            ));
        }
        Ok((head, Some(right / count as f64)))
    }

    fn rates(&self) -> String {
        let rates: Vec<_> = self.lr.iter().map(f64::to_string).collect();
        rates.join(", ")
    }

    /// How it was trained, and what was chosen.
    fn note(&self, head: usize, (learnt, held_out): (usize, usize)) -> String {
        let LinearSgd { lr, epochs, .. } = self;
        let views = if self.augment {
            "crops and flips"
        } else {
            "no augmentation"
        };
        let (least, greatest) = lr
            .iter()
            .fold((f64::MAX, 0.0), |(a, b): (f64, f64), &lr| (a.min(lr), b.max(lr)));
        let rate = match lr[head] {
            only if lr.len() == 1 => format!("rate {only}"),
            chosen => {
                let end = if chosen == greatest {
                    ", the highest: a higher one may be better"
                } else if chosen == least {
                    ", the lowest: a lower one may be better"
                } else {
                    ""
                };
                format!(
                    "rate {chosen} is the best of {} on {held_out} held-out training samples{end}",
                    self.rates()
                )
            }
        };
        format!("linear-sgd: {epochs} epochs on {learnt} labelled training samples, {views}; {rate}.")
    }
}

/// The batch for which learning rates are given.
const BATCH: f64 = 256.0;

#[cfg(test)]
mod tests;
