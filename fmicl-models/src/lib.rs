#![doc = include_str!("../README.md")]

pub mod architectures;
pub mod backbones;
pub mod layers;
pub mod optimizers;
pub mod pretrained;
pub mod schedules;

#[cfg(test)]
mod golden;
