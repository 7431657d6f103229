//! Evaluations of sentence encoders.

mod pair_retrieval;
mod sts;

pub use pair_retrieval::PairRetrieval;
pub use sts::Sts;
