//! By their names, which files are photos.

use std::ffi::OsStr;
use std::path::Path;

/// The extensions of the files that are read: those of torchvision's `ImageFolder`, and others of the same formats.
pub const EXTENSIONS: [&str; 14] = [
    "jpg", "jpeg", "png", "ppm", "bmp", "pgm", "tif", "tiff", "webp", "gif", "pbm", "pnm", "jpe", "jfif",
];

/// The extension of numpy's arrays, which are images where there are no photos.
pub const ARRAY: &str = "npy";

pub(super) fn is_array(name: &OsStr) -> bool {
    has_extension(name, &[ARRAY])
}

/// ".a, .b or .c": all that are read.
pub(super) fn one_of_all() -> String {
    format!(".{} or .{ARRAY}", EXTENSIONS.join(", ."))
}

pub(super) fn is_photo(name: &OsStr) -> bool {
    has_extension(name, &EXTENSIONS)
}

/// Returns true if a name ends in one of these, in small letters or capitals.
pub(super) fn has_extension(name: &OsStr, extensions: &[&str]) -> bool {
    let extension = Path::new(name).extension();
    extension.is_some_and(|found| extensions.iter().any(|known| found.eq_ignore_ascii_case(known)))
}
