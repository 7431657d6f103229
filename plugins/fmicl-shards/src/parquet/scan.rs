//! A look through a file: where its images lie, or a copy of what is packed in it.

use super::codecs;
use super::columns::{Columns, Wanted};
use super::file::Source;
use super::values;
use crate::section::{Section, Stamp};
use crate::split::FROM_ARROW;
use crate::tar::number;
use crate::unpacked::{Output, Unpacked};
use fmicl_core::{Error, Result, not_a_pointer, open_file, panics};
use fmicl_data::MOST_FILE;
use parquet::basic::Compression;
use parquet::errors::ParquetError;
use parquet::file::reader::{FileReader, SerializedFileReader};
use std::fs::File;
use std::io::Read;
use std::path::Path;

/// The most bytes of a text, as of a line of a text file.
const MOST_TEXT: usize = 1 << 20;

/// Looks through the file at `path`.
///
/// # Errors
/// [`Error::Data`] where it is no Parquet file, is damaged, has not the columns that are wanted, or a row has no image or no label;
/// [`Error::Io`] where it cannot be read, or the copy cannot be written.
pub(super) fn scan(path: &Path, stamp: Stamp, wanted: &Wanted, unpacked: &Unpacked) -> Result<Section> {
    // The crate refuses some damage by a panic.
    let scanned = panics::quietly(|| Scan::open(path, stamp, wanted).and_then(|scan| scan.run(unpacked)));
    scanned.unwrap_or_else(|why| Err(damaged(path, &why)))
}

/// The bytes that are to be unpacked, as the file at `path` says; none of a file whose look will say what is wrong with it.
pub(super) fn size(path: &Path, stamp: Stamp, wanted: &Wanted) -> u64 {
    let size =
        panics::quietly(|| Scan::open(path, stamp, wanted).map(|scan| if scan.is_packed() { scan.size() } else { 0 }));
    size.ok().and_then(Result::ok).unwrap_or(0)
}

fn damaged(path: &Path, why: &str) -> Error {
    Error::data(path, format!("is damaged, or no Parquet file: {why}"))
}

/// How a sample is called.
pub(super) fn name(_: &File, section: &Section, piece: usize) -> Option<String> {
    // Rows without a text are left out.
    section.left_out.is_empty().then(|| format!("row {piece}"))
}

struct Scan<'a> {
    path: &'a Path,
    stamp: Stamp,
    source: Source,
    reader: SerializedFileReader<Source>,
    columns: Columns,
    is_text: bool,
}

/// Why a look through a file ends.
enum Fault {
    /// Of the file.
    Parquet(ParquetError),
    /// Told by itself.
    Told(Error),
    /// An image is packed: it has to be copied.
    Packed,
}

impl From<ParquetError> for Fault {
    fn from(error: ParquetError) -> Self {
        Fault::Parquet(error)
    }
}

impl From<Error> for Fault {
    fn from(error: Error) -> Self {
        Fault::Told(error)
    }
}

impl<'a> Scan<'a> {
    fn open(path: &'a Path, stamp: Stamp, wanted: &Wanted) -> Result<Self> {
        let file = open_file(path, "it was there a moment ago")?;
        let mut start = Vec::new();
        (&file)
            .take(100)
            .read_to_end(&mut start)
            .map_err(|error| Error::io(path, error))?;
        not_a_pointer(path, &start)?;
        if start.starts_with(b"ARROW1") || start.starts_with(&[0xff; 4]) {
            return Err(Error::data(
                path,
                format!("is an Arrow file, not Parquet: {FROM_ARROW}"),
            ));
        }
        let source = Source::new(file, stamp.bytes);
        let reader = SerializedFileReader::new(source.clone()).map_err(|error| damaged(path, &error.to_string()))?;
        source.begin();
        let columns = Columns::find(reader.metadata().file_metadata(), wanted);
        let scan = Scan {
            path,
            stamp,
            source,
            reader,
            columns: columns.map_err(|message| Error::data(path, message))?,
            is_text: !wanted.text.is_empty(),
        };
        codecs::require(scan.reader.metadata(), &scan.columns).map_err(|message| Error::data(path, message))?;
        Ok(scan)
    }

    fn run(&self, unpacked: &Unpacked) -> Result<Section> {
        let found = if self.is_text {
            Err(Fault::Packed)
        } else {
            self.images(None)
        };
        let section = match found {
            Err(Fault::Packed) => {
                let mut output = unpacked.create(self.path, self.size())?;
                let section = if self.is_text {
                    self.texts(&mut output)
                } else {
                    self.images(Some(&mut output))
                };
                section.and_then(|section| {
                    let content = Some(output.finish()?);
                    Ok(Section { content, ..section })
                })
            }
            found => found,
        };
        let section = section.map_err(|fault| match fault {
            Fault::Told(error) => error,
            Fault::Parquet(error) => damaged(self.path, &error.to_string()),
            Fault::Packed => damaged(self.path, "a value lies nowhere"),
        })?;
        match section.offsets.is_empty() {
            false => Ok(section),
            true => {
                let without = match self.is_text {
                    true => "",
                    false => ": it holds the images' paths at most; embed the images when you write it",
                };
                let message = format!("has no row with a value in `{}`{without}", self.columns.called);
                Err(Error::data(self.path, message))
            }
        }
    }

