#![doc = include_str!("../README.md")]

pub mod datasets;
mod decode;
mod evaluation;
mod jpeg;
mod loader;
mod png;
mod prefetch;
pub mod transforms;
mod unreadable;
mod views;

pub use datasets::{Spread, data_folder};
pub use decode::decode;
pub use evaluation::{EvaluationBatch, evaluation_batches};
pub use jpeg::JPEG_SIMD;
pub use loader::{Batch, Loader};
pub use prefetch::Prefetch;
pub use transforms::Normalize;
pub use unreadable::{OnError, Unreadable};
pub use views::{ImageViews, Plan, ViewKey};
