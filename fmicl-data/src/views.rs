//! Parts of the kind `views`, one a file.

mod image;
mod lines;
mod render;

pub use image::{ImageViews, Plan, Triples, ViewKey};
