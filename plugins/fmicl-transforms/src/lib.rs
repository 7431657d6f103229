//! Transforms beyond SimCLR's recipe, one a file.

mod solarize;

pub use solarize::Solarize;
