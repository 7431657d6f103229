//! Horizontal flip, torchvision's `hflip`.

use crate::Planes;

/// Mirrors left and right.
pub fn horizontal_flip(image: &mut Planes) {
    if image.width > 0 {
        image.data.chunks_exact_mut(image.width).for_each(<[u8]>::reverse);
    }
}
