//! Datasets of sentences, one file each.

mod sentences;
mod stsb_csv;
pub(crate) mod triplets;

pub use sentences::Sentences;
pub use stsb_csv::StsbCsv;
pub use triplets::Triplets;
