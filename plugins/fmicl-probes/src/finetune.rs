//! `finetune`: the whole network, a copy of the encoder with a linear classifier, trained with labels.
//!
//! The labelled samples are a share of each class, or those of a list. Each epoch shuffles them, crops and flips them at random, and
//! takes a step of the optimizer on the mean cross entropy of each batch, with batch norm in training mode. The encoder that is judged
//! keeps its weights.
//!
//! Source: Chen et al., SimCLR, ICML 2020, arXiv 2002.05709, section 4.2 and appendix B.5 (Nesterov momentum, rate 0.05 times batch /
//! 256, no warm-up, no weight decay, crop and flip; 60 epochs for 1 % of the labels, 30 for 10 %); the decay of the rate over layers
//! is BEiT's, arXiv 2106.08254.

mod labels;
mod layers;
mod training;
mod tuning;

pub use labels::Labels;

use crate::accuracies::HELD_OUT;
use crate::augment;
use crate::held_out;
use crate::predicted::{ACCURACY, BALANCED, Learnt, TOP_5};
use fmicl_core::{
    Documented, Evaluation, LabelledSamples, Metric, MetricNames, Optimizer, Part, Report, Representation, Result,
    Schedule, Sizes, Split, Task, register, require, toml,
};
use fmicl_models::schedules::cosine;
use labels::Chosen;
use serde::{Deserialize, Serialize};
use std::path::{Path, PathBuf};
use tch::Tensor;
use training::predict;

/// The whole network trained with labels, from the encoder's weights.
///
/// It runs after training alone, in one process, for the encoder before training, too: the row of that is training from scratch.
#[derive(Debug, Documented, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Finetune {
    /// Share of each class's labelled training samples to learn from, above 0 and at most 1, at least one of each class: 0.01 or 0.1 as
    /// in SimCLR. Or a file with the names of samples' files, a line each, such as SimCLR's `1percent.txt`. 1 by default.
    pub labels: Labels,
    /// Optimizer; by default `sgd` with Nesterov momentum 0.9 and no weight decay, SimCLR's.
    pub optimizer: Part<dyn Optimizer>,
    /// Learning rate at a batch of 256 (it is multiplied by batch / 256), above 0 and at most 1000; 0.05 by default.
    pub lr: f64,
    /// The factor of the learning rate from one layer to the one before it, above 0 and at most 1; 1, no difference, by default.
    /// BEiT and MAE take 0.65 to 0.75 for a ViT.
    pub layer_decay: f64,
    /// The part of the target that all classes share, from 0 to below 1; 0 by default.
    pub label_smoothing: f64,
    /// Passes over the samples, at least 1; 30 by default. SimCLR has 60 for 1 % of the labels.
    pub epochs: usize,
    /// Epochs in which the learning rate rises linearly from 0, below `epochs`; 0 by default.
    pub warmup_epochs: usize,
    /// Schedule of the learning rate after the warm-up, step by step; `cosine` by default.
    pub schedule: Part<dyn Schedule>,
    /// Samples of a step, at least 2; 256 by default. If there are fewer samples, all of them.
    pub batch_size: usize,
    /// Share of the chosen samples, 0 to 0.5, on which each epoch is judged, metric `held-out`; the best epoch is taken. 0 by default:
    /// the last epoch.
    pub held_out: f64,
    /// Crops and flips at random; true by default.
    pub augment: bool,
    /// The least and the greatest part of the image's area that a crop keeps, in (0, 1]; `[0.08, 1]` by default.
    pub crop: [f64; 2],
    /// The probability of a horizontal flip, from 0 to 1; 0.5 by default.
    pub flip: f64,
    /// Seed of the choice of samples, the classifier's initial weights, the order and the crops; 0 by default.
    pub seed: u64,
    /// File ending in `.safetensors` for the network that is judged: its backbone's weights as `fmicl export` names them, and the
    /// classifier. Of several encoders, the last one's. Absent by default: none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub save: Option<PathBuf>,
}

register!(
    Evaluation,
    "finetune",
    Finetune,
    "accuracy of the whole network trained with labels, all or a share of them (SimCLR's protocol)"
);

/// SimCLR's optimizer for labels.
#[expect(
    clippy::expect_used,
    reason = "fmicl-models, which this crate links, registers `sgd`"
)]
fn nesterov() -> Part<dyn Optimizer> {
    let options = toml::Table::from_iter([
        ("nesterov".to_string(), true.into()),
        ("weight_decay".to_string(), 0.0.into()),
    ]);
    Part::new("sgd", options).expect("there is an optimizer `sgd`")
}

impl Default for Finetune {
    fn default() -> Self {
        Finetune {
            labels: Labels::Share(1.0),
            optimizer: nesterov(),
            lr: 0.05,
            layer_decay: 1.0,
            label_smoothing: 0.0,
            epochs: 30,
            warmup_epochs: 0,
            schedule: cosine(),
            batch_size: 256,
            held_out: 0.0,
            augment: true,
            crop: [0.08, 1.0],
            flip: 0.5,
            seed: 0,
            save: None,
        }
    }
}

