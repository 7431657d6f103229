//! Encoders of texts.

mod bert;

pub use bert::{Activation, Bert, Family, Pooling};
