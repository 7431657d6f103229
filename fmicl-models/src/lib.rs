#![doc = include_str!("../README.md")]

pub mod architectures;
pub mod backbones;
mod layers;
pub mod mlp;
mod norm;
pub mod optimizers;
pub mod schedules;

#[cfg(test)]
mod golden;
