//! A run on the disk: its directory, its checkpoints, the model that they hold, and where its numbers come from.
//!
//! | to read | in |
//! |---|---|
//! | the directory | `run/run_dir.rs` |
//! | copies of the files that its parts read | `run/kept.rs` |
//! | a checkpoint; those of a run; which of them is used | `run/checkpoint.rs`, `run/checkpoints.rs`, `run/choice.rs` |
//! | the model, built or restored | `run/model.rs` |
//! | the scalars that its objective learns | `run/learned.rs` |
//! | files of JSON that grow by lines; read as curves | `run/lines.rs`, `run/history.rs` |
//! | a run as its files tell; all of them below a folder | `run/observed.rs`, `run/found.rs` |
//! | the last epoch's numbers as a report | `run/training.rs` |
//! | the program, the machine, the commands | `run/provenance.rs` |

mod checkpoint;
mod checkpoints;
mod choice;
mod collapse;
mod exported;
mod found;
mod history;
mod kept;
mod last_words;
mod learned;
mod lines;
mod model;
mod observed;
pub mod provenance;
mod published;
mod run_dir;
pub mod training;

pub(crate) use checkpoint::copy;
pub use checkpoint::{Checkpoint, Counts, Snapshot, Standing};
pub(crate) use checkpoints::Writer;
pub use choice::CheckpointChoice;
pub use collapse::has_collapsed;
pub use found::{Found, Sweep, find};
pub use history::{History, METRICS, Point, STEPS};
pub(crate) use kept::changed as changed_files;
pub(crate) use last_words::STOPPED_BY;
pub use last_words::last_lines;
pub use learned::LearnedScalars;
pub(crate) use lines::Lines;
pub use model::Model;
pub(crate) use model::{build_learner, read_init};
pub use observed::{Done, FAILED, Observed, State, failure};
pub(crate) use published::published;
pub(crate) use run_dir::is_listed;
pub use run_dir::{Restored, RunDir};
