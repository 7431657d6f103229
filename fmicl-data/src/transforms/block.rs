//! Rows on their side: the same byte of several rows beside one another.

/// Rows done at once: a block of them on its side makes the sums of a pixel's channels contiguous.
pub(super) const ROWS: usize = 8;

/// Lays a block of rows on its side.
#[inline(always)]
pub(super) fn lay(rows: [&[u8]; ROWS], block: &mut [[u8; ROWS]]) {
    let length = block.len();
    if length < 8 {
        for (x, block) in block.iter_mut().enumerate() {
            *block = std::array::from_fn(|row| rows[row][x]);
        }
        return;
    }
    for x in (0..length).step_by(8) {
        // The last step overlaps the one before it.
        let x = x.min(length - 8);
        let mut square = [[0; 8]; ROWS];
        for (square, row) in square.iter_mut().zip(rows) {
            square.copy_from_slice(&row[x..][..8]);
        }
        block[x..x + 8].copy_from_slice(&transpose(square));
    }
}

/// Swaps the rows and columns of a square of bytes: halves, then quarters, then single bytes.
#[inline(always)]
pub(super) fn transpose(square: [[u8; 8]; 8]) -> [[u8; 8]; 8] {
    // Loops, not `map`, which is no `inline(always)` function.
    let mut words = [0; 8];
    for (word, row) in words.iter_mut().zip(square) {
        *word = u64::from_le_bytes(row);
    }
    let steps = [
        (4, 0x0000_0000_ffff_ffff),
        (2, 0x0000_ffff_0000_ffff),
        (1, 0x00ff_00ff_00ff_00ff_u64),
    ];
    for (apart, low) in steps {
        for i in (0..8).filter(|i| i & apart == 0) {
            let (first, second) = (words[i], words[i + apart]);
            words[i] = (first & low) | ((second & low) << (8 * apart));
            words[i + apart] = ((first >> (8 * apart)) & low) | (second & !low);
        }
    }
    let mut swapped = [[0; 8]; 8];
    for (row, word) in swapped.iter_mut().zip(words) {
        *row = word.to_le_bytes();
    }
    swapped
}
