//! The bytes of a sample in a shard.

use clap::ValueEnum;
use fmicl_core::{Error, Image, Region, Result, Samples, read_file};
use fmicl_data::datasets::{ARRAY, EXTENSIONS};
use fmicl_data::transforms::resize_shorter_side;
use fmicl_data::{MOST_FILE, decode, decode_bands};
use image::codecs::jpeg::JpegEncoder;
use image::codecs::png::PngEncoder;
use image::{ExtendedColorType, ImageEncoder};
use std::path::{Path, PathBuf};

/// How images are saved.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum Encode {
    /// Quality 95
    Jpeg,
    /// Every pixel as it is
    Png,
}

const QUALITY: u8 = 95;

/// A file in a shard: its extension and its bytes.
pub(super) struct Content {
    pub extension: String,
    pub bytes: Vec<u8>,
    /// Why it is no image, of a file that is packed as it is.
    pub fault: Option<String>,
}

/// The file of a sample as it is, or its image, resized where that makes it smaller. With `channels`, files hold images of so many, and
/// are not resized.
///
/// # Errors
/// [`Error::Data`] or [`Error::Io`] where it cannot be read.
pub(super) fn of(
    samples: &dyn Samples,
    index: usize,
    channels: Option<usize>,
    (size, encode): (Option<usize>, Option<Encode>),
) -> Result<Content> {
    let file = samples.path(index).map(File::read).transpose()?;
    let Some(size) = size else {
        return match file {
            Some(file) => Ok(file.tried(channels)),
            None => save(&samples.image(index)?, encode.unwrap_or(Encode::Png)),
        };
    };
    let whole = match &file {
        Some(file) => decode(&file.bytes, &file.path, &mut Region::whole)?,
        None => samples.patch(index, &mut Region::whole)?,
    };
    match (file, whole.region.width.min(whole.region.height) > size) {
        (Some(file), false) => Ok(file.content()),
        (None, false) => save(&samples.image(index)?, encode.unwrap_or(Encode::Jpeg)),
        (_, true) => save(
            &Image::from(&resize_shorter_side(&whole, size)),
            encode.unwrap_or(Encode::Jpeg),
        ),
    }
}

/// A sample's own file.
struct File {
    path: PathBuf,
    bytes: Vec<u8>,
}

impl File {
    fn read(path: PathBuf) -> Result<Self> {
        let bytes = read_file(&path, MOST_FILE, "it was there when the dataset was opened")?;
        Ok(File { path, bytes })
    }

    fn content(self) -> Content {
        Content {
            extension: extension(&self.path),
            bytes: self.bytes,
            fault: None,
        }
    }

    /// As it is, and decoded: what cannot be read here cannot be read there.
    fn tried(self, channels: Option<usize>) -> Content {
        let decoded = match channels {
            Some(channels) => decode_bands(&self.bytes, &self.path, channels).map(drop),
            None => decode(&self.bytes, &self.path, &mut Region::whole).map(drop),
        };
        Content {
            fault: decoded.err().map(|error| error.to_string()),
            ..self.content()
        }
    }
}

/// The extension of a file in small letters, by which a reader of shards knows it for an image.
fn extension(path: &Path) -> String {
    let own = path
        .extension()
        .map(|extension| extension.to_string_lossy().to_lowercase());
    // A format is told by the content.
    own.filter(|own| EXTENSIONS.contains(&&**own) || own == ARRAY)
        .unwrap_or_else(|| "jpg".into())
}

fn save(image: &Image, encode: Encode) -> Result<Content> {
    let (width, height) = (image.width as u32, image.height as u32);
    let mut bytes = Vec::new();
    let saved = match encode {
        Encode::Jpeg => JpegEncoder::new_with_quality(&mut bytes, QUALITY).write_image(
            &image.pixels,
            width,
            height,
            ExtendedColorType::Rgb8,
        ),
        Encode::Png => PngEncoder::new(&mut bytes).write_image(&image.pixels, width, height, ExtendedColorType::Rgb8),
    };
    saved.map_err(|error| {
        Error::Run(format!(
            "an image of {width} x {height} pixels cannot be saved: {error}"
        ))
    })?;
    let extension = match encode {
        Encode::Jpeg => "jpg",
        Encode::Png => "png",
    };
    Ok(Content {
        extension: extension.into(),
        bytes,
        fault: None,
    })
}
