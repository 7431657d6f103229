//! The engine `c10d`: the processes of a run over PyTorch's own c10d (TCPStore, Gloo), under torchrun or Slurm.
//!
//! | to read | in |
//! |---|---|
//! | the engine's options | [`C10d`] |
//! | who the others are, by the launcher's environment | [`Launched`] |
//! | c10d in C++ behind C functions | `shim.cc`, `group.rs` |
//! | what is done together, and who is to blame where it fails | `processes.rs`, `joined.rs`, `blame.rs` |
//! | gradients that are summed while the backward pass goes on | `sums.rs` |

mod blame;
mod engine;
mod group;
mod joined;
mod launched;
mod processes;
mod sums;

pub use engine::{Backend, C10d};
pub use launched::{Agent, Launched};
