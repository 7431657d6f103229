//! The engine's verbs, a file each, and those that are to become plugins.

mod check;
mod convert;
mod data;
mod embed;
mod eval;
mod experiment;
mod export;
mod features;
mod list;
mod replay;
mod train;

pub(crate) use check::summary;
use experiment::{ChangeArgs, ExperimentArgs};
