//! MATLAB's files of version 5, as datasets use them: arrays of numbers, texts, cells and structs, compressed or not.
//!
//! Source: MathWorks, "MAT-File Format", <https://www.mathworks.com/help/pdf_doc/matlab/matfile_format.pdf>. It is written here
//! because the crate `matfile` reads no cells and structs, and `matio-rs` needs a C library of the system.

mod element;
mod write;

use element::Elements;
use flate2::bufread::ZlibDecoder;
use fmicl_core::{Error, Result, open_file};
use std::collections::HashMap;
use std::io::{self, BufRead, BufReader, Read};
use std::path::{Path, PathBuf};
pub(super) use write::write_mat;

/// Content of a variable.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Value {
    /// An array of bytes, the first index fastest.
    Bytes {
        shape: Vec<usize>,
        bytes: Vec<u8>,
    },
    /// Any other array of numbers, the first index fastest.
    Numbers(Vec<f64>),
    Text(String),
    Cell(Vec<Value>),
    /// An array of structs: the values of the first one's fields, of the second's, ...
    Structs {
        fields: Vec<String>,
        values: Vec<Value>,
    },
}

impl Value {
    /// A number, where it is just one, or numbers.
    fn numbers(&self) -> Option<Vec<f64>> {
        match self {
            Value::Bytes { bytes, .. } => Some(bytes.iter().map(|&byte| byte.into()).collect()),
            Value::Numbers(numbers) => Some(numbers.clone()),
            _ => None,
        }
    }

    fn text(&self) -> Option<&str> {
        match self {
            Value::Text(text) => Some(text),
            _ => None,
        }
    }
}

/// Variables of a file, each taken once.
pub(super) struct Mat {
    path: PathBuf,
    variables: HashMap<String, Value>,
    hint: String,
}

/// The header's length.
const HEADER: usize = 128;
/// Little endian, version 1 of the layout: MATLAB 5 to 7.2, and later ones with `-v7`.
const VERSION: [u8; 4] = [0x00, 0x01, b'I', b'M'];

impl Mat {
    /// Reads the variables with these names, and skips others. `most` bounds the bytes of each, unpacked. An array of bytes is held
    /// once, also while it is unpacked.
    ///
    /// # Errors
    /// [`Error::Data`] where the file is missing, broken, or lacks one; `hint` ends the sentence.
    pub fn read(path: &Path, names: &[&str], most: u64, hint: &str) -> Result<Self> {
        let file = open_file(path, hint)?;
        let length = file.metadata().map_err(|error| Error::io(path, error))?.len();
        let variables = read(&mut BufReader::new(file), names, length, most).map_err(|error| {
            Error::data(
                path,
                format!("is not a whole MATLAB file of version 5 ({error}); {hint}"),
            )
        })?;
        let mat = Mat {
            path: path.into(),
            variables,
            hint: hint.into(),
        };
        match names.iter().find(|&&name| !mat.variables.contains_key(name)) {
            Some(missing) => Err(mat.wrong(format!("holds no `{missing}`; {hint}"))),
            None => Ok(mat),
        }
    }

    /// An error about this file.
    pub fn wrong(&self, what: String) -> Error {
        Error::data(&self.path, what)
    }

    /// The shape and the bytes of an array.
    pub fn bytes(&mut self, name: &str) -> Result<(Vec<usize>, Vec<u8>)> {
        match self.variables.remove(name) {
            Some(Value::Bytes { shape, bytes }) => Ok((shape, bytes)),
            _ => Err(self.other(name, "an array of bytes")),
        }
    }

    /// Whole numbers from 1.
    pub fn indices(&mut self, name: &str) -> Result<Vec<usize>> {
        let value = self.variables.remove(name);
        let found = value.and_then(|value| value.numbers()?.into_iter().map(index).collect());
        found.ok_or_else(|| self.other(name, "an array of whole numbers from 1"))
    }

    /// Texts of a cell.
    pub fn texts(&mut self, name: &str) -> Result<Vec<String>> {
        let found = match self.variables.remove(name) {
            Some(Value::Cell(values)) => values.iter().map(|value| value.text().map(str::to_string)).collect(),
            _ => None,
        };
        found.ok_or_else(|| self.other(name, "a cell of texts"))
    }

    /// A text and a whole number from 1 of each struct of an array.
    pub fn named_indices(&mut self, name: &str, text: &str, number: &str) -> Result<Vec<(String, usize)>> {
        let Some(Value::Structs { fields, values }) = self.variables.remove(name) else {
            return Err(self.other(name, "an array of structs"));
        };
        let place = |field: &str| fields.iter().position(|found| found == field);
        let (Some(text), Some(number)) = (place(text), place(number)) else {
            let what = format!("structs with the fields `{text}` and `{number}`");
            return Err(self.other(name, &what));
        };
        let pair = |values: &[Value]| {
            let [number] = values[number].numbers()?[..] else {
                return None;
            };
            Some((values[text].text()?.to_string(), index(number)?))
        };
        let pairs: Option<_> = values.chunks_exact(fields.len()).map(pair).collect();
        pairs.ok_or_else(|| self.other(name, "structs with a text and a whole number from 1"))
    }

    fn other(&self, name: &str, wanted: &str) -> Error {
        self.wrong(format!("its `{name}` is not {wanted}; {}", self.hint))
    }
}

fn index(number: f64) -> Option<usize> {
    (number.fract() == 0.0 && (1.0..=f64::from(u32::MAX)).contains(&number)).then_some(number as usize)
}

/// Variables of a file of `length` bytes.
fn read(file: &mut impl BufRead, names: &[&str], length: u64, most: u64) -> io::Result<HashMap<String, Value>> {
    let mut header = [0; HEADER];
    file.read_exact(&mut header)?;
    if header[HEADER - 4..] != VERSION {
        return Err(io::Error::other("the header is not that of version 5, little endian"));
    }
    let mut variables = HashMap::new();
    while !file.fill_buf()?.is_empty() {
        let mut tag = [0; 8];
        file.read_exact(&mut tag)?;
        let [kind, size] = element::words(&tag);
        let mut content = file.by_ref().take(size.into());
        let found = match kind {
            element::MATRIX => Elements::new(&mut content, length).variable(names),
            element::COMPRESSED => unpack(&mut content, names, length, most),
            _ => Err(io::Error::other(format!(
                "an element of kind {kind} where a variable is expected"
            ))),
        }?;
        variables.extend(found);
        io::copy(&mut content, &mut io::sink())?;
    }
    Ok(variables)
}

/// The variable of a compressed element, unless it is another.
fn unpack(packed: &mut impl BufRead, names: &[&str], length: u64, most: u64) -> io::Result<Option<(String, Value)>> {
    let mut content = ZlibDecoder::new(packed).take(most);
    let mut elements = Elements::new(&mut content, length);
    elements.tag_of_matrix()?;
    let found = elements.variable(names)?;
    if found.is_some() {
        // To the end, where zlib has its checksum.
        io::copy(&mut content, &mut io::sink())?;
    }
    Ok(found)
}

#[cfg(test)]
mod tests;
