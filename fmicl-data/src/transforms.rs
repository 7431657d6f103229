//! The transforms, one file each: parameters are drawn with torchvision's distributions, then applied.
//!
//! With the same parameters each equals torchvision 0.26 on PIL images (Pillow 13) to the bit, but for the blur,
//! which torchvision computes in another order of f32 sums and which is within 1.

mod block;
mod blur;
mod color;
mod crop;
mod filter;
mod flip;
mod gaussian;
#[cfg(test)]
mod golden;
mod grayscale;
mod hue;
mod interleaved;
mod jitter;
mod normalize;
mod pixels;
mod resize;

pub use blur::Blur;
pub(crate) use color::grayed;
pub use crop::Crop;
pub use flip::{Flip, horizontal_flip};
pub use gaussian::gaussian_blur;
pub use grayscale::Grayscale;
pub(crate) use interleaved::Interleaved;
pub use jitter::Jitter;
pub use normalize::Normalize;
pub(crate) use pixels::Pending;
pub use pixels::apply_pixels;
pub(crate) use resize::Resizer;
pub use resize::{resize_and_center_crop, resize_shorter_side, resized_crop};

use fmicl_core::{Result, require};

/// Checks the option `p` of a transform.
fn require_probability(p: f64) -> Result<()> {
    require((0.0..=1.0).contains(&p), "p", || format!("{p} is not a probability"))
}
