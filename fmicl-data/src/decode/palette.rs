//! Colours by their numbers, as PIL looks them up.

/// The colours of pixels. One that the palette does not have is black; but a palette of grays, each at its own number, is
/// taken for none, and the numbers for the grays.
pub(super) fn colored(indices: &[u8], palette: &[[u8; 3]]) -> Vec<u8> {
    let is_gray = (0..)
        .zip(palette)
        .all(|(index, &color): (usize, _)| color.map(usize::from) == [index; 3]);
    let mut table = [[0; 3]; 256];
    for (index, color) in (0..=255).zip(&mut table) {
        *color = match is_gray {
            true => [index; 3],
            false => palette.get(usize::from(index)).copied().unwrap_or_default(),
        };
    }
    indices.iter().flat_map(|&index| table[usize::from(index)]).collect()
}
