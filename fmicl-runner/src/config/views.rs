//! A stand-in for `fmicl_data::Views`.

use serde::{Deserialize, Serialize};

/// The random views of an image.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Views {
    /// Height and width of a view in pixels, at least 1.
    pub size: usize,
}

impl Default for Views {
    fn default() -> Self {
        Views { size: 32 }
    }
}

impl Views {
    /// Checks the ranges.
    ///
    /// # Errors
    /// A config error at the key.
    pub fn validate(&self) -> fmicl_core::Result<()> {
        super::at_least_one(self.size, "size")
    }
}
