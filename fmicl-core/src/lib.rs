#![doc = include_str!("../README.md")]

// The derived code names the crate by its name, in the crate too.
extern crate self as fmicl_core;

mod compute;
mod distributed;
mod error;
pub mod estimator;
mod io;
mod kinds;
pub mod panics;
pub mod registry;
pub mod testing;

pub use compute::arithmetic::{Autocast, WithoutTf32, allow_tf32};
pub use compute::blocks::in_blocks;
pub use compute::libtorch::libtorch_version;
pub use compute::linear::linear;
pub use compute::momentum::Momentum;
pub use compute::normalize::{normalize, row_norms};
pub use compute::parameters::{Group, Parameters, Slice, descend};
pub use compute::planes::Planes;
pub use compute::rng::{Rng, split_mix, word_of};
pub use compute::threads::{deal, deal_each};
pub use compute::{geometry, simd, sphere};
pub use distributed::overlap::Overlap;
pub use distributed::processes::Processes;
pub use distributed::together::{norms_together, rows_of_all, share, together};
pub use error::{Error, Problem, Result, require};
pub use estimator::{FMicl, Shift};
pub use fmicl_derive::Documented;
pub use io::files::{OUTPUT_MARK, beside, not_a_pointer, open_file, read_file};
pub use io::growing::{Growing, mend};
pub use io::portion::Portion;
pub use io::reads::Reads;
pub use io::{disk, encoding, weights};
pub use kinds::architecture::{Architecture, BuildBackbone, Learner};
pub use kinds::backbone::{Backbone, Encoder};
pub use kinds::bands::{BandSamples, Bands};
pub use kinds::bootstrap::{Interval, difference, interval};
pub use kinds::confusion::Confusion;
pub use kinds::dataset::{Dataset, Samples, Split};
pub use kinds::divergence::Divergence;
pub use kinds::engine::{Engine, Single};
pub use kinds::evaluation::{Evaluation, Features, LabelledFeatures, Representation, Sizes, Task};
pub use kinds::hits::Hits;
pub use kinds::image::{Image, Patch, Region};
pub use kinds::learned::Learned;
pub use kinds::modality::{Input, Modality};
pub use kinds::objective::{Chosen, Loss, Objective};
pub use kinds::optimizer::{Optimizer, Stepper};
pub use kinds::pairing::{InBatch, Negatives, Pairing};
pub use kinds::pretrained::{Pretrained, PretrainedParts};
pub use kinds::report::{Metric, MetricNames, Report, find_metric, find_name};
pub use kinds::scatter::Scatter;
pub use kinds::schedule::Schedule;
pub use kinds::similarity::{Critic, Normaliser, Similarity};
pub use kinds::source::{Archive, Checksum, Download, Format, Source};
pub use kinds::supervised::{Batches, CropAndFlip, LabelledBatch, LabelledSamples, Shuffled, Supervised, Trainable};
pub use kinds::tracker::{Ending, MetricValue, MetricValues, Moment, TrackedRun, Tracker, Tracking};
pub use kinds::transform::{Op, PixelOp, Size, Transform};
pub use kinds::view::View;
pub use kinds::views::{Draw, Stop, Views};
pub use registry::Part;

// `links = "tch"` allows one tch in a build: plugins take it, and what `register!` needs, from here.
pub use {inventory, serde, tch, toml};
