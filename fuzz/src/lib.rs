//! Hostile bytes for everything that reads a file.
//!
//! | to read | in |
//! |---|---|
//! | what is given hostile bytes, and what must hold then | [`targets`], [`Target`] |
//! | inputs that once went wrong, or that are hard to come by | `corpus/TARGET/` |
//! | how an input is changed at random | [`mutate`] |
//! | how much memory something takes | [`memory_of`] |
//! | the short run, part of every `cargo test` | `tests/hostile.rs` |
//! | the long one, led by coverage | `main.rs`, `scripts/fuzz` |

mod folder;
mod heap;
mod mutate;
mod target;
pub mod targets;

pub use heap::memory_of;
pub use mutate::mutate;
pub use target::{MOST, Target};

// Their parts have targets, too.
use fmicl_text as _;
