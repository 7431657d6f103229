#![doc = include_str!("../README.md")]

mod accuracies;
mod classifier;
mod few;
mod knn;
mod lbfgs;
mod linear;
mod score;
mod tiles;

pub use classifier::Classifier;
pub use few::{DRAWS, FEW};
pub use knn::Knn;
pub use linear::Linear;
pub use score::{Largest, Score};
