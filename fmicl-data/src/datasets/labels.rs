//! Whether a dataset's labels are read, as an option.

use serde::{Deserialize, Serialize};

/// Whether labels are read.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ReadLabels {
    /// As the files have them.
    #[default]
    Given,
    /// Not: nothing is judged by them.
    None,
}

impl ReadLabels {
    /// Returns true if they are read.
    pub fn are_read(self) -> bool {
        self == ReadLabels::Given
    }
}
