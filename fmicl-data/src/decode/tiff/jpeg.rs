//! TIFF files whose strips or tiles are JPEG files without tables, which stand in the directory.

use super::{Raw, said};
use crate::decode::{Jpeg, TRUNCATED};
use fmicl_core::Region;
use tiff::decoder::{ChunkType, Decoder};
use tiff::tags::Tag;

/// The pixels of the decoder's image, whose file is `bytes`. It says itself whether they are `is_rgb`, whatever the names of the components.
///
/// # Errors
/// What is wrong with them.
pub(super) fn decode(
    decoder: &mut Decoder<Raw<'_>>,
    bytes: &[u8],
    (width, height): (usize, usize),
    is_rgb: bool,
) -> Result<Vec<u8>, String> {
    let (offsets, lengths) = match decoder.get_chunk_type() {
        ChunkType::Strip => (Tag::StripOffsets, Tag::StripByteCounts),
        ChunkType::Tile => (Tag::TileOffsets, Tag::TileByteCounts),
    };
    let offsets = decoder.get_tag_u64_vec(offsets).map_err(said)?;
    let lengths = decoder.get_tag_u64_vec(lengths).map_err(said)?;
    let tables = decoder.find_tag(Tag::JPEGTables).map_err(said)?;
    let tables = tables.map(|tables| tables.into_u8_vec().map_err(said)).transpose()?;
    // They go before each part; no encoder writes more than a few hundred bytes.
    if tables.as_ref().is_some_and(|tables| tables.len() > 1 << 14) {
        return Err("its tables of JPEG have more than 16 KiB".into());
    }
    // The marker of its end goes; that of the start of what follows, too.
    let tables = tables.as_deref().and_then(|tables| tables.strip_suffix(b"\xff\xd9"));
    let (part_width, part_height) = decoder.chunk_dimensions();
    let (part_width, part_height) = (part_width as usize, part_height as usize);
    let across = width.div_ceil(part_width.max(1));
    if offsets.len() != lengths.len() || offsets.len() != across * height.div_ceil(part_height.max(1)) {
        return Err("its planes or parts are not as many as its sides say; save it as PNG".into());
    }
    let mut pixels = vec![0; width * height * 3];
    for (index, (offset, length)) in offsets.into_iter().zip(lengths).enumerate() {
        let part = usize::try_from(offset).ok().zip(usize::try_from(length).ok());
        let part = part.and_then(|(offset, length)| bytes.get(offset..)?.get(..length));
        let part = part.ok_or(TRUNCATED)?;
        let whole = tables.and_then(|tables| Some([tables, part.strip_prefix(b"\xff\xd8")?].concat()));
        let jpeg = Jpeg::open(whole.as_deref().unwrap_or(part))?.with_colors(is_rgb);
        let (left, top) = (index % across * part_width, index / across * part_height);
        let (columns, rows) = (part_width.min(width - left), part_height.min(height - top));
        if jpeg.width < columns || jpeg.height < rows || jpeg.width > part_width || jpeg.height > part_height {
            return Err(format!(
                "a part of it has {} x {} pixels, where {columns} x {rows} belong",
                jpeg.width, jpeg.height
            ));
        }
        let region = Region {
            top: 0,
            left: 0,
            height: rows,
            width: columns,
        };
        let decoded = jpeg.decode(region)?;
        let (decoded, stride) = decoded.rows(region);
        let target = pixels.chunks_exact_mut(width * 3).skip(top);
        for (target, source) in target.zip(decoded.chunks(stride)) {
            target[left * 3..][..columns * 3].copy_from_slice(&source[..columns * 3]);
        }
    }
    Ok(pixels)
}
