//! The section `[train]`.

use super::{at_least_one, failed, not_negative, positive};
use crate::Precision;
use fmicl_core::{Documented, Error, Part, Schedule, require};
use fmicl_data::OnError;
use fmicl_models::schedules::cosine;
use serde::{Deserialize, Serialize};

/// The training run: `epochs`, `batch_size` and `lr` must be given, the rest has defaults.
#[derive(Debug, Documented, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Train {
    /// Passes over the dataset, at least 1.
    pub epochs: usize,
    /// Images a step, at least 2; each is seen in as many views as the architecture takes. The last,
    /// incomplete batch of an epoch is dropped.
    pub batch_size: usize,
    /// The learning rate after warm-up, above 0; taken as it is, never scaled by the batch size.
    pub lr: f64,
    /// Epochs in which the learning rate rises linearly from 0, below `epochs`; 0 by default.
    #[serde(default)]
    pub warmup_epochs: usize,
    /// The learning rate where the schedule's factor is 0, from 0 to `lr`; 0 by default.
    #[serde(default)]
    pub final_lr: f64,
    /// How the learning rate changes after warm-up; by default it falls along half a cosine.
    #[serde(default = "cosine")]
    pub schedule: Part<dyn Schedule>,
    /// The largest norm of all gradients together, above 0; by default they are not clipped.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub clip_grad_norm: Option<f64>,
    /// Precision: `"f32"` (the default); `"bf16"`, autocast of the networks to bfloat16 with weights and loss
    /// in f32; or, on a GPU, `"tf32"`, which allows TF32 in the networks' convolutions and matrix products.
    #[serde(default)]
    pub precision: Precision,
    /// The side of the tiles in which pairs are compared, from 16 to 65536; by default it follows the cache or the device
    /// ([`fmicl_core::estimator::tile`]).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tile: Option<usize>,
    /// Batches whose gradients are averaged into one step, at least 1 (the default). Negatives do not cross them.
    #[serde(default = "one")]
    pub accumulate: usize,
    /// Synchronises batch norms over all processes, like `torch.nn.SyncBatchNorm`; `false` by default.
    #[serde(default)]
    pub sync_batch_norm: bool,
    /// Threads that read and transform images for training; 0, the default, is one for each core.
    #[serde(default)]
    pub threads: usize,
    /// Steps from one reading of the loss to the next, at least 1; 50 by default. A reading waits for the device, shows
    /// the mean on the progress bar, writes a line of `steps.jsonl` and stops the run where it is not finite.
    #[serde(default = "fifty")]
    pub log_every: usize,
    /// Epochs from one checkpoint to the next, at least 1; 10 by default. The last epoch always writes one.
    #[serde(default = "ten")]
    pub checkpoint_every: usize,
    /// Minutes from one checkpoint to the next, in the middle of an epoch too; 15 by default, 0 is never.
    #[serde(default = "fifteen")]
    pub checkpoint_minutes: f64,
    /// Checkpoints that are kept beside the one that the online evaluation found best, at least 1; 2 by default.
    #[serde(default = "two")]
    pub keep: usize,
    /// Checkpoints in a row that may fail to be written, of a full disk for example, before the run ends; 3 by default.
    #[serde(default = "three")]
    pub max_failed_checkpoints: u64,
    /// Action on a non-finite loss or gradient: `"stop"` (the default) ends the run; `"skip"` skips the step, leaving
    /// the model as it was before it, and makes every step wait for the device.
    #[serde(default)]
    pub on_nan: OnNan,
    /// Steps of a run that `on_nan = "skip"` may leave out; 10 by default.
    #[serde(default = "ten_steps")]
    pub max_skipped_steps: u64,
    /// What is done if the features collapse (the end of an epoch finds an effective rank below 2, or a mean cosine above
    /// 0.95): `"warn"` (the default) says so in one line, `"stop"` ends the run.
    #[serde(default)]
    pub on_collapse: OnCollapse,
    /// Action on a sample that cannot be read: `"fail"` (the default) ends the run, `"skip"` leaves it out of its
    /// batch, lists it in `skipped.jsonl`, and leaves it out of kNN and the linear probe, too.
    #[serde(default)]
    pub on_error: OnError,
    /// Samples of an epoch that `on_error = "skip"` may leave out; 100 by default.
    #[serde(default = "hundred")]
    pub max_skipped_samples: usize,
}

/// What a step does whose loss or gradient is not finite.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum OnNan {
    /// Ends the run.
    #[default]
    Stop,
    /// Is left out.
    Skip,
}

/// What is done if the features collapse.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum OnCollapse {
    /// A line says so.
    #[default]
    Warn,
    /// The run ends.
    Stop,
}

fn one() -> usize {
    1
}

fn ten() -> usize {
    10
}

fn two() -> usize {
    2
}

fn three() -> u64 {
    3
}

fn ten_steps() -> u64 {
    10
}

fn hundred() -> usize {
    100
}

fn fifteen() -> f64 {
    15.0
}

fn fifty() -> usize {
    50
}

/// Whether the factor of a schedule is ever another than 1.
fn falls(schedule: &dyn Schedule) -> bool {
    (0..=1000).any(|step| schedule.factor(f64::from(step) / 1000.0) != 1.0)
}

impl Train {
    /// `threads`, with 0 replaced by the number of cores.
    pub fn data_threads(&self) -> usize {
        match self.threads {
            0 => std::thread::available_parallelism().map_or(1, usize::from),
            threads => threads,
        }
    }

    pub(super) fn validate(&self) -> Vec<Error> {
        let Train {
            epochs,
            warmup_epochs,
            lr,
            final_lr,
            batch_size,
            ..
        } = *self;
        failed([
            // Checkpoints are named by five digits.
            require((1..=99_999).contains(&epochs), "epochs", || {
                format!("{epochs} is not from 1 to 99999")
            }),
            require(self.threads <= 1024, "threads", || {
                format!("{} is not from 0 to 1024", self.threads)
            }),
            require(batch_size >= 2, "batch_size", || {
                format!("{batch_size} is not at least 2: a pair needs a negative")
            }),
            positive(lr, "lr"),
            // With no epochs at all, that is what is wrong.
            require(epochs == 0 || warmup_epochs < epochs, "warmup_epochs", || {
                format!("{warmup_epochs} is not below the {epochs} epochs of the run; use 0 for no warm-up")
            }),
            require((0.0..=lr.max(0.0)).contains(&final_lr), "final_lr", || {
                format!("{final_lr} is not from 0 to lr, {lr}")
            }),
            require(final_lr <= 0.0 || falls(&*self.schedule), "final_lr", || {
                let schedule = self.schedule.name();
                format!(
                    "{final_lr} has no effect: the schedule `{schedule}` keeps the rate at lr; leave it out, or take another train.schedule"
                )
            }),
            self.clip_grad_norm
                .map_or(Ok(()), |norm| positive(norm, "clip_grad_norm")),
            require(
                self.tile.is_none_or(|side| (16..=65_536).contains(&side)),
                "tile",
                || format!("{} is not from 16 to 65536", self.tile.unwrap_or_default()),
            ),
            at_least_one(self.accumulate, "accumulate"),
            at_least_one(self.log_every, "log_every"),
            at_least_one(self.checkpoint_every, "checkpoint_every"),
            not_negative(self.checkpoint_minutes, "checkpoint_minutes"),
            at_least_one(self.keep, "keep"),
        ])
    }
}
