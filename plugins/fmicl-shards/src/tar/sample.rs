//! The files of a tar file, grouped to samples.

use super::label::{Label, MOST as MOST_LABEL};
use crate::section::Section;
use fmicl_core::{Error, Result};
use fmicl_data::MOST_FILE;
use fmicl_data::datasets::{ARRAY, EXTENSIONS};
use std::collections::HashSet;
use std::path::Path;

/// What is wanted of a sample.
pub(crate) struct Wanted {
    /// The extension of its image, or none: the one that is an image's.
    pub image: Option<String>,
    /// The extension of its text, where that is wanted in place of an image.
    pub text: Option<String>,
    pub label: Label,
}

/// A file in a tar file.
pub(super) struct Entry<'a> {
    pub name: String,
    pub offset: u64,
    pub size: u64,
    /// Not a link or a device.
    pub is_file: bool,
    /// At most so many bytes of it.
    pub content: &'a mut dyn FnMut(u64) -> Result<Vec<u8>>,
}

/// The most bytes of a text, as of a line of a text file.
const MOST_TEXT: u64 = 1 << 20;

/// The samples so far, and the files of the one that is not at its end.
pub(super) struct Group<'a> {
    path: &'a Path,
    wanted: &'a Wanted,
    section: Section,
    sum: crc32fast::Hasher,
    keys: HashSet<String>,
    current: Option<Sample>,
    /// A sample without a label.
    unlabelled: Option<String>,
}

#[derive(Default)]
struct Sample {
    key: String,
    extensions: Vec<String>,
    /// The extension, the offset and the size.
    content: Option<(String, u64, u64)>,
    label: Option<u32>,
    /// Its text has nothing but white space.
    is_empty: bool,
}

/// The key and the extension of a file; nothing where it has none, or is hidden.
fn split(name: &str) -> Option<(&str, String)> {
    let file = name.rfind('/').map_or(0, |slash| slash + 1);
    let dot = name[file..].find('.').filter(|&dot| dot > 0)?;
    let (key, extension) = name.split_at(file + dot);
    Some((key, extension[1..].to_lowercase()))
}

/// Returns true if these are the extensions of an array of numpy's.
fn is_array(extension: &str) -> bool {
    extension.rsplit('.').next() == Some(ARRAY)
}

impl<'a> Group<'a> {
    pub fn new(path: &'a Path, wanted: &'a Wanted, section: Section) -> Self {
        Group {
            path,
            wanted,
            section,
            sum: crc32fast::Hasher::new(),
            keys: HashSet::new(),
            current: None,
            unlabelled: None,
        }
    }

    /// An error about a file of the shard.
    fn error(&self, name: &str, message: impl Into<String>) -> Error {
        Error::data(self.path.join(name.trim_start_matches('/')), message)
    }

    /// Adds a file.
    ///
    /// # Errors
    /// [`Error::Data`] where its key comes twice, its label is none, it is too large, or the sample before it is not whole.
    pub fn add(&mut self, entry: Entry) -> Result<()> {
        if !entry.is_file {
            self.section.leave_out("links or devices");
            return Ok(());
        }
        let Some((key, extension)) = split(&entry.name) else {
            self.section.leave_out("hidden or without an extension");
            return Ok(());
        };
        if self.current.as_ref().is_none_or(|sample| sample.key != key) {
            self.flush()?;
            if !self.keys.insert(key.to_string()) {
                let message =
                    "comes twice: the files of a sample must follow each other, and each sample has a key of its own";
                return Err(self.error(key, message));
            }
            self.current = Some(Sample {
                key: key.to_string(),
                ..Sample::default()
            });
        }
        let Some(mut sample) = self.current.take() else {
            return Ok(());
        };
        if sample.extensions.contains(&extension) {
            return Err(self.error(&entry.name, "comes twice"));
        }
        self.content(&mut sample, &extension, &entry)?;
        if self.wanted.label.extension() == Some(&extension) {
            if entry.size > MOST_LABEL {
                return Err(self.error(
                    &entry.name,
                    format!("has {} bytes, and a label is expected", entry.size),
                ));
            }
            let label = self.wanted.label.read(&(entry.content)(MOST_LABEL)?);
            sample.label = label.map_err(|message| self.error(&entry.name, message))?;
        }
        if let (true, Some(content)) = (self.wanted.text.as_deref() == Some(&extension), &mut sample.content) {
            if entry.size > MOST_TEXT {
                let message = format!("has {} bytes; a text has at most {MOST_TEXT}", entry.size);
                return Err(self.error(&entry.name, message));
            }
            let bytes = (entry.content)(MOST_TEXT)?;
            let text = str::from_utf8(&bytes).map_err(|_| self.error(&entry.name, "is not UTF-8"))?;
            let text = text.strip_prefix('\u{feff}').unwrap_or(text);
            let before = bytes.len() - text.trim_start().len();
            (content.1, content.2) = (content.1 + before as u64, text.trim().len() as u64);
            sample.is_empty = text.trim().is_empty();
        }
        sample.extensions.push(extension);
        self.current = Some(sample);
        Ok(())
    }

