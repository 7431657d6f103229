#![doc = include_str!("../README.md")]

pub mod datasets;
mod decode;
mod evaluation;
mod jpeg;
mod loader;
mod planes;
mod png;
mod prefetch;
mod rng;
mod switch;
pub mod transforms;
mod unreadable;
mod views;

pub use datasets::{Spread, data_folder};
pub use decode::decode;
pub use evaluation::{EvaluationBatch, evaluation_batches};
pub use jpeg::JPEG_SIMD;
pub use loader::{Batch, Loader};
pub use planes::Planes;
pub use prefetch::Prefetch;
pub use rng::Rng;
pub use switch::Switch;
pub use transforms::{Blur, Crop, Jitter, Normalize};
pub use unreadable::{OnError, Unreadable};
pub use views::{ImageViews, Plan, ViewKey};
