//! Images that are given by their paths.

use crate::decode::{MOST_FILE, decode, decode_bands};
use fmicl_core::{Bands, Error, Image, Region, Result, Samples, read_file};
use std::path::PathBuf;

/// Image files, one a sample.
pub struct Paths(Vec<PathBuf>);

impl Paths {
    /// The files at `lines`; one that is missing is an error where it is read.
    pub fn new(lines: Vec<String>) -> Self {
        Paths(lines.into_iter().map(PathBuf::from).collect())
    }

    /// The bytes of a file.
    fn read(&self, index: usize) -> Result<Vec<u8>> {
        let path = &self.0[index];
        if path.as_os_str().is_empty() {
            return Err(Error::data("a blank line", "names no image"));
        }
        read_file(path, MOST_FILE, "give the path of one image per line")
    }
}

impl Samples for Paths {
    fn len(&self) -> usize {
        self.0.len()
    }

    fn image(&self, index: usize) -> Result<Image> {
        let patch = decode(&self.read(index)?, &self.0[index], &mut Region::whole)?;
        Ok(Image::new(
            patch.region.width,
            patch.region.height,
            patch.pixels.into_owned(),
        ))
    }

    fn bands(&self, index: usize, channels: usize) -> Result<Bands> {
        decode_bands(&self.read(index)?, &self.0[index], channels)
    }

    fn path(&self, index: usize) -> Option<PathBuf> {
        Some(self.0[index].clone())
    }
}
