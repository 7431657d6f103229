//! Contrastive baselines to compare f-MICL with, one file each, on the public interface alone.

mod align_uniform;
mod infonce;
mod pairs;
mod spectral;

pub use align_uniform::AlignUniform;
pub use infonce::InfoNce;
pub use spectral::Spectral;
