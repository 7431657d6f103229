//! Files that are no image of a format that is read: which they are, and what to do about them.

/// What `bytes` are, in words that end a line about their file.
pub(super) fn what(bytes: &[u8]) -> String {
    const FORMATS: &str = "JPEG, PNG, WebP, TIFF, BMP, GIF, PBM, PGM or PPM";
    match name(bytes) {
        Some((name, help)) => format!("is {name}, which is not read; {help}"),
        None => format!("is no {FORMATS} image"),
    }
}

/// What they are called, and what would help.
fn name(bytes: &[u8]) -> Option<(&'static str, &'static str)> {
    const CONVERT: &str = "convert it to PNG, as by `magick photo.x photo.png`";
    let starts = |with: &[u8]| bytes.starts_with(with);
    // The brand of a file of boxes, and those that it is compatible with.
    if bytes.get(4..8) == Some(b"ftyp") {
        let (brands, _) = bytes.get(8..bytes.len().min(64))?.as_chunks();
        let is = |brand: &[u8; 4]| brands.contains(brand);
        return if is(b"avif") || is(b"avis") {
            Some((
                "an AVIF image",
                "convert it to PNG, as by `avifdec photo.avif photo.png`",
            ))
        } else if is(b"heic") || is(b"heix") || is(b"hevc") || is(b"mif1") || is(b"msf1") {
            Some((
                "a HEIC image",
                "convert it to PNG, as by `heif-convert photo.heic photo.png`",
            ))
        } else {
            Some(("a film", "save its frames as JPEG"))
        };
    }
    Some(match bytes {
        _ if starts(b"\0\0\0\x0cjP  ") || starts(b"\xff\x4f\xff\x51") => ("a JPEG 2000 image", CONVERT),
        _ if starts(b"\xff\x0a") || starts(b"\0\0\0\x0cJXL ") => {
            ("a JPEG XL image", "convert it to PNG, as by `djxl photo.jxl photo.png`")
        }
        _ if starts(b"8BPS") => ("a Photoshop document", CONVERT),
        _ if starts(b"P7") || starts(b"Pf") || starts(b"PF") => ("a PAM or PFM image", CONVERT),
        _ if starts(b"\0\0\x01\0") => ("an icon", CONVERT),
        _ if starts(b"%PDF") => ("a PDF document", CONVERT),
        _ if starts(b"version https://git-lfs") => ("a pointer of Git LFS", "run `git lfs pull`"),
        _ if starts(b"PK\x03\x04") => (
            "a zip archive",
            "unpack it, or save the arrays of an .npz by `numpy.save`",
        ),
        _ if starts(b"<") || starts(b"\xef\xbb\xbf<") => {
            ("text, as of a web page or SVG", "download it again or convert it")
        }
        _ => return None,
    })
}
