#![doc = include_str!("../README.md")]

mod apart;
mod axis;
mod best;
mod caption;
mod cell;
mod csv;
mod file;
mod grid;
mod jobs;
mod lines;
mod lists;
mod metrics;
mod outcome;
mod plot;
mod provenance;
mod reference;
mod report;
mod summary;
mod sweep;
#[cfg(test)]
mod tests;

pub use sweep::titles;
