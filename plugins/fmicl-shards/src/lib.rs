#![doc = include_str!("../README.md")]

mod braces;
mod example;
mod index;
mod labels;
mod one_or_more;
mod opened;
mod patterns;
mod samples;
mod split;
mod tar;
mod webdataset;

pub use patterns::Patterns;
pub use webdataset::WebDataset;
