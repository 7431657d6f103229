//! Image files with their classes, decoded when they are needed.

use super::files::write;
use super::left_out::LeftOut;
use crate::decode::{MOST_FILE, decode, decode_bands};
use fmicl_core::{Bands, Error, Image, Patch, Portion, Region, Result, Samples, read_file};
use std::ffi::{OsStr, OsString};
use std::io::Cursor;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

/// Files below one folder. There may be millions, so their names lie back to back: 12 bytes a file and the name.
pub(super) struct Photos {
    root: PathBuf,
    /// Paths below `root`, without separators between them.
    names: Vec<u8>,
    /// Where each path ends.
    ends: Vec<usize>,
    labels: Vec<u32>,
    /// [`Samples::weight`]; none where all are 1.
    pub weights: Vec<f64>,
    classes: Vec<String>,
    /// The files that are no samples.
    pub left_out: LeftOut,
    /// More that a reader of the split's numbers should know, a line each.
    pub notes: Vec<String>,
}

impl Photos {
    /// None yet, of files below `root` in these classes.
    pub fn new(root: &Path, classes: &[OsString]) -> Self {
        Photos {
            root: root.into(),
            names: vec![],
            ends: vec![],
            labels: vec![],
            weights: vec![],
            classes: classes.iter().map(|name| name.to_string_lossy().into_owned()).collect(),
            left_out: LeftOut::default(),
            notes: vec![],
        }
    }

    /// Adds the file `name` in `folder`, which is below the root, or the root where it is empty.
    pub fn push(&mut self, folder: &Path, name: &OsStr, label: usize) {
        self.names.extend_from_slice(folder.as_os_str().as_bytes());
        if !folder.as_os_str().is_empty() {
            self.names.push(b'/');
        }
        self.names.extend_from_slice(name.as_bytes());
        self.ends.push(self.names.len());
        self.labels.push(label as u32);
    }

    /// Adds the file at a path below the root, or at an absolute one.
    pub fn push_path(&mut self, path: &Path, label: usize) {
        self.push(Path::new(""), path.as_os_str(), label);
    }

    /// The number of files so far.
    pub fn count(&self) -> usize {
        self.ends.len()
    }

    /// A file's path.
    pub fn path(&self, index: usize) -> PathBuf {
        self.root.join(OsStr::from_bytes(self.name(index)))
    }

    /// A file's path below the root.
    fn name(&self, index: usize) -> &[u8] {
        let start = if index == 0 { 0 } else { self.ends[index - 1] };
        &self.names[start..self.ends[index]]
    }

    /// The folder in the root that a file of a class lies in. Empty for one in the root itself, and without classes: the
    /// files of such a folder need not follow each other, and there may be as many folders as photos.
    fn top(&self, index: usize) -> &[u8] {
        let name = self.name(index);
        let end = name.iter().position(|&byte| byte == b'/');
        &name[..end.filter(|_| !self.classes.is_empty()).unwrap_or(0)]
    }
}

impl Samples for Photos {
    fn len(&self) -> usize {
        self.count()
    }

    fn classes(&self) -> usize {
        self.classes.len()
    }

    fn class_names(&self) -> Vec<String> {
        self.classes.clone()
    }

    fn image(&self, index: usize) -> Result<Image> {
        let patch = self.patch(index, &mut Region::whole)?;
        let Region { width, height, .. } = patch.region;
        Ok(Image::new(width, height, patch.pixels.into_owned()))
    }

    fn patch(&self, index: usize, choose: &mut dyn FnMut(usize, usize) -> Region) -> Result<Patch<'_>> {
        let path = self.path(index);
        decode(&read(&path)?, &path, choose)
    }

    fn bands(&self, index: usize, channels: usize) -> Result<Bands> {
        let path = self.path(index);
        decode_bands(&read(&path)?, &path, channels)
    }

    /// The paths alone: to ask the system for the size of each of a million files takes minutes on a shared disk.
    fn portions(&self) -> Vec<Portion> {
        let (mut portions, mut first) = (Vec::new(), 0);
        while first < self.count() {
            let top = self.top(first);
            let differs = (first..self.count()).find(|&index| self.top(index) != top);
            let next = differs.unwrap_or(self.count());
            let paths = (first..next).map(|index| self.name(index));
            portions.push(Portion::new(String::from_utf8_lossy(top), next - first, paths));
            first = next;
        }
        portions
    }

    fn label(&self, index: usize) -> usize {
        self.labels[index] as usize
    }

    fn weight(&self, index: usize) -> f64 {
        self.weights.get(index).copied().unwrap_or(1.0)
    }

    fn notes(&self) -> Vec<String> {
        let left_out = self.left_out.line(&self.root);
        self.notes.iter().cloned().chain(left_out).collect()
    }

    fn path(&self, index: usize) -> Option<PathBuf> {
        Some(self.path(index))
    }
}

/// The bytes of a photo.
fn read(path: &Path) -> Result<Vec<u8>> {
    read_file(path, MOST_FILE, "a photo was there when the folder was listed")
}

/// Writes a small photo for an example: a colour of the class, a gradient of the photo. The format is JPEG or PNG, by
/// the path's extension.
pub(super) fn write_photo(path: &Path, class: usize, photo: usize) -> Result<()> {
    let pixel = |x, y| image::Rgb([(40 + 160 * class) as u8, (x * 9) as u8, (y * photo as u32 * 3) as u8]);
    let format = image::ImageFormat::from_path(path).map_err(|error| Error::data(path, error.to_string()))?;
    let mut bytes = Cursor::new(Vec::new());
    let written = image::RgbImage::from_fn(24, 20, pixel).write_to(&mut bytes, format);
    written.map_err(|error| Error::data(path, error.to_string()))?;
    write(path, bytes.get_ref())
}

#[cfg(test)]
mod tests {
    use super::*;
    use fmicl_core::testing::check_dataset;

    /// The name and the size of each portion of the photos at these paths.
    fn portions(classes: &[&str], paths: &[(&str, &str, usize)]) -> Vec<(String, usize)> {
        let folder = tempfile::tempdir().unwrap();
        let classes: Vec<_> = classes.iter().map(OsString::from).collect();
        let mut photos = Photos::new(folder.path(), &classes);
        for (below, name, label) in paths {
            write_photo(&folder.path().join(below).join(name), *label, 0).unwrap();
            photos.push(Path::new(below), OsStr::new(name), *label);
        }
        check_dataset(&photos);
        let portions = photos.portions().into_iter();
        portions.map(|portion| (portion.name, portion.samples)).collect()
    }

    #[test]
    fn there_is_a_portion_for_each_class_folder_and_one_without_classes() {
        let flat = [("", "a.png", 0), ("", "b.png", 0), ("", "c.png", 0)];
        assert_eq!(portions(&[], &flat), [(String::new(), 3)]);
        // In the order of the whole paths, those of `a` do not follow each other.
        let nested = [("a", "1.png", 0), ("a-b", "1.png", 0), ("a/b", "1.png", 0)];
        assert_eq!(portions(&[], &nested), [(String::new(), 3)]);
        let classes = [("a", "1.png", 0), ("a/deep", "1.png", 0), ("b", "1.png", 1)];
        let expected = [("a".to_string(), 2), ("b".to_string(), 1)];
        assert_eq!(portions(&["a", "b"], &classes), expected);
    }
}
