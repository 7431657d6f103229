//! Brightness, contrast and saturation: blends with black, with the mean gray, with the image's own gray.
//!
//! Source: torchvision's `adjust_brightness`, `adjust_contrast`, `adjust_saturation` on PIL images, which are
//! `PIL.ImageEnhance`. Each truncates to 8 bits; it does not round.

use super::grayscale::luma;
use crate::Planes;

/// `degenerate + factor * (value - degenerate)` in f32, clamped, truncated.
#[inline(always)]
#[expect(clippy::manual_clamp, reason = "`clamp` lets a NaN through")]
fn blend(degenerate: u8, value: u8, factor: f32) -> u8 {
    let (degenerate, value) = (f32::from(degenerate), f32::from(value));
    let blended = (degenerate + factor * (value - degenerate)).max(0.0).min(255.0);
    // SAFETY: in 0..=255, and not NaN: `max` returns its other side for one. `as` would not vectorise.
    unsafe { blended.to_int_unchecked::<i32>() as u8 }
}

/// `factor` 0 gives black, 1 the image itself; at least 0 and finite.
pub fn adjust_brightness(image: &mut Planes, factor: f32) {
    for value in &mut image.data {
        *value = blend(0, *value, factor);
    }
}

/// `factor` 0 gives the mean gray, 1 the image itself; at least 0 and finite.
pub fn adjust_contrast(image: &mut Planes, factor: f32) {
    let [red, green, blue] = image.split();
    let sum: u64 = red
        .iter()
        .zip(green)
        .zip(blue)
        .map(|((&r, &g), &b)| u64::from(luma(r, g, b)))
        .sum();
    let mean = (sum as f64 / red.len() as f64 + 0.5) as u8;
    for value in &mut image.data {
        *value = blend(mean, *value, factor);
    }
}

/// `factor` 0 gives gray, 1 the image itself; at least 0 and finite.
pub fn adjust_saturation(image: &mut Planes, factor: f32) {
    let [red, green, blue] = image.split_mut();
    for ((red, green), blue) in red.iter_mut().zip(green).zip(blue) {
        let gray = luma(*red, *green, *blue);
        (*red, *green, *blue) = (
            blend(gray, *red, factor),
            blend(gray, *green, factor),
            blend(gray, *blue, factor),
        );
    }
}

#[cfg(test)]
mod tests {
    use crate::transforms::golden::compare;

    #[test]
    fn equals_torchvision_to_the_bit() {
        assert_eq!(compare("brightness").1, 0);
        assert_eq!(compare("contrast").1, 0);
        assert_eq!(compare("saturation").1, 0);
    }
}
