//! dHash, a perceptual hash: of each row of 9 x 8 averages, whether each is darker than the next. Source: Krawetz, "Kind of like
//! that", 2013, <https://www.hackerfactor.com/blog/index.php?/archives/529-Kind-of-Like-That.html>.

use fmicl_core::Image;

const COLUMNS: usize = 9;
const ROWS: usize = 8;

/// Difference of two averages, in 1/1000 of a gray level, below which noise or nothing decides a bit.
const LEAST: u64 = 2000;
/// Bits that have to be decided. An even background decides none, and two images would look alike for what they do not show.
const DECIDED: usize = 32;

/// The 64 bits of an image; nothing where it is too small or too plain for them to mean something.
pub fn look(image: &Image) -> Option<u64> {
    if image.width < 2 * COLUMNS || image.height < 2 * ROWS {
        return None;
    }
    let (mut bits, mut decided) = (0, 0);
    for row in 0..ROWS {
        let mut before = None;
        for column in 0..COLUMNS {
            let value = average(image, row, column);
            if let Some(before) = before.replace(value) {
                bits = bits << 1 | u64::from(before < value);
                decided += usize::from(value.abs_diff(before) >= LEAST);
            }
        }
    }
    (decided >= DECIDED).then_some(bits)
}

/// The luma of a cell, times 1000.
fn average(image: &Image, row: usize, column: usize) -> u64 {
    let range = |cell: usize, cells: usize, pixels: usize| cell * pixels / cells..(cell + 1) * pixels / cells;
    let columns = range(column, COLUMNS, image.width);
    let rows = range(row, ROWS, image.height);
    let count = (columns.len() * rows.len()) as u64;
    let mut sums = [0u64; 3];
    for y in rows {
        let pixels = &image.pixels[3 * (y * image.width + columns.start)..3 * (y * image.width + columns.end)];
        for pixel in pixels.chunks_exact(3) {
            sums.iter_mut()
                .zip(pixel)
                .for_each(|(sum, &value)| *sum += u64::from(value));
        }
    }
    (299 * sums[0] + 587 * sums[1] + 114 * sums[2]) / count
}

#[cfg(test)]
mod tests {
    use super::*;

    fn image(width: usize, height: usize, value: impl Fn(usize, usize) -> u8) -> Image {
        let gray: Vec<u8> = (0..height)
            .flat_map(|y| (0..width).map(move |x| (x, y)))
            .map(|(x, y)| value(x, y))
            .collect();
        Image::from_gray(width, height, &gray)
    }

    #[test]
    fn a_bit_says_whether_the_next_cell_is_brighter() {
        assert_eq!(look(&image(18, 16, |x, _| 10 * x as u8)), Some(u64::MAX));
        assert_eq!(look(&image(18, 16, |x, _| 200 - 10 * x as u8)), Some(0));
        // The upper half of the rows rises; the rest is even.
        let first = look(&image(18, 16, |x, y| if y < 8 { 10 * x as u8 } else { 100 }));
        assert_eq!(first, Some(0xffff_ffff << 32));
        // A row less is too little.
        let less = image(18, 16, |x, y| if y < 6 { 10 * x as u8 } else { 100 });
        assert_eq!(look(&less), None);
    }

    #[test]
    fn another_size_or_brightness_looks_the_same_and_nothing_looks_like_nothing() {
        let scene = |x: f64, y: f64| (128.0 + 60.0 * (7.0 * x).sin() + 50.0 * (5.0 * y + 3.0 * x).cos()) as u8;
        let of = |side: usize, darker: u8| {
            let value = |x: usize, y: usize| scene(x as f64 / side as f64, y as f64 / side as f64) - darker;
            look(&image(side, side, value)).unwrap()
        };
        assert!((of(72, 0) ^ of(144, 0)).count_ones() <= 3);
        assert!((of(72, 0) ^ of(72, 10)).count_ones() <= 3);
        let other = look(&image(72, 72, |x, y| ((x * 5) ^ (y * 3)) as u8)).unwrap();
        assert!((of(72, 0) ^ other).count_ones() > 12);
        assert_eq!(look(&image(40, 40, |x, _| 100 + (x % 2) as u8)), None);
        assert_eq!(look(&image(1, 1, |_, _| 7)), None);
        assert_eq!(look(&image(17, 16, |x, _| 10 * x as u8)), None);
    }
}
