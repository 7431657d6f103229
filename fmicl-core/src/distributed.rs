//! Several processes that compute one loss.

pub(crate) mod overlap;
pub(crate) mod processes;
pub(crate) mod together;
