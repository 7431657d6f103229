//! Images that are given by their paths.

use crate::decode::{MOST_FILE, decode};
use fmicl_core::{Error, Image, Region, Result, Samples, read_file};
use std::path::PathBuf;

/// Image files, one a sample.
pub struct Paths(Vec<PathBuf>);

impl Paths {
    /// The files at `lines`, none of which may be missing.
    ///
    /// # Errors
    /// A path where there is no file.
    pub fn new(lines: Vec<String>) -> Result<Self> {
        let paths: Vec<PathBuf> = lines.into_iter().map(PathBuf::from).collect();
        match paths.iter().find(|path| !path.is_file()) {
            Some(path) => Err(Error::data(path, "is no file; give the path of an image a line")),
            None => Ok(Paths(paths)),
        }
    }
}

impl Samples for Paths {
    fn len(&self) -> usize {
        self.0.len()
    }

    fn image(&self, index: usize) -> Result<Image> {
        let path = &self.0[index];
        let bytes = read_file(path, MOST_FILE, "an image is expected")?;
        let patch = decode(&bytes, path, &mut Region::whole)?;
        Ok(Image::new(
            patch.region.width,
            patch.region.height,
            patch.pixels.into_owned(),
        ))
    }
}
