//! Modality of samples and views.

use std::fmt;

/// Modality of a dataset's samples, of the views and of a backbone's inputs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Modality {
    /// Images: [`crate::Samples::image`].
    Images,
    /// Texts: [`crate::Samples::texts`].
    Texts,
}

impl fmt::Display for Modality {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Modality::Images => "images",
            Modality::Texts => "texts",
        })
    }
}

/// Shape of the views, as far as a backbone's parameters depend on it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Input {
    /// Images `[N, channels, size, size]`.
    Images {
        /// The side in pixels.
        size: i64,
        /// 3 of RGB, 1 of gray; others as the files store them.
        channels: i64,
    },
    /// Token ids `[N, L]` with a mask `[N, L]`.
    Tokens {
        /// Size of the vocabulary; ids are below it.
        vocabulary: i64,
        /// Maximum length `L`.
        longest: i64,
    },
}

impl Input {
    /// Modality of the views.
    pub fn modality(self) -> Modality {
        match self {
            Input::Images { .. } => Modality::Images,
            Input::Tokens { .. } => Modality::Texts,
        }
    }
}

impl fmt::Display for Input {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Input::Images { size, .. } => write!(f, "views of {size} pixels"),
            Input::Tokens { longest, .. } => write!(f, "views of up to {longest} tokens"),
        }
    }
}
