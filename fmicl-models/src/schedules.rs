//! Schedules, one file each, and the learning rate that follows one.

mod cosine;
mod factor;
mod learning_rate;

pub use cosine::Cosine;
pub(crate) use factor::factor;
pub use learning_rate::LearningRate;

use fmicl_core::{Part, Schedule, toml};

/// The schedule where none is named.
#[expect(clippy::expect_used, reason = "this crate registers `cosine`, which has no options")]
pub fn cosine() -> Part<dyn Schedule> {
    Part::new("cosine", toml::Table::new()).expect("this crate has the schedule `cosine`")
}
