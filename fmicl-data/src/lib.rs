#![doc = include_str!("../README.md")]

pub mod datasets;
mod decode;
mod loader;
mod shares;
pub mod transforms;
mod views;

pub use datasets::{Chosen, data_folder};
pub use decode::{JPEG_SIMD, MOST_FILE, decode, decode_bands};
pub use loader::{Batch, EvaluationBatch, Loader, OnError, Prefetch, Unreadable, evaluation_batches};
pub use transforms::Normalize;
pub use views::{ImageViews, Plan, Triples, ViewKey};
