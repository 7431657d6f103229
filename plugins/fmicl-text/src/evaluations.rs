//! Evaluations of sentence encoders.

mod pair_retrieval;
mod sts;

pub use pair_retrieval::PairRetrieval;
pub use sts::Sts;

use crate::pool::Pool;
use fmicl_core::tch::Tensor;
use fmicl_core::{Error, Representation, Result};
use std::sync::Arc;

/// The features `[N, d]` of sentences, as [`Representation::encode`] has them.
///
/// # Errors
/// A sentence that cannot be read, or features that are not finite.
fn encoded(it: &dyn Representation, sentences: &Arc<Pool>) -> Result<Tensor> {
    let features = it.encode(sentences.clone())?;
    match features.isfinite().all().int64_value(&[]) {
        0 => Err(Error::Run(
            "the encoder's features have values that are not finite: it has diverged".into(),
        )),
        _ => Ok(features),
    }
}
