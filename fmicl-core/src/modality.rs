//! What samples are made of.

use std::fmt;

/// What a dataset's samples are made of, views are made from, and a backbone reads.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Modality {
    /// [`crate::Samples::image`].
    Images,
    /// [`crate::Samples::texts`].
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

/// What views are, as far as the parameters of a backbone depend on it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Input {
    /// Images `[N, 3, size, size]`.
    Images {
        /// The side in pixels.
        size: i64,
    },
    /// Token ids `[N, L]` with a mask `[N, L]`.
    Tokens {
        /// Ids are below it.
        vocabulary: i64,
        /// The largest `L`.
        longest: i64,
    },
}

impl Input {
    /// What the views are made from.
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
            Input::Images { size } => write!(f, "views of {size} pixels"),
            Input::Tokens { longest, .. } => write!(f, "views of up to {longest} tokens"),
        }
    }
}
