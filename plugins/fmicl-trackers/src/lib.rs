#![doc = include_str!("../README.md")]

mod flat;
mod mlflow;
mod names;
mod tensorboard;

pub use mlflow::Mlflow;
pub use tensorboard::TensorBoard;
