#![doc = include_str!("../README.md")]

mod accuracies;
mod augment;
mod classifier;
mod few;
mod finetune;
mod heads;
mod held_out;
mod knn;
mod lbfgs;
mod linear;
mod linear_sgd;
mod normal;
mod one_or_more;
mod predicted;
mod retrieval;
mod score;
mod select;
#[cfg(test)]
mod support;
mod tiles;

pub use classifier::Classifier;
pub use finetune::{Finetune, Labels};
pub use knn::Knn;
pub use linear::Linear;
pub use linear_sgd::LinearSgd;
pub use retrieval::{Gallery, Retrieval};
pub use score::{Largest, Score};
pub use select::L2;
