//! Images that are given by their paths.

use crate::decode::{MOST_FILE, decode};
use fmicl_core::{Error, Image, Region, Result, Samples, read_file};
use std::path::PathBuf;

/// Image files, one a sample.
pub struct Paths(Vec<PathBuf>);

impl Paths {
    /// The files at `lines`; one that is missing is an error where it is read.
    pub fn new(lines: Vec<String>) -> Self {
        Paths(lines.into_iter().map(PathBuf::from).collect())
    }
}

impl Samples for Paths {
    fn len(&self) -> usize {
        self.0.len()
    }

    fn image(&self, index: usize) -> Result<Image> {
        let path = &self.0[index];
        if path.as_os_str().is_empty() {
            return Err(Error::data("a blank line", "names no image"));
        }
        let bytes = read_file(path, MOST_FILE, "give the path of one image per line")?;
        let patch = decode(&bytes, path, &mut Region::whole)?;
        Ok(Image::new(
            patch.region.width,
            patch.region.height,
            patch.pixels.into_owned(),
        ))
    }
}
