#![doc = include_str!("../README.md")]

mod accuracies;
mod classifier;
mod few;
mod held_out;
mod knn;
mod lbfgs;
mod linear;
mod one_or_more;
mod retrieval;
mod score;
mod select;
mod tiles;

pub use classifier::Classifier;
pub use few::{DRAWS, FEW};
pub use knn::Knn;
pub use linear::Linear;
pub use retrieval::{Gallery, Retrieval};
pub use score::{Largest, Score};
pub use select::L2;
