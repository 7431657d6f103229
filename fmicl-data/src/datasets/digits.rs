//! `digits`: 1,797 handwritten digits of 8 x 8 pixels, embedded, so that everything can be tried without a download.
//!
//! Source: Alpaydin and Kaynak, "Optical Recognition of Handwritten Digits", UCI, 1998 (CC BY 4.0); see
//! `assets/README.md`.

use super::memory::{Layout, Memory};
use flate2::read::GzDecoder;
use fmicl_core::{Dataset, Error, Result, Samples, Source, Split, register};
use serde::{Deserialize, Serialize};
use std::io::Read;

/// The embedded digits; they have no options. The last 360 of the 1,797 are the test split, the first
/// 1,437 the training split. Gray from 0 to 16 becomes 0 to 255.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Digits {}

register!(
    Dataset,
    "digits",
    Digits,
    "1,797 handwritten digits of 8x8 pixels, embedded (UCI, CC BY 4.0)"
);

const TEST: usize = 360;

impl Dataset for Digits {
    fn source(&self) -> Source {
        Source {
            page: "https://doi.org/10.24432/C50P49".into(),
            terms: "CC BY 4.0".into(),
            by_hand: "it is embedded".into(),
            ..Source::default()
        }
    }

    fn open(&self, split: Split) -> Result<Box<dyn Samples>> {
        let mut text = String::new();
        let embedded = include_bytes!("../../assets/digits.csv.gz");
        GzDecoder::new(embedded.as_slice())
            .read_to_string(&mut text)
            .map_err(|e| Error::io("digits.csv.gz", e))?;
        let mut rows: Vec<&str> = text.lines().collect();
        let test = rows.split_off(rows.len().saturating_sub(TEST));
        let rows = if split == Split::Test { test } else { rows };
        let mut samples = Memory {
            width: 8,
            height: 8,
            layout: Layout::Gray,
            pixels: vec![],
            labels: vec![],
            classes: 10,
            class_names: (0..10).map(|digit| digit.to_string()).collect(),
        };
        for row in rows {
            let values: Option<Vec<u16>> = row.split(',').map(|value| value.parse().ok()).collect();
            match values.as_deref() {
                Some([pixels @ .., label]) if pixels.len() == 64 && pixels.iter().all(|&p| p <= 16) && *label < 10 => {
                    // Rounded: 16 becomes 255, 8 becomes 128.
                    samples
                        .pixels
                        .extend(pixels.iter().map(|&value| ((value * 255 + 8) / 16) as u8));
                    samples.labels.push(*label as u8);
                }
                _ => {
                    return Err(Error::data(
                        "digits.csv.gz",
                        format!("not 64 values up to 16 and a digit: `{row}`"),
                    ));
                }
            }
        }
        Ok(Box::new(samples))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn splits_are_disjoint_and_labelled() {
        for (split, count) in [(Split::Pretrain, 1437), (Split::Train, 1437), (Split::Test, 360)] {
            let samples = Digits {}.open(split).unwrap();
            fmicl_core::testing::check_dataset(&*samples);
            assert_eq!((samples.len(), samples.classes()), (count, 10));
            let mut seen = [0; 10];
            (0..count).for_each(|index| seen[samples.label(index)] += 1);
            assert!(seen.iter().all(|&seen| seen > count / 15), "{seen:?}");
        }
        // The first and the last line of the file.
        let (train, test) = (
            Digits {}.open(Split::Train).unwrap(),
            Digits {}.open(Split::Test).unwrap(),
        );
        assert_eq!((train.label(0), test.label(359)), (0, 8));
        assert_eq!(
            train.image(0).unwrap().pixels[6..15],
            [80, 80, 80, 207, 207, 207, 143, 143, 143]
        );
    }
}
