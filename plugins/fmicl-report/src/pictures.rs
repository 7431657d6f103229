//! Views as pictures, and pictures as files.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use fmicl_core::tch::{Device, Kind, Tensor};
use fmicl_core::{Error, Result, View, Views};
use image::codecs::jpeg::JpegEncoder;
use image::{ExtendedColorType, ImageEncoder};

/// A picture of 8 bits a channel.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Picture {
    /// Columns.
    pub width: usize,
    /// Rows.
    pub height: usize,
    /// 1, gray, or 3, RGB.
    pub channels: usize,
    /// `height * width * channels` bytes, rows top to bottom, interleaved.
    pub pixels: Vec<u8>,
}

/// What is added to a sentence on pictures of bands.
const OF_BANDS: &str = ", in false colours: the first three bands, each from its 2nd to its 98th percentile";
const OF_A_BAND: &str = ", in shades of gray: the first band, from its 2nd to its 98th percentile";

/// The pictures of a view.
#[derive(Debug)]
pub struct Pictures {
    /// `[N, channels, H, W]`, u8, of 1 or 3 channels.
    pub batch: Tensor,
    /// What to add to a sentence on them; empty where they are as the eye sees them.
    pub note: &'static str,
}

/// The pictures of a view: of images of bands in false colours, with one scale for the batch; nothing of texts.
pub fn of_view(views: &dyn Views, view: &View) -> Option<Pictures> {
    match views.pictures(view) {
        Some(batch) => Some(Pictures { batch, note: "" }),
        None => of_bands(&view.input),
    }
}

/// The first bands of `[N, bands, H, W]`, f32; nothing of another shape or kind.
fn of_bands(input: &Tensor) -> Option<Pictures> {
    let size = input.size();
    let [_, bands, _, _] = size[..] else { return None };
    if bands == 0 || input.numel() == 0 || !input.is_floating_point() {
        return None;
    }
    let (shown, note) = if bands < 3 { (1, OF_A_BAND) } else { (3, OF_BANDS) };
    let input = input.narrow(1, 0, shown).to_device(Device::Cpu).to_kind(Kind::Float);
    let input = input.nan_to_num(0.0, None::<f64>, None::<f64>);
    let scaled = (0..shown).map(|band| {
        let values = input.narrow(1, band, 1);
        let sorted = values.flatten(0, -1).sort(0, false).0;
        let last = (sorted.numel() - 1) as f64;
        let at = |share: f64| sorted.double_value(&[(share * last).round() as i64]);
        let (low, high) = (at(0.02), at(0.98));
        (values - low) / (high - low).max(1e-12) * 255.0
    });
    let scaled = Tensor::cat(&scaled.collect::<Vec<_>>(), 1);
    Some(Pictures {
        batch: scaled.round().clamp(0.0, 255.0).to_kind(Kind::Uint8),
        note,
    })
}

/// The pictures of a batch `[N, channels, H, W]`, u8, of 1 or 3 channels, none of them higher than `most` pixels.
///
/// # Errors
/// A tensor of another shape.
pub fn of_batch(batch: &Tensor, most: usize) -> Result<Vec<Picture>> {
    let wrong = |size: &[i64]| Error::Run(format!("views of the shape {size:?} are no pictures"));
    let size = batch.size();
    let [count, channels @ (1 | 3), height, width] = size[..] else {
        return Err(wrong(&size));
    };
    let largest = height.max(width);
    let (height, width, batch) = match largest > most as i64 {
        false => (height, width, batch.shallow_clone()),
        true => {
            let [height, width] = [height, width].map(|side| (side * most as i64 / largest).max(1));
            let floats = batch.to_kind(Kind::Float).adaptive_avg_pool2d([height, width]);
            (height, width, floats.round().to_kind(Kind::Uint8))
        }
    };
    let rows = batch.permute([0, 2, 3, 1]).contiguous().to_device(Device::Cpu);
    let mut bytes = vec![0u8; rows.numel()];
    rows.copy_data(&mut bytes, rows.numel());
    let picture = |pixels: &[u8]| Picture {
        width: width as usize,
        height: height as usize,
        channels: channels as usize,
        pixels: pixels.to_vec(),
    };
    let each = (channels * height * width) as usize;
    Ok(bytes.chunks_exact(each).take(count as usize).map(picture).collect())
}

