//! A run on the disk: its directory, its checkpoints, the model that they hold, and where its numbers come from.
//!
//! | to read | in |
//! |---|---|
//! | the directory | `run/run_dir.rs` |
//! | copies of the files that its parts read | `run/kept.rs` |
//! | a checkpoint; those of a run; which of them is used | `run/checkpoint.rs`, `run/checkpoints.rs`, `run/choice.rs` |
//! | the model, built or restored | `run/model.rs` |
//! | the scalars that its objective learns | `run/learned.rs` |
//! | files of JSON that grow by lines | `run/lines.rs` |
//! | the program, the machine, the commands | `run/provenance.rs` |

mod checkpoint;
mod checkpoints;
mod choice;
mod exported;
mod kept;
mod learned;
mod lines;
mod model;
pub mod provenance;
mod published;
mod run_dir;

pub(crate) use checkpoint::copy;
pub use checkpoint::{Checkpoint, Counts, Snapshot, Standing};
pub(crate) use checkpoints::Writer;
pub use choice::CheckpointChoice;
pub(crate) use kept::changed as changed_files;
pub use learned::LearnedScalars;
pub(crate) use lines::Lines;
pub use model::Model;
pub(crate) use model::{build_learner, read_init};
pub(crate) use published::published;
pub(crate) use run_dir::is_listed;
pub use run_dir::{Restored, RunDir};
