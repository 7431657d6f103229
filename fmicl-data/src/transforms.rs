//! The transforms, one file each: parameters are sampled with torchvision's distributions, then applied.
//!
//! With the same parameters each equals torchvision 0.26 on PIL images (Pillow 13) to the bit, but for the blur,
//! which torchvision computes in another order of f32 sums and which is within 1.

mod block;
mod blur;
mod color;
mod crop;
mod filter;
mod flip;
#[cfg(test)]
mod golden;
mod grayscale;
mod hue;
mod interleaved;
mod jitter;
mod normalize;
mod pixels;
mod resize;

pub(crate) use blur::Blurrer;
pub use blur::{Blur, gaussian_blur};
pub use crop::Crop;
pub use flip::horizontal_flip;
pub use grayscale::grayscale;
pub(crate) use interleaved::Interleaved;
pub use jitter::{Adjust, Jitter};
pub use normalize::Normalize;
pub(crate) use pixels::Pending;
pub(crate) use resize::Resizer;
pub use resize::{resize_and_center_crop, resize_shorter_side, resized_crop};
