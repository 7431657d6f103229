#![doc = include_str!("../README.md")]

mod draft_7;
mod schema;

pub use draft_7::schema_of;
