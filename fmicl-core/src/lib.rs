//! What every part of fmicl is written against.
//!
//! | to read | in |
//! |---|---|
//! | the kinds of part, one trait each | [`Divergence`], [`Similarity`], [`Objective`], [`Architecture`], [`Backbone`], [`Dataset`], [`Views`], [`Optimizer`], [`Engine`], [`Evaluation`], [`Pretrained`] |
//! | how a part gets its name | [`register!`], [`registry`] |
//! | how a config value becomes a part | [`Part`] |
//! | what an optimizer works on, and a momentum encoder follows | [`Parameters`], [`Momentum`] |
//! | a product that is fast where libtorch's own is not | [`linear()`] |
//! | a loop that uses all lanes of the processor that it runs on | [`simd`], [`kernel!`] |
//! | work that each thread does from beginning to end | [`deal`], [`deal_each`], [`in_blocks`] |
//! | the processes of a run, and what they share | [`Processes`], [`together`] |
//! | the f-MICL objective, tile by tile | [`estimator`] |
//! | a file that may be anything | [`open_file`], [`read_file`], [`not_a_pointer`] |
//! | a file of tensors | [`weights`] |
//! | what may panic, as an error | [`panics`] |
//! | how features lie on the sphere | [`geometry`] |
//! | the laws that every part obeys | [`testing`] |
//!
//! Core knows no divergence, encoder or dataset by name; those live in crates that depend on this one.

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
pub use error::{Error, Problem, Result, require};
pub use evaluation::{Encode, Evaluation, Figure, Report, Task};
pub use files::{OUTPUT_MARK, not_a_pointer, open_file, read_file};
pub use fmicl::FMicl;
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
