//! Arrays of numpy's as `numpy.save` writes them: [format](https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html)
//! 1 to 3.
//!
//! The header is the text of a Python dictionary of three keys. Nothing of it is run, and arrays of Python's objects, which
//! are pickles, are refused.

mod header;

use super::{MOST, TRUNCATED};
use fmicl_core::{BandSamples, Bands, Image};
use header::Header;

const MAGIC: &[u8] = b"\x93NUMPY";

/// An array whose header has been read.
pub(super) struct Npy<'a> {
    shape: Vec<usize>,
    kind: Kind,
    is_big_endian: bool,
    is_fortran: bool,
    /// As many numbers as the shape says.
    data: &'a [u8],
}

/// The kinds of numbers that are read.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    U8,
    I8,
    U16,
    I16,
    U32,
    I32,
    U64,
    I64,
    F32,
    F64,
}

impl Kind {
    /// That of a dtype without its byte order.
    fn of(dtype: &str) -> Option<Self> {
        Some(match dtype {
            "u1" => Kind::U8,
            "i1" => Kind::I8,
            "u2" => Kind::U16,
            "i2" => Kind::I16,
            "u4" => Kind::U32,
            "i4" => Kind::I32,
            "u8" => Kind::U64,
            "i8" => Kind::I64,
            "f4" => Kind::F32,
            "f8" => Kind::F64,
            _ => return None,
        })
    }

    fn bytes(self) -> usize {
        match self {
            Kind::U8 | Kind::I8 => 1,
            Kind::U16 | Kind::I16 => 2,
            Kind::U32 | Kind::I32 | Kind::F32 => 4,
            Kind::U64 | Kind::I64 | Kind::F64 => 8,
        }
    }

    /// What its samples are called.
    fn name(self) -> &'static str {
        match self {
            Kind::U8 => "of 8 bits",
            Kind::I8 => "of 8 bits with a sign",
            Kind::U16 => "of 16 bits",
            Kind::I16 => "of 16 bits with a sign",
            Kind::U32 => "of 32 bits",
            Kind::I32 => "of 32 bits with a sign",
            Kind::U64 => "of 64 bits",
            Kind::I64 => "of 64 bits with a sign",
            Kind::F32 | Kind::F64 => "floats",
        }
    }
}

impl<'a> Npy<'a> {
    /// Returns true if these bytes begin as such a file does.
    pub fn is(bytes: &[u8]) -> bool {
        bytes.starts_with(MAGIC)
    }

    /// Reads the header.
    ///
    /// # Errors
    /// What is wrong with it, or not supported.
    pub fn open(bytes: &'a [u8]) -> Result<Self, String> {
        let [major, _, rest @ ..] = bytes.get(MAGIC.len()..).unwrap_or_default() else {
            return Err(TRUNCATED.into());
        };
        let (length, rest) = match major {
            1 => rest
                .split_first_chunk()
                .map(|(length, rest)| (u16::from_le_bytes(*length) as usize, rest)),
            2 | 3 => rest
                .split_first_chunk()
                .map(|(length, rest)| (u32::from_le_bytes(*length) as usize, rest)),
            _ => {
                return Err(format!(
                    "its format is {major}, and 1 to 3 are read; save it by `numpy.save`"
                ));
            }
        }
        .ok_or(TRUNCATED)?;
        let (text, data) = rest.split_at_checked(length).ok_or(TRUNCATED)?;
        let Header {
            dtype,
            is_fortran,
            shape,
        } = header::read(text)?;
        let (order, name) = dtype.split_at_checked(1).unwrap_or_default();
        let kind = Kind::of(name).filter(|_| ["<", ">", "|"].contains(&order));
        let kind = kind.ok_or_else(|| match name.starts_with('O') {
            true => "it holds objects of Python (a pickle), which are not read; save an array of numbers".into(),
            false => format!(
                "its dtype is `{dtype}`; integers, float32 and float64 are read, as by `array.astype(\"float32\")`"
            ),
        })?;
        let count = shape
            .iter()
            .try_fold(1usize, |count, &length| count.checked_mul(length));
        let length = count.and_then(|count| count.checked_mul(kind.bytes()));
        // Several arrays may follow each other in a file; `numpy.load` reads the first.
        let data = length.and_then(|length| data.get(..length)).ok_or_else(|| {
            format!(
                "its array of {} needs more than the {} bytes that there are; {TRUNCATED}",
                shown(&shape),
                data.len()
            )
        })?;
        Ok(Npy {
            shape,
            kind,
            is_big_endian: order == ">",
            is_fortran,
            data,
        })
    }

    /// Samples of an image of so many channels: an array of (height, width, channels), or (channels, height, width) where its
    /// last axis has another length, or (height, width) of one channel.
    ///
    /// # Errors
    /// The array is of another shape.
    pub fn bands(&self, channels: usize) -> Result<Bands, String> {
        let layout = self.layout(channels).ok_or_else(|| {
            format!(
                "its array is of {}, and neither its last axis nor its first has the {channels} of views.channels",
                shown(&self.shape)
            )
        })?;
        self.read(layout)
    }

