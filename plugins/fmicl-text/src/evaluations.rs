//! Evaluations of sentence encoders.

mod sts;

pub use sts::Sts;
