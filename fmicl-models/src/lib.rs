//! Backbones, projection heads, architectures and optimizers.
//!
//! | to read | in |
//! |---|---|
//! | encoders, named and initialised as in torchvision | [`backbones`] |
//! | how views become pairings | [`architectures`] |
//! | the MLP between the two | [`mlp`] |
//! | optimizers on flat buffers | [`optimizers`] |
//! | how a number changes over training, and the learning rate | [`schedules`] |

pub mod architectures;
pub mod backbones;
mod layers;
pub mod mlp;
mod norm;
pub mod optimizers;
pub mod schedules;

#[cfg(test)]
mod golden;
