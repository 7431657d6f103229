//! Elements of MATLAB's files: a tag with kind and size, then the data; arrays are several of them.

use super::Value;
use std::io::{self, Read};

pub(super) const MATRIX: u32 = 14;
pub(super) const COMPRESSED: u32 = 15;

/// Classes of arrays.
const CELL: u8 = 1;
const STRUCT: u8 = 2;
const TEXT: u8 = 4;
const NUMBERS: std::ops::RangeInclusive<u8> = 6..=15;
/// The flag of numbers with an imaginary part.
const COMPLEX: u32 = 0x800;
/// Cells in cells, and no end to it, would end the stack.
const DEEPEST: usize = 8;

/// Elements of a variable, one after the other.
pub(super) struct Elements<'a> {
    source: &'a mut dyn Read,
    /// The most bytes that are allocated on a tag's word alone.
    trusted: usize,
}

/// What precedes an array's content.
struct Head {
    class: u8,
    shape: Vec<usize>,
    /// The product of the shape.
    count: usize,
    name: String,
}

impl<'a> Elements<'a> {
    /// Of a file of `length` bytes. Photos do not shrink to less than a quarter, so that a large array of them is allocated at once.
    pub fn new(source: &'a mut dyn Read, length: u64) -> Self {
        let trusted = usize::try_from(length).unwrap_or(usize::MAX).saturating_mul(4);
        Elements { source, trusted }
    }

    /// The tag of an array, and whether it is empty.
    pub fn tag_of_matrix(&mut self) -> io::Result<bool> {
        let mut tag = [0; 8];
        self.source.read_exact(&mut tag)?;
        match words(&tag) {
            [MATRIX, size] => Ok(size == 0),
            [kind, _] => Err(wrong(format!("an element of kind {kind} where an array is expected"))),
        }
    }

    /// Name and value of a variable behind its tag; none where its name is not asked for.
    pub fn variable(&mut self, names: &[&str]) -> io::Result<Option<(String, Value)>> {
        let head = self.head()?;
        match names.contains(&head.name.as_str()) {
            true => Ok(Some((head.name.clone(), self.content(head, 0)?))),
            false => Ok(None),
        }
    }

    fn head(&mut self) -> io::Result<Head> {
        let (_, flags) = self.element()?;
        let flags = flags.first_chunk().map_or(0, |word| u32::from_le_bytes(*word));
        let (_, shape) = self.element()?;
        let (_, name) = self.element()?;
        if flags & COMPLEX != 0 {
            return Err(wrong("complex numbers".into()));
        }
        let shape: Vec<usize> = numbers(5, &shape)?.into_iter().map(|side| side as usize).collect();
        let count = shape.iter().try_fold(1usize, |count, &side| count.checked_mul(side));
        Ok(Head {
            class: flags as u8,
            count: count.ok_or_else(|| wrong(format!("an array of shape {shape:?}")))?,
            shape,
            name: String::from_utf8_lossy(&name).into_owned(),
        })
    }

    fn content(&mut self, head: Head, depth: usize) -> io::Result<Value> {
        match head.class {
            CELL => Ok(Value::Cell(self.values(head.count, depth)?)),
            STRUCT => {
                let (_, length) = self.element()?;
                let length = length.first_chunk().map_or(0, |word| u32::from_le_bytes(*word)) as usize;
                let (_, names) = self.element()?;
                let name = |bytes: &[u8]| {
                    let end = bytes.iter().position(|&byte| byte == 0);
                    String::from_utf8_lossy(&bytes[..end.unwrap_or(bytes.len())]).into_owned()
                };
                let fields: Vec<_> = names.chunks_exact(length.max(1)).map(name).collect();
                let values = head.count.saturating_mul(fields.len());
                let values = self.values(values, depth)?;
                Ok(Value::Structs { fields, values })
            }
            TEXT => {
                let (kind, bytes) = self.element()?;
                Ok(Value::Text(text(kind, &bytes)?))
            }
            class if NUMBERS.contains(&class) => {
                let (kind, bytes) = self.element()?;
                if kind == 2 && bytes.len() == head.count {
                    let shape = head.shape;
                    return Ok(Value::Bytes { shape, bytes });
                }
                let numbers = numbers(kind, &bytes)?;
                match numbers.len() == head.count {
                    true => Ok(Value::Numbers(numbers)),
                    false => Err(wrong(format!(
                        "{} numbers where its shape {:?} has {}",
                        numbers.len(),
                        head.shape,
                        head.count
                    ))),
                }
            }
            class => Err(wrong(format!("an array of class {class}, which is not read"))),
        }
    }

