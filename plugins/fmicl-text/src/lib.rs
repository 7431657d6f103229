#![doc = include_str!("../README.md")]

mod backbones;
mod corpus;
mod datasets;
mod evaluations;
mod files;
mod json;
mod modules;
mod paths;
mod pool;
mod pretrained;
mod scored;
mod table;
mod views;

pub use backbones::{Activation, Bert, Family, Pooling, Poolings};
pub use corpus::Format;
pub use datasets::{Sentences, StsbCsv, Triplets};
pub use evaluations::{PairRetrieval, Sts};
pub use paths::Paths;
pub use pretrained::HuggingFace;
pub use views::Text;
