#![doc = include_str!("../README.md")]

mod braces;
mod example;
mod index;
mod labels;
mod numbered;
mod one_or_more;
mod opened;
mod parquet;
mod patterns;
mod samples;
mod section;
mod split;
mod tar;
mod unpacked;
mod webdataset;

pub use crate::parquet::{Names, Parquet};
pub use patterns::Patterns;
pub use webdataset::WebDataset;
