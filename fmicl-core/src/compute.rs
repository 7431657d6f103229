//! Computation below the parts: kernels, layers, flat buffers, threads, random numbers.

pub(crate) mod arithmetic;
pub(crate) mod blocks;
mod convolution;
pub mod geometry;
pub(crate) mod libtorch;
pub(crate) mod linear;
pub(crate) mod momentum;
pub(crate) mod normalize;
pub(crate) mod parameters;
pub(crate) mod planes;
pub(crate) mod rng;
pub mod simd;
pub mod sphere;
pub(crate) mod threads;
