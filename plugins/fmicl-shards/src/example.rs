//! What the examples of datasets hold.

/// The bytes of a tar file of these files.
pub(crate) fn tar(files: impl IntoIterator<Item = (String, Vec<u8>)>) -> std::io::Result<Vec<u8>> {
    let mut tar = tar::Builder::new(Vec::new());
    for (name, content) in files {
        let mut header = tar::Header::new_gnu();
        header.set_mode(0o644);
        header.set_size(content.len() as u64);
        tar.append_data(&mut header, name, &content[..])?;
    }
    tar.into_inner()
}

/// An image of 24 x 20 pixels: a colour of the class, a gradient of the number.
pub(crate) fn image(class: u8, number: u8) -> Vec<u8> {
    let pixels = (0..20u8).flat_map(|y| (0..24u8).flat_map(move |x| [40 + 160 * class, x * 9, y.wrapping_mul(number)]));
    b"P6\n24 20\n255\n".iter().copied().chain(pixels).collect()
}
