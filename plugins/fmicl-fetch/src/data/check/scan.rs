//! Reading every sample, on all cores.

use super::look::look;
use super::picture::{Picture, Seen};
use fmicl_core::{BandSamples, Bands, Error, Image, Modality, Result, Samples};
use indicatif::{ProgressBar, ProgressStyle};
use sha2::{Digest, Sha256};
use std::borrow::Cow;
use std::io::IsTerminal;
use std::num::NonZero;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

/// What is kept of each sample, in their order; of images of so many `channels` as they are stored, or of RGB.
///
/// # Errors
/// [`Error::Run`] if a thread ends before its work does.
pub fn scan(samples: &dyn Samples, modality: Modality, channels: Option<usize>, split: &str) -> Result<Vec<Seen>> {
    let bar = bar(samples.len() as u64, split);
    let next = AtomicUsize::new(0);
    let work = || {
        let mut seen = Vec::new();
        loop {
            let index = next.fetch_add(1, Ordering::Relaxed);
            if index >= samples.len() {
                return seen;
            }
            seen.push((index, see(samples, modality, channels, index)));
            bar.inc(1);
        }
    };
    let all = thread::scope(|scope| {
        let threads = thread::available_parallelism().map_or(1, NonZero::get);
        let others: Vec<_> = (1..threads).map(|_| scope.spawn(work)).collect();
        let own = work();
        others.into_iter().try_fold(own, |mut all, other| {
            all.extend(other.join().ok()?);
            Some(all)
        })
    });
    bar.finish_and_clear();
    let mut all = all.ok_or_else(|| Error::Run("a thread that reads samples ended early".into()))?;
    all.sort_unstable_by_key(|(index, _)| *index);
    Ok(all.into_iter().map(|(_, seen)| seen).collect())
}

fn see(samples: &dyn Samples, modality: Modality, channels: Option<usize>, index: usize) -> Seen {
    match (modality, channels) {
        (Modality::Images, Some(channels)) => samples.bands(index, channels).map(|bands| of_bands(&bands)),
        (Modality::Images, None) => samples.image(index).map(|image| of_image(&image)),
        (Modality::Texts, _) => samples.texts(index).map(|texts| of_texts(&texts)),
    }
    .map_err(|error| error.to_string())
}

fn of_image(image: &Image) -> Picture {
    let size = [image.width, image.height].map(|side| side as u32);
    let mut hash = Sha256::new();
    hash.update(size[0].to_le_bytes());
    hash.update(&image.pixels);
    Picture {
        content: shortened(hash),
        look: look(image),
        size,
        is_plain: image
            .pixels
            .chunks_exact(3)
            .all(|pixel| pixel[0] == pixel[1] && pixel[1] == pixel[2]),
    }
}

fn of_bands(bands: &Bands) -> Picture {
    let size = [bands.width, bands.height].map(|side| side as u32);
    let mut hash = Sha256::new();
    hash.update(size[0].to_le_bytes());
    match &bands.samples {
        BandSamples::Bytes(bytes) => hash.update(bytes),
        BandSamples::Numbers(numbers, _) => numbers.iter().for_each(|number| hash.update(number.to_le_bytes())),
    }
    Picture {
        content: shortened(hash),
        look: look(&of_mean(bands)),
        size,
        is_plain: bands.channels == 1,
    }
}

/// The mean over the channels in gray, from its least value to its greatest.
fn of_mean(bands: &Bands) -> Image {
    let sum = |pixel: &[f32]| pixel.iter().sum::<f32>();
    let means: Vec<f32> = match &bands.samples {
        BandSamples::Bytes(bytes) => {
            let pixels = bytes.chunks_exact(bands.channels);
            pixels
                .map(|pixel| pixel.iter().map(|&byte| f32::from(byte)).sum())
                .collect()
        }
        BandSamples::Numbers(numbers, _) => numbers.chunks_exact(bands.channels).map(sum).collect(),
    };
    let finite = || means.iter().copied().filter(|mean| mean.is_finite());
    let (least, most) = (finite().fold(f32::MAX, f32::min), finite().fold(f32::MIN, f32::max));
    let width = (most - least).max(f32::MIN_POSITIVE);
    // What is no number becomes 0.
    let gray: Vec<u8> = means
        .iter()
        .map(|mean| ((mean - least) / width * 255.0) as u8)
        .collect();
    Image::from_gray(bands.width, bands.height, &gray)
}

fn of_texts(texts: &[Cow<str>]) -> Picture {
    let mut hash = Sha256::new();
    for text in texts {
        // What differs in white space at its ends alone is the same.
        hash.update(text.trim());
        hash.update([0]);
    }
    let characters: usize = texts.iter().map(|text| text.chars().count()).sum();
    Picture {
        content: shortened(hash),
        look: None,
        size: [characters, texts.len()].map(|count| count.try_into().unwrap_or(u32::MAX)),
        is_plain: texts.iter().any(|text| text.trim().is_empty()),
    }
}

fn shortened(hash: Sha256) -> [u8; 16] {
    let mut content = [0; 16];
    content.copy_from_slice(&hash.finalize()[..16]);
    content
}

/// A bar on a terminal, nothing elsewhere.
fn bar(len: u64, split: &str) -> ProgressBar {
    if !std::io::stderr().is_terminal() {
        return ProgressBar::hidden();
    }
    let style = ProgressStyle::with_template("{msg} {wide_bar} {human_pos} of {human_len}, {per_sec}, eta {eta}");
    let style = style.unwrap_or_else(|_| ProgressStyle::default_bar());
    ProgressBar::new(len).with_style(style).with_message(split.to_string())
}
