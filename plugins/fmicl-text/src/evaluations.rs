//! Evaluations of sentence encoders.

mod sts;

pub(crate) use sts::Pairs;
pub use sts::Sts;