    /// Takes a file for the sample's content, if it is that.
    fn content(&self, sample: &mut Sample, extension: &str, entry: &Entry) -> Result<()> {
        let Wanted { image, text, .. } = self.wanted;
        let is_content = match text.as_ref().or(image.as_ref()) {
            Some(named) => named == extension,
            // `left.jpg` is an image, too; an array is one where there is no other.
            None if is_array(extension) => sample.content.is_none(),
            None => EXTENSIONS
                .iter()
                .any(|known| extension.rsplit('.').next() == Some(known)),
        };
        if !is_content {
            return Ok(());
        }
        if text.is_none() && image.is_none() && !is_array(extension) {
            sample.content.take_if(|(other, ..)| is_array(other));
        }
        if let Some((other, ..)) = &sample.content {
            let message = format!(
                "is an image beside `.{other}` of the same sample; `image = \"{other}\"` takes that one of each"
            );
            return Err(self.error(&entry.name, message));
        }
        if entry.size > MOST_FILE {
            return Err(self.error(
                &entry.name,
                format!("has {} bytes; an image has at most {MOST_FILE}", entry.size),
            ));
        }
        sample.content = Some((extension.to_string(), entry.offset, entry.size));
        Ok(())
    }

    /// Ends the current sample.
    fn flush(&mut self) -> Result<()> {
        let Some(sample) = self.current.take() else {
            return Ok(());
        };
        let Some((extension, offset, size)) = sample.content else {
            let kind = self.missing();
            self.section.leave_out(&format!("without {kind}"));
            return Ok(());
        };
        if sample.is_empty {
            self.section.leave_out("without a word");
            return Ok(());
        }
        let is_first = self.section.offsets.is_empty();
        let is_labelled = !self.section.labels.is_empty();
        match (sample.label, is_labelled || is_first) {
            (Some(label), true) => self.section.labels.push(label),
            (None, false) => {}
            // The first label of the shard, or the first sample without.
            (None, true) if is_first => {}
            (label, _) => {
                let without = if label.is_none() {
                    &sample.key
                } else {
                    self.unlabelled.as_ref().unwrap_or(&sample.key)
                };
                let message = format!(
                    "lacks {}, which other samples have; add it, or train without labels by `labels = \"none\"`",
                    self.wanted.label.describe()
                );
                return Err(self.error(without, message));
            }
        }
        if sample.label.is_none() && self.unlabelled.is_none() {
            self.unlabelled = Some(sample.key.clone());
        }
        for piece in [sample.key.as_bytes(), b".", extension.as_bytes(), &size.to_le_bytes()] {
            self.sum.update(piece);
        }
        self.sum.update(&sample.label.unwrap_or(u32::MAX).to_le_bytes());
        self.section.offsets.push(offset);
        // No image and no text is larger.
        self.section.lengths.push(u32::try_from(size).unwrap_or(u32::MAX));
        Ok(())
    }

    /// What a sample is lacking that is none.
    fn missing(&self) -> String {
        match self.wanted.text.as_ref().or(self.wanted.image.as_ref()) {
            Some(extension) => format!("a .{extension}"),
            None => "an image".into(),
        }
    }

    /// Ends the shard.
    ///
    /// # Errors
    /// [`Error::Data`] where the last sample is not whole, or there is none.
    pub fn finish(mut self) -> Result<Section> {
        self.flush()?;
        if self.section.offsets.is_empty() {
            let wanted = match (&self.wanted.text, &self.wanted.image) {
                (None, None) => format!("image (.{})", EXTENSIONS.join(" .")),
                _ => self.missing().trim_start_matches("a ").to_string(),
            };
            let found: Vec<_> = self
                .section
                .left_out
                .iter()
                .map(|(kind, count)| format!("{count} {kind}"))
                .collect();
            let found = if found.is_empty() {
                "is empty".into()
            } else {
                format!("has {}", found.join(", "))
            };
            return Err(Error::data(self.path, format!("holds no {wanted}: it {found}")));
        }
        self.section.crc32 = self.sum.finalize();
        Ok(self.section)
    }
}

#[cfg(test)]
mod tests {
    use super::split;

    #[test]
    fn keys_and_extensions_are_webdatasets() {
        let cases = [
            ("a.jpg", Some(("a", "jpg"))),
            ("d.0/a.left.JPG", Some(("d.0/a", "left.jpg"))),
            ("./a.cls", Some(("./a", "cls"))),
            ("a", None),
            ("d.0/a", None),
            (".a.jpg", None),
            ("d/._a.jpg", None),
            ("a.", Some(("a", ""))),
        ];
        for (name, expected) in cases {
            let expected = expected.map(|(key, extension): (&str, &str)| (key, extension.to_string()));
            assert_eq!(split(name), expected, "{name}");
        }
    }
}
