#![doc = include_str!("../README.md")]

// The derived code names the crate by its name, in the crate too.
extern crate self as fmicl_core;

mod architecture;
mod arithmetic;
mod backbone;
mod blocks;
mod convolution;
mod dataset;
mod divergence;
mod engine;
mod error;
pub mod estimator;
mod evaluation;
mod files;
mod fmicl;
pub mod geometry;
mod image;
mod libtorch;
mod linear;
mod modality;
mod momentum;
mod objective;
mod optimizer;
mod pairing;
pub mod panics;
mod parameters;
mod part;
mod portion;
mod pretrained;
mod processes;
mod reads;
pub mod registry;
pub mod simd;
mod similarity;
mod source;
pub mod testing;
mod threads;
mod view;
mod views;
pub mod weights;

pub use architecture::{Architecture, BuildBackbone, Learner};
pub use arithmetic::{Autocast, WithoutTf32, allow_tf32};
pub use backbone::{Backbone, Encoder};
pub use blocks::in_blocks;
pub use dataset::{Dataset, Samples, Split};
pub use divergence::Divergence;
pub use engine::{Engine, Single};
pub use error::{Error, Result, require};
pub use evaluation::{Encode, Evaluation, Figure, Report, Task};
pub use files::{OUTPUT_MARK, not_a_pointer, open_file, read_file};
pub use fmicl::FMicl;
pub use fmicl_derive::Documented;
pub use image::{Image, Patch, Region};
pub use libtorch::libtorch_version;
pub use linear::linear;
pub use modality::{Input, Modality};
pub use momentum::Momentum;
pub use objective::{Loss, Objective};
pub use optimizer::{Optimizer, Stepper};
pub use pairing::{InBatch, Negatives, Pairing};
pub use parameters::{Group, Parameters, Slice, descend};
pub use part::Part;
pub use portion::Portion;
pub use pretrained::{Pretrained, PretrainedParts};
pub use processes::{Overlap, Processes, norms_together, rows_of_all, share, together};
pub use reads::Reads;
pub use similarity::{Critic, Similarity};
pub use source::{Archive, Checksum, Download, Format, Source};
pub use threads::{deal, deal_each};
pub use view::View;
pub use views::{Draw, Stop, Views};

// `links = "tch"` allows one tch in a build: plugins take it, and what `register!` needs, from here.
pub use {inventory, serde, tch, toml};
