#![doc = include_str!("../README.md")]

mod align_uniform;
mod dcl;
mod dhel;
mod infonce;
mod kcl;
mod spectral;
mod temperature;

pub use align_uniform::AlignUniform;
pub use dcl::Dcl;
pub use dhel::Dhel;
pub use infonce::InfoNce;
pub use kcl::{Kcl, Kernel};
pub use spectral::Spectral;
