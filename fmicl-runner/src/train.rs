//! Training: from data to loss to weights.
//!
//! | to read | in |
//! |---|---|
//! | the train loop | `train/fit.rs` |
//! | the callbacks that observe it, in their order | `train/callbacks.rs`, with a file for each in `train/callbacks/` |
//! | a run from start to end | `train/run.rs` |
//! | the state that it changes, and how a run is resumed | `train/trainer.rs`, `train/resume.rs` |
//! | the computations of all processes together | [`forward`], [`backward`], [`GradientSums`] |
//! | the steps before the loop and after it | `train/open.rs`, `train/start.rs`, `train/finish.rs` |
//! | a step repeated and traced | `train/replay.rs` |
//!
//! Training does not depend on evaluation: the caller passes in the function that evaluates the encoder.

mod batch;
mod batches;
mod callback;
mod callbacks;
mod finish;
mod finite;
mod fit;
mod interrupt;
mod logged;
mod measured;
mod meter;
mod open;
mod options;
mod replay;
mod resume;
mod run;
mod seen;
mod setup;
mod start;
mod trainer;

pub use batch::{GradientSums, backward, forward};
pub(crate) use callbacks::can_be_shown;
pub use callbacks::{EPOCH_METRICS, Judge, SOME_EPOCHS_METRICS, Worth};
pub use finish::Trained;
pub(crate) use interrupt::survive_large_files;
pub use interrupt::{Interrupt, Stopped};
pub use open::Opened;
pub use options::{Resume, TrainOptions};
pub use replay::replay;
pub use run::run;
pub use setup::open_loader;
pub(crate) use setup::prepare;
