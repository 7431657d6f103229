//! Rows of a matrix, so many at a time that what is computed of them takes little memory.

/// Numbers of a tile's widest intermediate value: 16 MiB of f32.
const NUMBERS: usize = 1 << 22;

/// The tiles of `rows` rows, of each its first row and how many it has, where as many as `widest` numbers are computed of
/// each row.
pub fn tiles(rows: i64, widest: usize) -> impl Iterator<Item = (i64, i64)> + Clone {
    let size = (NUMBERS / widest.max(1)).max(1) as i64;
    (0..rows)
        .step_by(size as usize)
        .map(move |start| (start, size.min(rows - start)))
}

/// The most bytes of the tiles that a classifier holds at once.
pub const BYTES: u64 = 8 * 4 * NUMBERS as u64;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tiles_cover_every_row_once() {
        assert_eq!(tiles(10, NUMBERS / 4).collect::<Vec<_>>(), [(0, 4), (4, 4), (8, 2)]);
        assert_eq!(tiles(2, 2 * NUMBERS).collect::<Vec<_>>(), [(0, 1), (1, 1)]);
        assert_eq!(tiles(3, 0).collect::<Vec<_>>(), [(0, 3)]);
        assert_eq!(tiles(0, 1).count(), 0);
    }
}
