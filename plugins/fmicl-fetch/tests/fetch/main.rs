//! Downloads and archives, from a server on this machine.

#![expect(clippy::unwrap_used, reason = "helpers of tests")]

mod archives;
mod common;
mod download;
