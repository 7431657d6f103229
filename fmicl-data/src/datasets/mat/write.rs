//! MATLAB's files as the examples need them: each variable compressed, as MATLAB does.

use super::element::{COMPRESSED, MATRIX};
use super::{HEADER, VERSION, Value};
use crate::datasets::files::write;
use flate2::{Compression, write::ZlibEncoder};
use fmicl_core::{Error, Result};
use std::io::Write;
use std::path::Path;

/// Writes variables to a file of version 5.
pub fn write_mat(path: &Path, variables: &[(&str, Value)]) -> Result<()> {
    let mut file = b"MATLAB 5.0 MAT-file".to_vec();
    file.resize(HEADER - VERSION.len(), b' ');
    file.extend(VERSION);
    for (name, value) in variables {
        let mut packed = ZlibEncoder::new(Vec::new(), Compression::default());
        let packed = packed.write_all(&matrix(name, value)).and_then(|()| packed.finish());
        let packed = packed.map_err(|error| Error::io(path, error))?;
        file.extend(tag(COMPRESSED, packed.len()));
        file.extend(packed);
    }
    write(path, &file)
}

fn tag(kind: u32, size: usize) -> [u8; 8] {
    let word = (u64::from(kind)) | (size as u64) << 32;
    word.to_le_bytes()
}

fn element(kind: u32, data: &[u8]) -> Vec<u8> {
    let mut element = tag(kind, data.len()).to_vec();
    element.extend(data);
    element.resize(element.len().next_multiple_of(8), 0);
    element
}

fn words(words: &[usize]) -> Vec<u8> {
    words.iter().flat_map(|&word| (word as u32).to_le_bytes()).collect()
}

fn matrix(name: &str, value: &Value) -> Vec<u8> {
    let row = |count: usize| vec![1, count];
    let all = |values: &[Value]| values.iter().flat_map(|value| matrix("", value)).collect::<Vec<u8>>();
    let (class, shape, content) = match value {
        Value::Bytes { shape, bytes } => (9, shape.clone(), element(2, bytes)),
        Value::Numbers(numbers) => {
            let bytes: Vec<u8> = numbers.iter().flat_map(|number| number.to_le_bytes()).collect();
            (6, row(numbers.len()), element(9, &bytes))
        }
        Value::Text(text) => {
            let units: Vec<u8> = text.encode_utf16().flat_map(u16::to_le_bytes).collect();
            (4, row(units.len() / 2), element(4, &units))
        }
        Value::Cell(values) => (1, row(values.len()), all(values)),
        Value::Structs { fields, values } => {
            const LENGTH: usize = 32;
            let mut names = Vec::new();
            for (index, field) in fields.iter().enumerate() {
                names.extend(field.bytes());
                names.resize((index + 1) * LENGTH, 0);
            }
            // The length lies in its tag, without which MATLAB and SciPy do not read it.
            let length = [words(&[5 | 4 << 16, LENGTH]), element(1, &names)].concat();
            let count = values.len() / fields.len().max(1);
            (2, row(count), [length, all(values)].concat())
        }
    };
    let head = [
        element(6, &words(&[class, 0])),
        element(5, &words(&shape)),
        element(1, name.as_bytes()),
    ];
    element(MATRIX, &[head.concat(), content].concat())
}