    /// Returns true for texts, and for images that are compressed.
    fn is_packed(&self) -> bool {
        let mut groups = self.reader.metadata().row_groups().iter();
        let columns = &self.columns.content;
        self.is_text
            || groups.any(|group| {
                columns
                    .iter()
                    .any(|&column| group.column(column).compression() != Compression::UNCOMPRESSED)
            })
    }

    /// The bytes of the wanted columns, as the file says.
    fn size(&self) -> u64 {
        let groups = self.reader.metadata().row_groups().iter();
        let sizes = groups.flat_map(|group| {
            self.columns
                .content
                .iter()
                .map(|&column| group.column(column).uncompressed_size())
        });
        sizes
            .map(|size| u64::try_from(size).unwrap_or(0))
            .fold(0, u64::saturating_add)
    }

    fn row(&self, row: usize, message: impl Into<String>) -> Error {
        Error::data(self.path.join(format!("row {row}")), message)
    }

    /// The images where they lie, or as they are copied.
    fn images(&self, mut output: Option<&mut Output>) -> Result<Section, Fault> {
        let mut section = Section {
            class_names: self.columns.class_names.clone(),
            ..Section::new(self.stamp)
        };
        let (mut sum, mut first) = (crc32fast::Hasher::new(), 0);
        for number in 0..self.reader.num_row_groups() {
            let group = self.reader.get_row_group(number)?;
            let mut has_image = Vec::new();
            values::bytes(&*group, self.columns.content[0], |value| {
                let row = first + has_image.len();
                has_image.push(value.is_some());
                let Some(value) = value else {
                    section.leave_out("without an image");
                    return Ok(());
                };
                let bytes = value.data();
                let length = u32::try_from(bytes.len())
                    .ok()
                    .filter(|&length| u64::from(length) <= MOST_FILE);
                let length = length.ok_or_else(|| {
                    self.row(
                        row,
                        format!("has {} bytes; an image has at most {MOST_FILE}", bytes.len()),
                    )
                })?;
                let offset = match &mut output {
                    Some(output) => output.add(bytes)?,
                    None => self.source.offset(bytes).ok_or(Fault::Packed)?,
                };
                section.offsets.push(offset);
                section.lengths.push(length);
                sum.update(&length.to_le_bytes());
                sum.update(bytes);
                Ok::<_, Fault>(())
            })?;
            if let Some(column) = self.columns.label {
                let labels = values::integers(&*group, column)?;
                self.labels((first..).zip(labels).zip(&has_image), &mut section)?;
            }
            first += has_image.len();
            self.source.forget();
        }
        section.labels.iter().for_each(|label| sum.update(&label.to_le_bytes()));
        section.crc32 = sum.finalize();
        Ok(section)
    }

    /// Adds the labels of the rows that have an image.
    fn labels<'b>(
        &self,
        labels: impl Iterator<Item = ((usize, Option<i64>), &'b bool)>,
        section: &mut Section,
    ) -> Result<()> {
        let called = &self.columns.label_called;
        for ((row, label), _) in labels.filter(|(_, has_image)| **has_image) {
            let label = label.ok_or_else(|| {
                let message =
                    format!("lacks a label in `{called}`; add it, or train without labels by `labels = \"none\"`");
                self.row(row, message)
            })?;
            let found = number(&label.to_string(), Some(label));
            section
                .labels
                .push(found.map_err(|message| self.row(row, format!("{message}, in `{called}`")))?);
        }
        Ok(())
    }

    /// The texts of each row, one behind the other.
    fn texts(&self, output: &mut Output) -> Result<Section, Fault> {
        let (mut section, mut sum) = (Section::new(self.stamp), crc32fast::Hasher::new());
        let mut first = 0;
        for number in 0..self.reader.num_row_groups() {
            let group = self.reader.get_row_group(number)?;
            let mut columns = Vec::new();
            for &column in &self.columns.content {
                let mut texts = Vec::new();
                values::bytes(&*group, column, |value| {
                    texts.push(self.text(first + texts.len(), value.map_or(&[], |value| value.data()))?);
                    Ok::<_, Fault>(())
                })?;
                columns.push(texts);
            }
            let rows = columns.iter().map(Vec::len).min().unwrap_or(0);
            for row in 0..rows {
                let texts: Vec<&str> = columns.iter().map(|texts| &*texts[row]).collect();
                if texts.iter().any(|text| text.is_empty()) {
                    section.leave_out("without a text");
                    continue;
                }
                for text in texts {
                    section.offsets.push(output.add(text.as_bytes())?);
                    section.lengths.push(text.len() as u32);
                    sum.update(text.as_bytes());
                    sum.update(&[0xff]);
                }
            }
            first += rows;
            self.source.forget();
        }
        section.crc32 = sum.finalize();
        Ok(section)
    }

    fn text(&self, row: usize, bytes: &[u8]) -> Result<String> {
        let text =
            str::from_utf8(bytes).map_err(|_| self.row(row, format!("is not UTF-8, in `{}`", self.columns.called)))?;
        match text.len() <= MOST_TEXT {
            true => Ok(text.trim().to_string()),
            false => Err(self.row(row, format!("has {} bytes; a text has at most {MOST_TEXT}", text.len()))),
        }
    }
}
