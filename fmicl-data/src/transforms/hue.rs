//! Hue: to 8-bit HSV, a shift of the hue, and back.
//!
//! Source: torchvision's `adjust_hue` on PIL images; the conversions are Pillow's. It mixes f32 and f64; with the
//! operations in the order below f32 gives the same for every colour and every shift.

use super::color::{max, min, over_255, trunc};

/// To 8-bit HSV, a shift of the hue, and back.
#[inline(always)]
pub(super) fn turn_hue(red: f32, green: f32, blue: f32, shift: f32) -> (f32, f32, f32) {
    let (max, min) = (max(max(red, green), blue), min(min(red, green), blue));
    let range = max - min;
    // Above 0, so that a gray pixel, which comes out as it is, divides nothing by 0.
    let divisor = if range > 1.0 { range } else { 1.0 };

    // The sector's start, and the two other channels' distances from the greatest. The farther one is `range`, and the
    // hue lies within one on the side of the nearer one.
    let is_red = red == max;
    let is_green = green == max;
    let start = if is_red {
        0.0
    } else if is_green {
        2.0
    } else {
        4.0
    };
    let up = max
        - if is_red {
            blue
        } else if is_green {
            red
        } else {
            green
        };
    let down = max
        - if is_red {
            green
        } else if is_green {
            blue
        } else {
            red
        };
    let part = (if up < down { up } else { down }) / divisor;
    let sixths = if up >= down {
        (start + 1.0) - part
    } else {
        (start - 1.0) + part
    };
    let turn = sixths / 6.0;
    let turn = if turn < 0.0 { turn + 1.0 } else { turn };
    let hue = trunc(turn * 255.0) + shift;
    let hue = if hue >= 256.0 { hue - 256.0 } else { hue };
    let saturation = over_255(trunc(range / (if max > 1.0 { max } else { 1.0 }) * 255.0));

    // Half of one added keeps whole sectors from falling short.
    let sector = trunc((hue * 6.0 + 0.5) * (1.0 / 255.0));
    let part = over_255(hue * 6.0 - sector * 255.0);
    let sector = if sector == 6.0 { 0.0 } else { sector };
    let is_odd = (sector == 1.0) | (sector == 3.0) | (sector == 5.0);
    let part = if is_odd { part } else { 1.0 - part };
    let low = trunc(max * (1.0 - saturation) + 0.5);
    let middle = trunc(max * (1.0 - saturation * part) + 0.5);
    let pick = |high: [f32; 2], between: [f32; 2]| {
        if (sector == high[0]) | (sector == high[1]) {
            max
        } else if (sector == between[0]) | (sector == between[1]) {
            middle
        } else {
            low
        }
    };
    (
        pick([0.0, 5.0], [1.0, 4.0]),
        pick([1.0, 2.0], [0.0, 3.0]),
        pick([3.0, 4.0], [2.0, 5.0]),
    )
}

#[cfg(test)]
mod tests {
    use crate::transforms::apply_pixels;
    use crate::transforms::golden::{compare, every_color};
    use fmicl_core::PixelOp;

    #[test]
    fn equals_torchvision_to_the_bit() {
        assert_eq!(compare("hue").1, 0);
    }

    /// Pillow's rgb2hsv_row and hsv2rgb, with its mixture of f32 and f64.
    fn pillow([r, g, b]: [u8; 3], shift: u8) -> [u8; 3] {
        let (max, min) = (r.max(g).max(b), r.min(g).min(b));
        let (mut h, mut s) = (0u8, 0u8);
        if max != min {
            let range = f32::from(max - min);
            let [rc, gc, bc] = [r, g, b].map(|value| f32::from(max - value) / range);
            let sixths = if r == max {
                bc - gc
            } else if g == max {
                (2.0 + f64::from(rc) - f64::from(bc)) as f32
            } else {
                (4.0 + f64::from(gc) - f64::from(rc)) as f32
            };
            let turn = ((f64::from(sixths) / 6.0 + 1.0) % 1.0) as f32;
            h = (f64::from(turn) * 255.0) as i32 as u8;
            s = (f64::from(range / f32::from(max)) * 255.0) as i32 as u8;
        }
        h = h.wrapping_add(shift);
        if s == 0 {
            return [max; 3];
        }
        let sector = (f64::from(h) * 6.0 / 255.0).floor();
        let f = (f64::from(h) * 6.0 / 255.0 - sector) as f32;
        let fs = (f64::from(s) / 255.0) as f32;
        let round = |part: f64| (f64::from(max) * (1.0 - part)).round() as u8;
        let (p, q) = (round(f64::from(fs)), round(f64::from(fs * f)));
        let t = round(f64::from(fs) * (1.0 - f64::from(f)));
        match sector as u8 % 6 {
            0 => [max, t, p],
            1 => [q, max, p],
            2 => [p, max, t],
            3 => [p, q, max],
            4 => [t, p, max],
            _ => [max, p, q],
        }
    }

    #[test]
    fn hue_in_f32_is_pillows_for_every_color() {
        let all = every_color();
        for (factor, shift) in [(0.1, 25), (-0.43, 147)] {
            let mut found = all.clone();
            apply_pixels(&mut found, &[PixelOp::Hue(factor)]);
            let ([red, green, blue], [r, g, b]) = (found.split(), all.split());
            let wrong = (0..1 << 24).find(|&i| [red[i], green[i], blue[i]] != pillow([r[i], g[i], b[i]], shift));
            assert_eq!(wrong.map(|i| [r[i], g[i], b[i]]), None, "a shift of {shift}");
        }
    }
}