    /// Arrays within an array.
    fn values(&mut self, count: usize, depth: usize) -> io::Result<Vec<Value>> {
        if depth == DEEPEST {
            return Err(wrong(format!("cells or structs {DEEPEST} deep")));
        }
        let mut values = Vec::new();
        // Each takes eight bytes at least: a count that is not true ends with the file.
        for _ in 0..count {
            let value = match self.tag_of_matrix()? {
                true => Value::Numbers(vec![]),
                false => {
                    let head = self.head()?;
                    self.content(head, depth + 1)?
                }
            };
            values.push(value);
        }
        Ok(values)
    }

    /// Kind and data of an element. Up to four bytes may lie in the tag itself.
    fn element(&mut self) -> io::Result<(u32, Vec<u8>)> {
        let mut tag = [0; 8];
        self.source.read_exact(&mut tag)?;
        let [kind, size] = words(&tag);
        if kind >> 16 != 0 {
            let small = tag[4..].get(..(kind >> 16) as usize);
            let small = small.ok_or_else(|| wrong(format!("{} bytes in a tag", kind >> 16)))?;
            return Ok((kind & 0xffff, small.to_vec()));
        }
        let size = size as usize;
        let mut data = Vec::new();
        data.try_reserve_exact(size.min(self.trusted))
            .map_err(io::Error::other)?;
        self.source.take(size as u64).read_to_end(&mut data)?;
        if data.len() < size {
            return Err(wrong(format!("{} bytes where {size} are needed", data.len())));
        }
        let padding = size.next_multiple_of(8) - size;
        io::copy(&mut self.source.take(padding as u64), &mut io::sink())?;
        Ok((kind, data))
    }
}

/// The two words of a tag.
pub(super) fn words(tag: &[u8; 8]) -> [u32; 2] {
    let [a, b, c, d, e, f, g, h] = *tag;
    [u32::from_le_bytes([a, b, c, d]), u32::from_le_bytes([e, f, g, h])]
}

/// Numbers of a kind of data. Arrays of any class may be stored as smaller numbers.
fn numbers(kind: u32, bytes: &[u8]) -> io::Result<Vec<f64>> {
    fn all<const SIZE: usize>(bytes: &[u8], read: impl Fn([u8; SIZE]) -> f64) -> Vec<f64> {
        bytes.as_chunks().0.iter().map(|&chunk| read(chunk)).collect()
    }
    Ok(match kind {
        1 => all(bytes, |b| i8::from_le_bytes(b).into()),
        2 => all(bytes, |b| u8::from_le_bytes(b).into()),
        3 => all(bytes, |b| i16::from_le_bytes(b).into()),
        4 => all(bytes, |b| u16::from_le_bytes(b).into()),
        5 => all(bytes, |b| i32::from_le_bytes(b).into()),
        6 => all(bytes, |b| u32::from_le_bytes(b).into()),
        7 => all(bytes, |b| f32::from_le_bytes(b).into()),
        9 => all(bytes, f64::from_le_bytes),
        12 => all(bytes, |b| i64::from_le_bytes(b) as f64),
        13 => all(bytes, |b| u64::from_le_bytes(b) as f64),
        kind => return Err(wrong(format!("numbers of kind {kind}"))),
    })
}

fn text(kind: u32, bytes: &[u8]) -> io::Result<String> {
    match kind {
        1 | 2 | 16 => Ok(String::from_utf8_lossy(bytes).into_owned()),
        4 | 17 => {
            let (units, _) = bytes.as_chunks();
            let units: Vec<_> = units.iter().map(|&unit| u16::from_le_bytes(unit)).collect();
            Ok(String::from_utf16_lossy(&units))
        }
        kind => Err(wrong(format!("a text of kind {kind}"))),
    }
}

fn wrong(what: String) -> io::Error {
    io::Error::other(what)
}
