//! Encoders of texts.

mod bert;

pub(crate) use bert::Shape;

pub use bert::{Activation, Bert, Family, Pooling, Poolings};
