//! The layouts that CIFAR-10 and CIFAR-100 share, binary and Python's.
//!
//! Binary: files of records, some bytes of labels, then a red, a green and a blue plane of 32 x 32 bytes. Python's: a pickle of a
//! dictionary for each such file, whose array `data` has the same planes in a row for each image, in the same order.

use super::files::{class_names, read_at_most, root_option, write};
use super::memory::{Layout, Memory, interleave};
use super::pickle::Pickle;
use super::place::Place;
use fmicl_core::{Error, Result, Samples, Source, toml};
use std::path::Path;

const SIDE: usize = 32;
const PIXELS: usize = 3 * SIDE * SIDE;
/// More images than the official files have, and few enough to hold.
const MOST: usize = 100_000;

/// Files of one dataset, of the same names in both layouts but for the binary one's `.bin`.
pub(super) struct Records {
    pub place: Place,
    /// Python's layout, which is what torchvision downloads.
    pub python: Place,
    /// For each of a record's bytes of labels, the number of classes.
    pub classes: &'static [u8],
    /// The file with the names of each.
    pub names: &'static [&'static str],
    /// Its labels in a pickle, its names in the pickle of names, and that file.
    pub keys: &'static [(&'static str, &'static str)],
    pub meta: &'static str,
}

/// More than the pickle of names has.
const MOST_META: u64 = 1 << 20;

impl Records {
    const fn size(&self) -> usize {
        self.classes.len() + PIXELS
    }

    /// The images of some files, named without their extension, with the labels that stand at the byte `label` of a record.
    ///
    /// # Errors
    /// [`Error::Data`] or [`Error::Io`] where a file is missing, has no whole records, or a label is out of range.
    pub fn open(&self, root: &Path, names: &[&str], label: usize) -> Result<Box<dyn Samples>> {
        let (binary, python) = (self.place.find(root), self.python.find(root));
        let mut samples = Memory {
            width: SIDE,
            height: SIDE,
            layout: Layout::Rgb,
            pixels: vec![],
            labels: vec![],
            classes: self.classes[label].into(),
            class_names: vec![],
        };
        match (binary, python) {
            (Ok(folder), _) => {
                samples.class_names = class_names(&folder.join(self.names[label]), samples.classes);
                for name in names {
                    self.append(&folder.join(format!("{name}.bin")), label, &mut samples)?;
                }
            }
            (_, Ok(folder)) => {
                let (labels, names_of) = self.keys[label];
                let meta = Pickle::read(&folder.join(self.meta), MOST_META, &self.python.hint());
                let class_names = meta.and_then(|meta| meta.texts(names_of)).unwrap_or_default();
                samples.class_names = class_names;
                if samples.class_names.len() != samples.classes {
                    samples.class_names.clear();
                }
                for name in names {
                    self.append_pickle(&folder.join(name), labels, &mut samples)?;
                }
            }
            (Err(error), Err(_)) => return Err(error),
        }
        Ok(Box::new(samples))
    }

    fn append_pickle(&self, path: &Path, key: &str, samples: &mut Memory) -> Result<()> {
        // Labels, names of files and the rest take less than another image.
        let pickle = Pickle::read(path, (MOST * 2 * PIXELS) as u64, &self.python.hint())?;
        let (shape, rows) = pickle.bytes("data")?;
        let labels = pickle.numbers(key)?;
        let count = labels.len();
        if shape != [count, PIXELS] || count == 0 {
            let message =
                format!("its `data` has the shape {shape:?}, and [{count}, {PIXELS}] is that of {count} labels");
            return Err(Error::data(path, message));
        }
        let last = samples.classes - 1;
        for (index, (&found, planes)) in labels.iter().zip(rows.chunks_exact(PIXELS)).enumerate() {
            let Some(found) = u8::try_from(found).ok().filter(|&found| usize::from(found) <= last) else {
                let message = format!("image {index} has the label {found}; labels run from 0 to {last}");
                return Err(Error::data(path, message));
            };
            samples.labels.push(found);
            interleave(planes, &mut samples.pixels);
        }
        Ok(())
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
            looks_in: vec![root.join(self.place.folder), root.join(self.python.folder), root.into()],
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
            write(&folder.join(format!("{name}.bin")), &records)?;
        }
        Ok(root_option(folder))
    }
}

#[cfg(test)]
mod tests;
