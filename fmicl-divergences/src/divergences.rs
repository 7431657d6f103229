//! `kl js pearson hellinger tsallis vlc jeffreys`, and two that the uniformity theorem does not cover: `reverse-kl neyman`.

mod hellinger;
mod jeffreys;
mod js;
mod kl;
mod neyman;
mod pearson;
mod reverse_kl;
mod tsallis;
mod vlc;

pub use hellinger::Hellinger;
pub use jeffreys::Jeffreys;
pub use js::Js;
pub use kl::Kl;
pub use neyman::Neyman;
pub use pearson::Pearson;
pub use reverse_kl::ReverseKl;
pub use tsallis::Tsallis;
pub use vlc::Vlc;

/// Distance from an open bound of `f*`'s domain to which a raw critic is clamped. Closer to the bound the slope of `f*`
/// grows without limit (as `1/gap` to `1/gap^2`), and one pair would outweigh a whole batch.
const GAP: f64 = 0.01;
