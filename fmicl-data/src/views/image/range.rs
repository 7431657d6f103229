//! From samples of any kind to bytes.

use fmicl_core::{Result, require};
use serde::{Deserialize, Serialize, Serializer};

/// The values that become 0 and 255: of all channels, or of each. What is between them becomes the nearest byte on the line, and
/// what is beyond them the nearer of the two.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(from = "Written")]
pub(super) struct Range(Vec<[f64; 2]>);

/// As it stands in a file.
#[derive(Deserialize, Serialize)]
#[serde(untagged, expecting = "expected [low, high], or such a pair for each channel")]
enum Written {
    All([f64; 2]),
    Each(Vec<[f64; 2]>),
}

impl From<Written> for Range {
    fn from(written: Written) -> Self {
        Range(match written {
            Written::All(pair) => vec![pair],
            Written::Each(pairs) => pairs,
        })
    }
}

impl Serialize for Range {
    fn serialize<S: Serializer>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error> {
        match self.0[..] {
            [pair] => Written::All(pair),
            _ => Written::Each(self.0.clone()),
        }
        .serialize(serializer)
    }
}

impl Range {
    /// Checks that there is a pair for all channels or for each, and that each pair is a range.
    ///
    /// # Errors
    /// [`fmicl_core::Error::Config`] at the value itself.
    pub fn validate(&self, channels: usize) -> Result<()> {
        let count = self.0.len();
        require(count == 1 || count == channels, "", || {
            format!("{count} ranges for {channels} channel(s): one for all, or one for each")
        })?;
        let wrong = self
            .0
            .iter()
            .find(|[low, high]| !(low < high && (high - low).is_finite()));
        match wrong {
            Some(pair) => require(false, "", || format!("{pair:?} is no range from low to high")),
            None => Ok(()),
        }
    }

    /// The byte of a value of a channel; none of what is no number.
    pub fn byte(&self, channel: usize, value: f32) -> Option<u8> {
        let [low, high] = if self.0.len() == 1 { self.0[0] } else { self.0[channel] };
        // Halves to even, as numpy's `rint`.
        let scaled = ((f64::from(value) - low) / (high - low) * 255.0)
            .clamp(0.0, 255.0)
            .round_ties_even();
        (!value.is_nan()).then_some(scaled as u8)
    }

    /// In words.
    pub fn describe(&self) -> String {
        match self.0[..] {
            [[low, high]] => format!("values from {low} to {high}"),
            _ => "values from a range of each channel".into(),
        }
    }
}
