//! Horizontal flip, torchvision's `hflip`.

use crate::Planes;

/// Mirrors left and right.
pub fn horizontal_flip(image: &mut Planes) {
    if image.width > 0 {
        image.data.chunks_exact_mut(image.width).for_each(<[u8]>::reverse);
    }
}

#[cfg(test)]
mod tests {
    use crate::transforms::golden::compare;

    #[test]
    fn equals_torchvision_to_the_bit() {
        assert_eq!(compare("flip").1, 0);
    }
}
