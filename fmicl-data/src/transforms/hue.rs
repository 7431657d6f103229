//! Hue: to 8-bit HSV, a shift of the hue, and back.
//!
//! Source: torchvision's `adjust_hue` on PIL images; the conversions are Pillow's, with its mixture of f32 and f64.

use crate::Planes;

/// Turns the hue by `factor` of the circle, from -0.5 to 0.5.
pub fn adjust_hue(image: &mut Planes, factor: f64) {
    // numpy: truncated toward zero, then modulo 256.
    let shift = (factor * 255.0) as i32 as u8;
    let [red, green, blue] = image.split_mut();
    for ((red, green), blue) in red.iter_mut().zip(green).zip(blue) {
        let (h, s, v) = rgb_to_hsv(*red, *green, *blue);
        (*red, *green, *blue) = hsv_to_rgb(h.wrapping_add(shift), s, v);
    }
}

fn rgb_to_hsv(r: u8, g: u8, b: u8) -> (u8, u8, u8) {
    let (max, min) = (r.max(g).max(b), r.min(g).min(b));
    if max == min {
        return (0, 0, max);
    }
    let range = f32::from(max - min);
    let s = range / f32::from(max);
    let [rc, gc, bc] = [r, g, b].map(|value| f32::from(max - value) / range);
    let h = if r == max {
        bc - gc
    } else if g == max {
        (2.0 + f64::from(rc) - f64::from(bc)) as f32
    } else {
        (4.0 + f64::from(gc) - f64::from(rc)) as f32
    };
    // Pillow's fmod(.., 1.0); the turn is from 5/6 to 11/6. `%` and `round` would be calls.
    let turn = f64::from(h) / 6.0 + 1.0;
    let h = (if turn >= 1.0 { turn - 1.0 } else { turn }) as f32;
    (
        (f64::from(h) * 255.0) as i32 as u8,
        (f64::from(s) * 255.0) as i32 as u8,
        max,
    )
}

fn hsv_to_rgb(h: u8, s: u8, v: u8) -> (u8, u8, u8) {
    if s == 0 {
        return (v, v, v);
    }
    let sector = (u16::from(h) * 6 / 255) as u8;
    let f = (f64::from(h) * 6.0 / 255.0 - f64::from(sector)) as f32;
    let fs = (f64::from(s) / 255.0) as f32;
    let value = f64::from(v);
    let round = |value: f64| (value + 0.5) as i32 as u8;
    let p = round(value * (1.0 - f64::from(fs)));
    let q = round(value * (1.0 - f64::from(fs * f)));
    let t = round(value * (1.0 - f64::from(fs) * (1.0 - f64::from(f))));
    match sector % 6 {
        0 => (v, t, p),
        1 => (q, v, p),
        2 => (p, v, t),
        3 => (p, q, v),
        4 => (t, p, v),
        _ => (v, p, q),
    }
}

#[cfg(test)]
mod tests {
    use crate::transforms::golden::compare;

    #[test]
    fn equals_torchvision_to_the_bit() {
        assert_eq!(compare("hue").1, 0);
    }
}