    /// The image of an array of bytes of one or three channels.
    ///
    /// # Errors
    /// The array is of another shape, or of other numbers.
    pub fn rgb(&self) -> Result<Image, String> {
        let layout = self.layout(3).or_else(|| self.layout(1));
        let (Some(layout), Kind::U8) = (layout, self.kind) else {
            return Err(format!(
                "its array is of {} samples {}, and colours are 1 or 3 of 8 bits; `views.channels` and `views.range` read others as they are",
                shown(&self.shape),
                self.kind.name()
            ));
        };
        let Bands {
            width,
            height,
            channels,
            samples,
        } = self.read(layout)?;
        Ok(match samples {
            BandSamples::Bytes(gray) if channels == 1 => Image::from_gray(width, height, &gray),
            BandSamples::Bytes(pixels) => Image::new(width, height, pixels),
            BandSamples::Numbers(..) => return Err("its samples are no bytes".into()),
        })
    }

    /// Axes and strides of an image of so many channels.
    fn layout(&self, channels: usize) -> Option<Layout> {
        let strides = self.strides();
        let (axes, channels) = match self.shape[..] {
            [_, _] if channels == 1 => ([0, 1, 2], 1),
            [_, _, last] if last == channels => ([0, 1, 2], channels),
            [first, _, _] if first == channels => ([1, 2, 0], channels),
            _ => return None,
        };
        let at = |values: &[usize], other| axes.map(|axis| values.get(axis).copied().unwrap_or(other));
        let [height, width, _] = at(&self.shape, 1);
        Some(Layout {
            width,
            height,
            channels,
            strides: at(&strides, 0),
        })
    }

    /// Numbers from one to the next along each axis.
    fn strides(&self) -> Vec<usize> {
        let mut strides = vec![1; self.shape.len()];
        let mut stride = 1usize;
        let mut axes: Vec<usize> = (0..self.shape.len()).collect();
        if !self.is_fortran {
            axes.reverse();
        }
        for axis in axes {
            strides[axis] = stride;
            // The product of all is no more than there are bytes, unless one is 0.
            stride = stride.saturating_mul(self.shape[axis]);
        }
        strides
    }

    fn read(&self, layout: Layout) -> Result<Bands, String> {
        let Layout {
            width,
            height,
            channels,
            ..
        } = layout;
        if self.data.is_empty() {
            return Err(format!("its array is of {}: it has no pixels", shown(&self.shape)));
        }
        if (self.data.len() / self.kind.bytes()) as u64 > MOST {
            return Err(format!(
                "its array of {} has more than {MOST} samples; cut it into tiles",
                shown(&self.shape)
            ));
        }
        let numbers = |numbers| BandSamples::Numbers(numbers, self.kind.name());
        macro_rules! all {
            ($of:ty) => {
                numbers(match self.is_big_endian {
                    true => layout.gather(self.data, |bytes| <$of>::from_be_bytes(bytes) as f32),
                    false => layout.gather(self.data, |bytes| <$of>::from_le_bytes(bytes) as f32),
                })
            };
        }
        let samples = match self.kind {
            Kind::U8 => BandSamples::Bytes(layout.gather(self.data, |[byte]| byte)),
            Kind::I8 => all!(i8),
            Kind::U16 => all!(u16),
            Kind::I16 => all!(i16),
            Kind::U32 => all!(u32),
            Kind::I32 => all!(i32),
            Kind::U64 => all!(u64),
            Kind::I64 => all!(i64),
            Kind::F32 => all!(f32),
            Kind::F64 => all!(f64),
        };
        Ok(Bands {
            width,
            height,
            channels,
            samples,
        })
    }
}

/// Where in an array the samples of an image lie.
struct Layout {
    width: usize,
    height: usize,
    channels: usize,
    /// From a row, a column and a channel to the next, in numbers.
    strides: [usize; 3],
}

impl Layout {
    /// Every sample, row by row, those of a pixel beside one another.
    fn gather<const N: usize, T>(&self, data: &[u8], of: impl Fn([u8; N]) -> T) -> Vec<T> {
        let (numbers, _) = data.as_chunks::<N>();
        let [row, column, channel] = self.strides;
        let mut samples = Vec::with_capacity(numbers.len());
        for y in 0..self.height {
            for x in 0..self.width {
                let first = y * row + x * column;
                samples.extend((0..self.channels).map(|c| of(numbers[first + c * channel])));
            }
        }
        samples
    }
}

/// "64 x 64 x 13"
fn shown(shape: &[usize]) -> String {
    let lengths: Vec<String> = shape.iter().take(8).map(ToString::to_string).collect();
    match lengths.is_empty() {
        true => "one number".into(),
        false => lengths.join(" x "),
    }
}
