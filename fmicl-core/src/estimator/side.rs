//! The side of a tile.

use std::sync::LazyLock;
use std::sync::atomic::{AtomicI64, Ordering};
use tch::{Device, Kind};

/// Value of [`set_tile`]; 0 for none.
static SIDE: AtomicI64 = AtomicI64::new(0);

/// Sets the side of all tiles from now on, at least 1; `None` leaves it to the cache and the device. Sums are in another
/// order with another side, so results change in their last digits.
pub fn set_tile(side: Option<usize>) {
    let side = side.map_or(0, |side| i64::try_from(side).unwrap_or(i64::MAX).max(1));
    SIDE.store(side, Ordering::Relaxed);
}

/// The side of a tile: a tile fills a core's second-level cache, or 16 MiB on a GPU; 512 for f32 where the cache is 1 MiB.
pub fn tile(device: Device, kind: Kind) -> i64 {
    let set = SIDE.load(Ordering::Relaxed);
    if set > 0 {
        return set;
    }
    let bytes = if device == Device::Cpu { *CACHE } else { 16 << 20 };
    let elements = bytes / kind.elt_size_in_bytes().max(1);
    // Whole vectors, and never so small that the calls cost more than what they do.
    ((elements.isqrt() / 64 * 64).clamp(256, 4096)) as i64
}

/// Bytes of a core's second-level cache; 1 MiB where the system does not say.
static CACHE: LazyLock<usize> = LazyLock::new(|| {
    let path = "/sys/devices/system/cpu/cpu0/cache/index2/size";
    let text = std::fs::read_to_string(path).unwrap_or_default();
    let kib = text.trim().strip_suffix('K').and_then(|kib| kib.parse::<usize>().ok());
    kib.map_or(1 << 20, |kib| kib << 10)
});

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tile_fills_the_cache_with_whole_vectors() {
        for kind in [Kind::Float, Kind::Double, Kind::Half] {
            let side = tile(Device::Cpu, kind);
            assert!(side % 64 == 0 && (256..=4096).contains(&side), "{side}");
        }
        assert_eq!(tile(Device::Cuda(0), Kind::Float), 2048);
    }
}
