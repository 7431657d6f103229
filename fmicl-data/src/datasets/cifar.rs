//! The binary layout that CIFAR-10 and CIFAR-100 share.
//!
//! Files of records: some bytes of labels, then a red, a green and a blue plane of 32 x 32 bytes.

use super::files::{class_names, read_at_most, root_option, write};
use super::memory::{Layout, Memory, interleave};
use super::place::Place;
use fmicl_core::{Error, Result, Samples, Source, toml};
use std::path::Path;

const SIDE: usize = 32;
const PIXELS: usize = 3 * SIDE * SIDE;
/// More images than the official files have, and few enough to hold.
const MOST: usize = 100_000;

/// Records of one layout.
pub(super) struct Records {
    pub place: Place,
    /// For each of a record's bytes of labels, the number of classes.
    pub classes: &'static [u8],
    /// The file with the names of each.
    pub names: &'static [&'static str],
}

impl Records {
    const fn size(&self) -> usize {
        self.classes.len() + PIXELS
    }

    /// The images of some files, with the labels that stand at the byte `label` of a record.
    ///
    /// # Errors
    /// [`Error::Data`] or [`Error::Io`] where a file is missing, has no whole records, or a label is out of range.
    pub fn open(&self, root: &Path, names: &[&str], label: usize) -> Result<Box<dyn Samples>> {
        let folder = self.place.find(root)?;
        let mut samples = Memory {
            width: SIDE,
            height: SIDE,
            layout: Layout::Rgb,
            pixels: vec![],
            labels: vec![],
            classes: self.classes[label].into(),
            class_names: class_names(&folder.join(self.names[label]), self.classes[label].into()),
        };
        for name in names {
            self.append(&folder.join(name), label, &mut samples)?;
        }
        Ok(Box::new(samples))
    }

    fn append(&self, path: &Path, label: usize, samples: &mut Memory) -> Result<()> {
        let (size, limit) = (self.size(), MOST * self.size());
        let bytes = read_at_most(path, limit as u64, &self.place.hint())?;
        if bytes.is_empty() || bytes.len() % size != 0 || bytes.len() > limit {
            let message = format!(
                "{} bytes are not whole records of {size}; fetch the file again",
                bytes.len()
            );
            return Err(Error::data(path, message));
        }
        for (index, record) in bytes.chunks_exact(size).enumerate() {
            let (labels, planes) = record.split_at(self.classes.len());
            if let Some((found, classes)) = labels
                .iter()
                .zip(self.classes)
                .find(|(found, classes)| found >= classes)
            {
                let last = classes - 1;
                let message = format!("image {index} has the label {found}; labels run from 0 to {last}");
                return Err(Error::data(path, message));
            }
            samples.labels.push(labels[label]);
            interleave(planes, &mut samples.pixels);
        }
        Ok(())
    }

    /// Where the files are, and the archive that they come in, of so many bytes with this MD5.
    pub fn source(&self, root: &Path, (bytes, md5): (u64, &'static str)) -> Source {
        let from = "https://www.cs.toronto.edu/~kriz/";
        Source {
            downloads: vec![self.place.download(from, bytes, md5, 200_000_000)],
            page: format!("{from}cifar.html"),
            terms: "no licence stated; cite Krizhevsky, 2009".into(),
            ..self.place.source(root)
        }
    }

    /// Writes files of `count` records: pixel `p` of image `i` is `(i + p) % 251`, its labels are `i`.
    pub fn example(&self, folder: &Path, names: &[&str], count: usize) -> Result<toml::Table> {
        let record = |image: usize| {
            let labels = self.classes.iter().map(move |&classes| image as u8 % classes);
            labels.chain((0..PIXELS).map(move |pixel| ((image + pixel) % 251) as u8))
        };
        let records: Vec<u8> = (0..count).flat_map(record).collect();
        for name in names {
            write(&folder.join(name), &records)?;
        }
        Ok(root_option(folder))
    }
}
