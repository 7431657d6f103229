//! From inks to light, as PIL does it without a profile.

/// The colour of cyan, magenta, yellow and black.
pub(super) fn to_rgb([cyan, magenta, yellow, black]: [u8; 4]) -> [u8; 3] {
    let light = !black;
    [cyan, magenta, yellow].map(|ink| light - multiplied(ink, light))
}

/// The product of two parts of 255, rounded; at most either of them.
fn multiplied(a: u8, b: u8) -> u8 {
    let product = u32::from(a) * u32::from(b) + 128;
    ((product + (product >> 8)) >> 8) as u8
}
