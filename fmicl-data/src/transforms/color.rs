//! Brightness, contrast and saturation: blends with black, with the mean gray, with the image's own gray.
//!
//! Source: torchvision's `adjust_brightness`, `adjust_contrast`, `adjust_saturation` on PIL images, which are
//! `PIL.ImageEnhance`. Each truncates to 8 bits; it does not round. Values are whole numbers from 0 to 255 in f32.

use fmicl_core::Patch;

/// The greater; `second` where `first` is not a number. One instruction, unlike `f32::max`.
#[inline(always)]
pub(super) fn max(first: f32, second: f32) -> f32 {
    if first > second { first } else { second }
}

/// The lesser; `second` where `first` is not a number.
#[inline(always)]
pub(super) fn min(first: f32, second: f32) -> f32 {
    if first < second { first } else { second }
}

/// Cuts off the fraction of a number from 0 to 2^24.
#[inline(always)]
pub(super) fn trunc(value: f32) -> f32 {
    // SAFETY: in range, and not NaN. `as` would add comparisons to each of the few operations of a step.
    unsafe { value.to_int_unchecked::<i32>() as f32 }
}

/// A whole number from 0 to 255 as a byte: added to 1.5 * 2^23, it is in the lowest bits.
#[inline(always)]
pub(super) fn byte(value: f32) -> u8 {
    (value + 12_582_912.0).to_bits() as u8
}

/// `v / 255`, correctly rounded for every whole number up to 255: the product with the upper half of 1 / 255 is exact.
#[inline(always)]
pub(super) fn over_255(value: f32) -> f32 {
    const INVERSE: f64 = 1.0 / 255.0;
    const UPPER: f32 = f32::from_bits((INVERSE as f32).to_bits() & 0xffff_0000);
    const LOWER: f32 = (INVERSE - UPPER as f64) as f32;
    value * UPPER + value * LOWER
}

/// ITU-R 601 luma in Pillow's fixed point; every sum is below 2^24, so f32 holds it.
#[inline(always)]
pub(super) fn luma(red: f32, green: f32, blue: f32) -> f32 {
    trunc((red * 19595.0 + green * 38470.0 + blue * 7471.0 + 32768.0) * (1.0 / 65536.0))
}

/// An image as with PIL's `convert("L")`, the gray in all three channels.
pub(crate) fn grayed(patch: &Patch) -> Patch<'static> {
    let gray = |&[red, green, blue]: &[u8; 3]| [byte(luma(red.into(), green.into(), blue.into())); 3];
    Patch {
        region: patch.region,
        pixels: patch.pixels.as_chunks().0.iter().flat_map(gray).collect(),
    }
}

/// Clamped and truncated; it does not round.
#[inline(always)]
pub(super) fn blend(gray: f32, value: f32, factor: f32) -> f32 {
    trunc(min(max(gray + factor * (value - gray), 0.0), 255.0))
}

#[cfg(test)]
mod tests {
    use crate::transforms::apply_pixels;
    use crate::transforms::golden::{compare, every_color};
    use fmicl_core::PixelOp;

    #[test]
    fn equals_torchvision_to_the_bit() {
        assert_eq!(compare("brightness").1, 0);
        assert_eq!(compare("contrast").1, 0);
        assert_eq!(compare("saturation").1, 0);
    }

    #[test]
    fn luma_in_f32_is_the_fixed_point_one_for_every_color() {
        let all = every_color();
        let mut found = all.clone();
        apply_pixels(&mut found, &[PixelOp::Gray]);
        let ([gray, ..], [red, green, blue]) = (found.split(), all.split());
        for i in 0..1 << 24 {
            let [r, g, b] = [red[i], green[i], blue[i]].map(u32::from);
            assert_eq!(u32::from(gray[i]), (r * 19595 + g * 38470 + b * 7471 + 0x8000) >> 16);
        }
    }
}
