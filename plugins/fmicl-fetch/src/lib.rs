//! Downloads, checks and unpacks what a dataset's [`Source`](fmicl_core::Source) declares.
//!
//! | to read | in |
//! |---|---|
//! | what happens to a dataset's files, in order | [`fetch`] |
//! | HTTP: resuming, retries, timeouts | `client.rs` |
//! | the file under way, and whose it is | `partial.rs` |
//! | the published checksum | `checksum.rs` |
//! | archives: what is refused, and how much may come out | `unpack.rs` |

mod checksum;
mod client;
mod event;
mod fetch;
mod origin;
mod partial;
mod size;
mod unpack;

pub use event::Event;
pub use fetch::{Fetch, fetch};
pub use size::Bytes;
