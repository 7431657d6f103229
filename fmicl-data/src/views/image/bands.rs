//! Images of other channels than colours: they are taken apart into images of three channels each, which all operations take.

use super::range::Range;
use super::{ImageViews, Plan, ViewKey};
use crate::Normalize;
use crate::decode::other_channels;
use fmicl_core::{BandSamples, Bands, Error, Image, Result, Samples};
use std::path::PathBuf;

/// The channels of an image in threes. What is missing from the last three is its last channel again.
pub struct Triples {
    pub(super) width: usize,
    pub(super) height: usize,
    pub(super) images: Vec<Image>,
}

impl Triples {
    /// Images of three channels each.
    pub fn images(&self) -> &[Image] {
        &self.images
    }
}

impl ImageViews {
    /// Returns true if the samples of a file are read as they are stored, and do not become RGB.
    pub fn of_bands(&self) -> bool {
        self.range.is_some() || ![1, 3].contains(&self.channels)
    }

    /// The channels of a sample as bytes, in threes.
    ///
    /// # Errors
    /// [`Error::Data`] with the sample's file where it cannot be read, has other channels than the views, or samples that no range
    /// makes bytes of.
    pub(super) fn read_bands(&self, samples: &dyn Samples, index: usize) -> Result<Triples> {
        let bands = samples.bands(index, self.channels)?;
        self.triples(&bands).map_err(|why| {
            let path = samples.path(index);
            Error::data(path.unwrap_or_else(|| PathBuf::from(format!("sample {index}"))), why)
        })
    }

    /// The channels of an image as bytes, in threes.
    ///
    /// # Errors
    /// In words: it has other channels than the views, or samples that no range makes bytes of.
    pub fn triples(&self, bands: &Bands) -> Result<Triples, String> {
        let channels = self.channels;
        if bands.channels != channels {
            return Err(other_channels(bands.channels, channels));
        }
        let bytes = match (&bands.samples, &self.range) {
            (BandSamples::Bytes(bytes), None) => bytes.clone(),
            (BandSamples::Bytes(bytes), Some(range)) => {
                let values = bytes.iter().map(|&byte| f32::from(byte));
                scaled(values, range, bands)?
            }
            (BandSamples::Numbers(numbers, _), Some(range)) => scaled(numbers.iter().copied(), range, bands)?,
            (BandSamples::Numbers(numbers, kind), None) => {
                let numbers = || numbers.iter().copied().filter(|number| number.is_finite());
                let (least, most) = (numbers().fold(f32::MAX, f32::min), numbers().fold(f32::MIN, f32::max));
                return Err(format!(
                    "its samples are {kind}, from {least} to {most}, and views are of 8 bits: views.range says which values become 0 \
                     and 255, such as `range = [0, 10000]`"
                ));
            }
        };
        let third = |first: usize| {
            let at = [0, 1, 2].map(|next| (first + next).min(channels - 1));
            let pixels = bytes.chunks_exact(channels).flat_map(|pixel| at.map(|at| pixel[at]));
            Image::new(bands.width, bands.height, pixels.collect())
        };
        Ok(Triples {
            width: bands.width,
            height: bands.height,
            images: (0..channels).step_by(3).map(third).collect(),
        })
    }

    /// Writes the planned view to `out`, as [`draw`](ImageViews::draw) does.
    ///
    /// # Errors
    /// As there.
    pub fn draw_bands(&self, triples: &Triples, plan: &Plan, out: &mut [f32]) -> Result<()> {
        self.each_third(triples, out)
            .try_for_each(|(image, normalize, out)| self.draw_on(&image.into(), plan, &normalize, out))
    }

    /// Plans and draws the view that `key` stands for, as [`render`](ImageViews::render) does.
    ///
    /// # Errors
    /// As there.
    pub fn render_bands(&self, triples: &Triples, key: ViewKey, out: &mut [f32]) -> Result<()> {
        self.draw_bands(triples, &self.plan(triples.width, triples.height, key)?, out)
    }

    /// Writes the view for evaluation to `out`, as [`evaluate`](ImageViews::evaluate) does.
    pub fn evaluate_bands(&self, triples: &Triples, out: &mut [f32]) {
        for (image, normalize, out) in self.each_third(triples, out) {
            normalize.apply(&self.frame(&image.into()), out);
        }
    }

    /// Each three channels with their normalisation and their place in a view.
    fn each_third<'a>(
        &'a self,
        triples: &'a Triples,
        out: &'a mut [f32],
    ) -> impl Iterator<Item = (&'a Image, Normalize, &'a mut [f32])> {
        let Normalize { mean, std } = &self.normalize;
        let normalize = mean.chunks(3).zip(std.chunks(3)).map(|(mean, std)| Normalize {
            mean: mean.to_vec(),
            std: std.to_vec(),
        });
        let places = out.chunks_mut(3 * self.size * self.size);
        triples
            .images
            .iter()
            .zip(normalize)
            .zip(places)
            .map(|((image, normalize), out)| (image, normalize, out))
    }
}

/// Samples as bytes.
fn scaled(values: impl Iterator<Item = f32>, range: &Range, bands: &Bands) -> Result<Vec<u8>, String> {
    let (channels, width) = (bands.channels, bands.width);
    let byte = |(at, value): (usize, f32)| {
        range.byte(at % channels, value).ok_or_else(|| {
            let (pixel, channel) = (at / channels, at % channels);
            let (row, column) = (pixel / width, pixel % width);
            format!("its channel {channel} is not a number (NaN) in row {row}, column {column}, counted from 0")
        })
    };
    values.enumerate().map(byte).collect()
}
