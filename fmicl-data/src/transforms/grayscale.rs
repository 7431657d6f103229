//! Gray as three equal channels, torchvision's `RandomGrayscale` once it is chosen.

use crate::Planes;

/// ITU-R 601 luma in Pillow's fixed point.
#[inline(always)]
pub(super) fn luma(red: u8, green: u8, blue: u8) -> u8 {
    ((u32::from(red) * 19595 + u32::from(green) * 38470 + u32::from(blue) * 7471 + 0x8000) >> 16) as u8
}

/// Replaces the three channels by their luma.
pub fn grayscale(image: &mut Planes) {
    let [red, green, blue] = image.split_mut();
    for ((red, green), blue) in red.iter_mut().zip(green).zip(blue) {
        let gray = luma(*red, *green, *blue);
        (*red, *green, *blue) = (gray, gray, gray);
    }
}

#[cfg(test)]
mod tests {
    use crate::transforms::golden::compare;

    #[test]
    fn equals_torchvision_to_the_bit() {
        assert_eq!(compare("grayscale").1, 0);
    }
}