/// Pictures side by side, so many in a row, `gap` pixels of `paper` between them and around.
pub fn sheet(pictures: &[&Picture], columns: usize, gap: usize, paper: u8) -> Picture {
    let width = pictures.iter().map(|picture| picture.width).max().unwrap_or(1);
    let height = pictures.iter().map(|picture| picture.height).max().unwrap_or(1);
    let channels = pictures.iter().map(|picture| picture.channels).max().unwrap_or(1);
    let rows = pictures.len().div_ceil(columns).max(1);
    let (all, high) = (columns * (width + gap) + gap, rows * (height + gap) + gap);
    let mut sheet = Picture {
        width: all,
        height: high,
        channels,
        pixels: vec![paper; all * high * channels],
    };
    for (index, picture) in pictures.iter().enumerate() {
        let (left, top) = (
            gap + index % columns * (width + gap),
            gap + index / columns * (height + gap),
        );
        for row in 0..picture.height {
            for column in 0..picture.width {
                let from = (row * picture.width + column) * picture.channels;
                let to = ((top + row) * all + left + column) * channels;
                for channel in 0..channels {
                    sheet.pixels[to + channel] = picture.pixels[from + channel.min(picture.channels - 1)];
                }
            }
        }
    }
    sheet
}

impl Picture {
    /// The picture `times` as large, without new shades.
    pub fn enlarged(&self, times: usize) -> Picture {
        let (width, height) = (self.width * times, self.height * times);
        let mut pixels = Vec::with_capacity(width * height * self.channels);
        for row in 0..height {
            for column in 0..width {
                let from = (row / times * self.width + column / times) * self.channels;
                pixels.extend_from_slice(&self.pixels[from..from + self.channels]);
            }
        }
        Picture {
            width,
            height,
            pixels,
            channels: self.channels,
        }
    }

    /// As PNG, with texts by their keys; a picture of 2 channels is gray and opacity.
    ///
    /// # Errors
    /// A size that PNG has not.
    pub fn png(&self, texts: &[(&str, &str)]) -> Result<Vec<u8>> {
        let failed = |error: png::EncodingError| Error::Run(format!("a picture cannot be written: {error}"));
        let mut bytes = Vec::new();
        let mut encoder = png::Encoder::new(&mut bytes, self.width as u32, self.height as u32);
        encoder.set_color(match self.channels {
            1 => png::ColorType::Grayscale,
            2 => png::ColorType::GrayscaleAlpha,
            _ => png::ColorType::Rgb,
        });
        for (key, text) in texts {
            encoder
                .add_itxt_chunk(key.to_string(), text.to_string())
                .map_err(failed)?;
        }
        let mut writer = encoder.write_header().map_err(failed)?;
        writer.write_image_data(&self.pixels).map_err(failed)?;
        writer.finish().map_err(failed)?;
        Ok(bytes)
    }

    /// As JPEG of a quality from 1 to 100.
    ///
    /// # Errors
    /// A size that JPEG has not.
    pub fn jpeg(&self, quality: u8) -> Result<Vec<u8>> {
        let mut bytes = Vec::new();
        let colour = match self.channels {
            1 => ExtendedColorType::L8,
            _ => ExtendedColorType::Rgb8,
        };
        let encoder = JpegEncoder::new_with_quality(&mut bytes, quality);
        let written = encoder.write_image(&self.pixels, self.width as u32, self.height as u32, colour);
        written.map_err(|error| Error::Run(format!("a picture cannot be written: {error}")))?;
        Ok(bytes)
    }

    /// Address that holds the picture itself: PNG where it is small and there is room, else JPEG.
    ///
    /// # Errors
    /// Those of [`png`](Picture::png) and [`jpeg`](Picture::jpeg).
    pub fn address(&self, has_room: bool) -> Result<String> {
        match has_room && self.width.max(self.height) <= 40 {
            true => Ok(address("png", &self.png(&[])?)),
            false => Ok(address("jpeg", &self.jpeg(82)?)),
        }
    }
}

