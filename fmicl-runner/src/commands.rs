//! The engine's verbs, a file each.

mod check;
mod eval;
mod experiment;
mod list;
mod replay;
mod train;

pub use check::{Checked, checked};
use experiment::{ChangeArgs, ExperimentArgs};
pub use train::train_and_judge;