impl Evaluation for Finetune {
    fn validate(&self) -> Result<()> {
        self.labels.validate()?;
        let Finetune { lr, epochs, .. } = *self;
        require(lr > 0.0 && lr <= 1e3, "lr", || {
            format!("{lr} is not above 0 and at most 1000")
        })?;
        require(self.layer_decay > 0.0 && self.layer_decay <= 1.0, "layer_decay", || {
            format!("{} is not above 0 and at most 1; 1 is none", self.layer_decay)
        })?;
        require((0.0..1.0).contains(&self.label_smoothing), "label_smoothing", || {
            format!("{} is not from 0 to below 1", self.label_smoothing)
        })?;
        require(epochs >= 1, "epochs", || "0 is not at least 1".into())?;
        require(self.warmup_epochs < epochs, "warmup_epochs", || {
            format!(
                "{} is not below the {epochs} epochs; use 0 for no warm-up",
                self.warmup_epochs
            )
        })?;
        augment::validate_batch_size(self.batch_size)?;
        held_out::validate(self.held_out)?;
        augment::validate(self.crop, self.flip)?;
        let named = |path: &Path| {
            let shown = path.display();
            require(
                path.extension().is_some_and(|ending| ending == "safetensors"),
                "save",
                || format!("{shown} does not end in .safetensors"),
            )
        };
        self.save.as_deref().map_or(Ok(()), named)
    }

    fn wants_labels(&self) -> bool {
        true
    }

    fn trains(&self) -> bool {
        true
    }

    /// Of the classifier; the network takes what a training step of as many samples takes, and its weights a third time where the
    /// best epoch is kept.
    fn memory(&self, sizes: &Sizes, width: usize) -> u64 {
        let classifier = 4 * 4 * (width as u64 + 1) * sizes.classes as u64;
        classifier + 4 * 8 * (sizes.test + sizes.train) as u64
    }

    fn open(&self) -> Result<Box<dyn Task>> {
        let labels = self
            .labels
            .open()
            .map_err(|error| error.named_in_config().at("labels"))?;
        self.save.as_deref().map_or(Ok(()), require_place)?;
        Ok(Box::new(Opened {
            options: self.clone(),
            labels,
        }))
    }
}

/// Checks that a file can be made at this path, before the work for it.
fn require_place(path: &Path) -> Result<()> {
    let shown = path.display();
    require(!path.is_dir(), "save", || {
        format!("{shown} is a folder; name a file in it")
    })?;
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    require(folder.is_none_or(Path::is_dir), "save", || {
        format!("there is no folder for {shown}; make it, or name a file in another one")
    })
}

/// The options, with the list of samples read.
struct Opened {
    options: Finetune,
    labels: Chosen,
}

impl Task for Opened {
    fn metrics(&self, _in_training: bool) -> MetricNames {
        let held_out: &[&str] = if self.options.held_out > 0.0 { &[HELD_OUT] } else { &[] };
        MetricNames::new(ACCURACY, [TOP_5, BALANCED].iter().chain(held_out).copied())
    }

    fn validate_samples(&self, samples: &LabelledSamples) -> Result<()> {
        self.choose(samples).map(drop)
    }

    fn judge(&self, it: &dyn Representation) -> Result<Report> {
        let it = it.supervised()?;
        let (left, out) = self.choose(it.samples())?;
        let learnt: Vec<_> = left
            .iter()
            .map(|&index| it.samples().train.label(index) as i64)
            .collect();
        let trained = self.options.train(&*it, left, out.clone())?;
        let predicted = predict(
            &*it,
            &trained.tuning,
            Split::Test,
            (0..it.samples().test.len()).collect(),
        )?;
        let of = Learnt {
            classes: it.samples().classes,
            class_names: &it.samples().class_names,
            labels: &Tensor::from_slice(&learnt),
        };
        let title = "test accuracy of the whole network, trained with labels";
        let mut report = predicted.report(title, &of, true)?;
        if let Some(accuracy) = trained.held_out {
            report.metrics.push(Metric::percent(HELD_OUT, accuracy, None));
        }
        let note = self.note(learnt.len(), out.len(), trained.epoch);
        report.notes.insert(0, note);
        if let Some(path) = &self.options.save {
            trained.tuning.write(path)?;
            report.notes.push(format!(
                "finetune: the network of the last column is in {}.",
                path.display()
            ));
        }
        Ok(report)
    }
}

impl Opened {
    /// Indices of the training samples that are learnt from, and of those that are held out.
    fn choose(&self, samples: &LabelledSamples) -> Result<(Vec<usize>, Vec<usize>)> {
        let Finetune { seed, held_out, .. } = self.options;
        let chosen = self.labels.of(&*samples.train, seed);
        let chosen = chosen.map_err(|error| error.named_in_config().at("labels"))?;
        let least = if held_out > 0.0 { 3 } else { 2 };
        require(chosen.len() >= least, "labels", || {
            format!(
                "{} labelled training samples are too few; {least} are the least",
                chosen.len()
            )
        })?;
        if held_out == 0.0 {
            return Ok((chosen, Vec::new()));
        }
        let (left, out) = held_out::indices(chosen.len(), held_out);
        let of = |places: Vec<usize>| places.into_iter().map(|place| chosen[place]).collect();
        Ok((of(left), of(out)))
    }

    fn note(&self, learnt: usize, held_out: usize, epoch: usize) -> String {
        let Finetune {
            labels,
            epochs,
            augment,
            optimizer,
            ..
        } = &self.options;
        let views = if *augment { "crops and flips" } else { "no augmentation" };
        let taken = match held_out {
            0 => "the last is judged".to_string(),
            count => format!("epoch {epoch} is the best on {count} held-out training samples"),
        };
        format!(
            "finetune: {epochs} epochs of {} on {learnt} labelled training samples ({labels}), {views}; {taken}.",
            optimizer.name()
        )
    }
}

#[cfg(test)]
mod tests;
