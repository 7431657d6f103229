//! PBM, PGM and PPM files: a header of up to three numbers, then samples as bytes or in words.
//!
//! Samples of another maximum than 255 are scaled and rounded as PIL does it, halves to even; no crate has that.

use super::TRUNCATED;
use fmicl_core::Image;

/// The longest number that is read, in characters, as in PIL.
const LONGEST: usize = 10;

/// A file whose header has been read.
pub(super) struct Pnm<'a> {
    pub(super) width: usize,
    pub(super) height: usize,
    kind: Kind,
    /// The samples are words.
    is_text: bool,
    /// What stands for white.
    most: u32,
    samples: &'a [u8],
}

#[derive(Clone, Copy, PartialEq)]
enum Kind {
    Bits,
    Gray,
    Color,
}

impl<'a> Pnm<'a> {
    /// Returns true if these bytes begin as one of the six kinds does.
    pub(super) fn is(bytes: &[u8]) -> bool {
        matches!(bytes, [b'P', b'1'..=b'6', space, ..] if is_space(*space) || *space == b'#')
    }

    /// Reads the header of a file that is one.
    ///
    /// # Errors
    /// What is wrong with it.
    pub(super) fn open(bytes: &'a [u8]) -> Result<Self, String> {
        let (magic, mut rest) = bytes.split_at(2);
        let kind = match magic[1] {
            b'1' | b'4' => Kind::Bits,
            b'2' | b'5' => Kind::Gray,
            _ => Kind::Color,
        };
        let mut number = || number(&mut rest);
        let (width, height) = (number()?, number()?);
        let most = if kind == Kind::Bits { 1 } else { number()? };
        if !(1..=65_535).contains(&most) {
            return Err(format!("its maximum is {most}, where 1 to 65535 can be"));
        }
        Ok(Pnm {
            width: width as usize,
            height: height as usize,
            kind,
            is_text: magic[1] <= b'3',
            most,
            samples: rest,
        })
    }

    /// The pixels.
    ///
    /// # Errors
    /// What is wrong with them.
    pub(super) fn decode(self) -> Result<Image, String> {
        let channels = if self.kind == Kind::Color { 3 } else { 1 };
        let count = self.width * self.height * channels;
        let samples = match (self.kind, self.is_text) {
            (Kind::Bits, true) => self.characters(count)?,
            (Kind::Bits, false) => self.bits()?,
            (_, true) => self.words(count)?,
            (_, false) => self.numbers(count)?,
        };
        Ok(match self.kind {
            Kind::Color => Image::new(self.width, self.height, samples),
            _ => Image::from_gray(self.width, self.height, &samples),
        })
    }

    /// Ones and zeros, with or without space between them; ones are black.
    fn characters(&self, count: usize) -> Result<Vec<u8>, String> {
        let text = without_comments(self.samples).filter(|&byte| !is_space(byte));
        let bits = text.take(count).map(|byte| match byte {
            b'0' => Ok(255),
            b'1' => Ok(0),
            _ => Err(format!("a pixel is `{}`, neither 0 nor 1", byte.escape_ascii())),
        });
        complete(bits.collect::<Result<_, _>>()?, count)
    }

    /// Eight pixels a byte, rows padded.
    fn bits(&self) -> Result<Vec<u8>, String> {
        let stride = self.width.div_ceil(8);
        let rows = self.samples.get(..stride * self.height).ok_or(TRUNCATED)?;
        let bit = |row: &[u8], x: usize| if row[x / 8] >> (7 - x % 8) & 1 == 1 { 0 } else { 255 };
        let row = |row| (0..self.width).map(move |x| bit(row, x));
        Ok(rows.chunks_exact(stride).flat_map(row).collect())
    }

    fn words(&self, count: usize) -> Result<Vec<u8>, String> {
        let mut text = without_comments(self.samples).peekable();
        // There is space between two of them.
        let mut samples = Vec::with_capacity(count.min(self.samples.len()));
        let (mut word, table) = (Vec::new(), self.table());
        while samples.len() < count {
            while text.next_if(|&byte| is_space(byte)).is_some() {}
            word.clear();
            while let Some(byte) = text.next_if(|&byte| !is_space(byte)) {
                if word.len() == LONGEST {
                    return Err(format!("a sample begins with `{}`", word.escape_ascii()));
                }
                word.push(byte);
            }
            if word.is_empty() {
                return Err(TRUNCATED.into());
            }
            let sample = parse(&word)?;
            let scaled = table.get(sample as usize);
            samples.push(*scaled.ok_or_else(|| format!("a sample is {sample}, and its maximum {}", self.most))?);
        }
        Ok(samples)
    }

    /// A byte a sample, or two where the maximum does not fit in one.
    fn numbers(&self, count: usize) -> Result<Vec<u8>, String> {
        let bytes = |count: usize| self.samples.get(..count).ok_or(TRUNCATED);
        let table = self.table();
        let scaled = |sample: usize| table.get(sample).copied().unwrap_or(255);
        Ok(match self.most {
            255 => bytes(count)?.to_vec(),
            0..255 => bytes(count)?.iter().map(|&byte| scaled(byte.into())).collect(),
            _ => {
                let (pairs, _) = bytes(count * 2)?.as_chunks();
                pairs
                    .iter()
                    .map(|&pair| scaled(u16::from_be_bytes(pair).into()))
                    .collect()
            }
        })
    }

    /// What each sample is of 255.
    fn table(&self) -> Vec<u8> {
        let most = f64::from(self.most);
        let scaled = |sample| f64::from(sample) / most * 255.0;
        (0..=self.most)
            .map(|sample| scaled(sample).round_ties_even() as u8)
            .collect()
    }
}

fn is_space(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t'..=b'\r')
}

/// The next number of a header, and the space behind it taken from `rest`.
fn number(rest: &mut &[u8]) -> Result<u32, String> {
    let mut word = Vec::new();
    while let Some((&byte, behind)) = rest.split_first() {
        *rest = behind;
        match byte {
            b'#' => {
                let end = rest.iter().position(|byte| matches!(byte, b'\r' | b'\n'));
                *rest = &rest[end.map_or(rest.len(), |end| end + 1)..];
            }
            _ if is_space(byte) && word.is_empty() => {}
            _ if is_space(byte) => break,
            _ if word.len() == LONGEST => return Err(format!("a number begins with `{}`", word.escape_ascii())),
            _ => word.push(byte),
        }
    }
    if word.is_empty() {
        return Err("the file ends in its header".into());
    }
    parse(&word)
}

fn parse(word: &[u8]) -> Result<u32, String> {
    let number = str::from_utf8(word).ok().and_then(|word| word.parse().ok());
    number.ok_or_else(|| format!("`{}` stands where a number belongs", word.escape_ascii()))
}

/// Text without what follows a `#` in its lines.
fn without_comments(text: &[u8]) -> impl Iterator<Item = u8> {
    let mut is_comment = false;
    text.iter().copied().filter(move |byte| {
        let was = is_comment;
        is_comment = match byte {
            b'#' => true,
            b'\r' | b'\n' => false,
            _ => is_comment,
        };
        // The line's end goes with the comment.
        !was && !is_comment
    })
}

fn complete(samples: Vec<u8>, count: usize) -> Result<Vec<u8>, String> {
    match samples.len() == count {
        true => Ok(samples),
        false => Err(TRUNCATED.into()),
    }
}
