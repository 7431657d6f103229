//! `kl js pearson hellinger tsallis vlc`.

mod hellinger;
mod js;
mod kl;
mod pearson;
mod tsallis;
mod vlc;

pub use hellinger::Hellinger;
pub use js::Js;
pub use kl::Kl;
pub use pearson::Pearson;
pub use tsallis::Tsallis;
pub use vlc::Vlc;

/// Distance from an open bound of `f*`'s domain to which a raw critic is clamped. Closer to the bound the slope of `f*`
/// grows without limit (as `1/gap` to `1/gap^2`), and one pair would outweigh a whole batch.
const GAP: f64 = 0.01;
