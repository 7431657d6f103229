//! Training: from data to loss to weights.
//!
//! | to read | in |
//! |---|---|
//! | the train loop | `train/fit.rs` |
//! | what watches it, in which order | `train/callbacks.rs`, with a file for each in `train/callbacks/` |
//! | what it changes, and how a run goes on | `train/trainer.rs`, `train/resume.rs` |
//! | what the processes of a run compute together | [`forward`], [`backward`], [`GradientSums`] |
//! | what comes before the loop and behind it | `train/open.rs`, `train/start.rs`, `train/finish.rs` |
//! | a step once more, looked at closely | `train/replay.rs` |
//!
//! Training knows no evaluation: who trains hands in what judges an encoder.

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
pub use callbacks::{EPOCH_METRICS, Judge, SOME_EPOCHS_METRICS, Worth, has_collapsed};
pub use finish::Trained;
pub(crate) use interrupt::survive_large_files;
pub use interrupt::{Interrupt, Stopped};
pub use open::Opened;
pub use options::{Resume, TrainOptions};
pub use replay::replay;
pub use run::run;
pub use setup::open_loader;
pub(crate) use setup::prepare;