/// Address that holds a file of an image's format itself.
pub fn address(format: &str, bytes: &[u8]) -> String {
    format!("data:image/{format};base64,{}", STANDARD.encode(bytes))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ramp(channels: i64, side: i64) -> Tensor {
        let count = 2 * channels * side * side;
        let values = Tensor::arange(count, (Kind::Int64, Device::Cpu)).remainder(251);
        values.to_kind(Kind::Uint8).view([2, channels, side, side])
    }

    #[test]
    fn a_batch_becomes_pictures_and_large_ones_are_made_smaller() {
        let batch = ramp(3, 4);
        let pictures = of_batch(&batch, 8).unwrap();
        assert_eq!(
            (pictures.len(), pictures[1].width, pictures[1].pixels.len()),
            (2, 4, 48)
        );
        // Red, green and blue of the second picture's first pixel.
        assert_eq!(pictures[1].pixels[..3], [48, 64, 80]);
        let small = of_batch(&batch, 2).unwrap();
        assert_eq!((small[0].height, small[0].pixels.len()), (2, 12));
        assert!(of_batch(&ramp(2, 4), 8).is_err());
    }

    #[test]
    fn bands_are_scaled_each_by_its_own_percentiles() {
        // Of 101 values the 3rd and the 99th are the ends.
        let ramp = Tensor::arange(101, (Kind::Float, Device::Cpu)).view([1, 1, 1, 101]);
        let bands = Tensor::cat(&[&ramp, &(&ramp * 1e6 - 7.0), &(&ramp * -1.0), &ramp, &ramp], 1);
        let pictures = of_bands(&bands).unwrap();
        assert_eq!((pictures.batch.size(), pictures.note), (vec![1, 3, 1, 101], OF_BANDS));
        let at = |band: i64, column: i64| pictures.batch.int64_value(&[0, band, 0, column]);
        for band in [0, 1] {
            assert_eq!(
                [0, 2, 50, 98, 100].map(|column| at(band, column)),
                [0, 0, 128, 255, 255],
                "{band}"
            );
        }
        assert_eq!([2, 98].map(|column| at(2, column)), [255, 0]);
        assert_eq!(of_bands(&bands.narrow(1, 0, 2)).unwrap().batch.size(), [1, 1, 1, 101]);
        // Equal values, and tokens.
        assert!(of_bands(&Tensor::ones([1, 4, 2, 2], (Kind::Float, Device::Cpu))).is_some());
        assert!(of_bands(&Tensor::ones([3, 7], (Kind::Int64, Device::Cpu))).is_none());
    }

    #[test]
    fn pictures_stand_side_by_side() {
        let picture = |value| Picture {
            width: 1,
            height: 1,
            channels: 1,
            pixels: vec![value],
        };
        let (one, two, three) = (picture(1), picture(2), picture(3));
        let sheet = sheet(&[&one, &two, &three], 2, 1, 9);
        assert_eq!((sheet.width, sheet.height), (5, 5));
        assert_eq!(sheet.pixels[5..10], [9, 1, 9, 2, 9]);
        assert_eq!(sheet.pixels[15..20], [9, 3, 9, 9, 9]);
        assert_eq!(two.enlarged(2).pixels, [2; 4]);
    }

    #[test]
    fn files_hold_what_was_drawn() {
        let picture = of_batch(&ramp(3, 4), 8).unwrap().remove(0);
        let png = picture.png(&[("Description", "crop, flip")]).unwrap();
        let mut reader = png::Decoder::new(std::io::Cursor::new(&png)).read_info().unwrap();
        let mut pixels = vec![0; reader.output_buffer_size().unwrap()];
        reader.next_frame(&mut pixels).unwrap();
        assert_eq!(pixels, picture.pixels);
        assert_eq!(reader.info().utf8_text[0].get_text().unwrap(), "crop, flip");
        assert!(picture.jpeg(80).unwrap().starts_with(&[0xff, 0xd8]));
        assert!(
            picture
                .address(true)
                .unwrap()
                .starts_with("data:image/png;base64,iVBOR")
        );
        assert!(picture.address(false).unwrap().starts_with("data:image/jpeg;base64,"));
    }
}
