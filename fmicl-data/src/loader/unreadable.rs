//! Samples that cannot be read among others that can.

use fmicl_core::{Error, Result};
use serde::{Deserialize, Serialize};

/// Handling of a sample that cannot be read.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum OnError {
    /// It is an error.
    #[default]
    Fail,
    /// It is left out.
    Skip,
}

/// A sample that was left out.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Unreadable {
    /// Its index.
    pub sample: usize,
    /// Why, with the path.
    pub error: String,
}

/// What was made of the samples that can be read.
pub(crate) struct Read<T> {
    /// Those samples.
    pub indices: Vec<usize>,
    /// Nothing where there are fewer than were wanted.
    pub made: Option<T>,
    /// The others.
    pub unreadable: Vec<Unreadable>,
}

impl OnError {
    /// What `make` makes of the samples at `indices`, at least `least` of them. Each is tried alone only where they fail
    /// together.
    ///
    /// # Errors
    /// That of `make`, where nothing may be left out or it is not a sample's.
    pub(crate) fn read<T>(
        self,
        indices: Vec<usize>,
        least: usize,
        make: impl Fn(&[usize]) -> Result<T>,
    ) -> Result<Read<T>> {
        let is_a_samples = |error: &Error| matches!(error, Error::Data { .. } | Error::Io { .. });
        let mut unreadable = Vec::new();
        match make(&indices) {
            Err(error) if self == OnError::Skip && is_a_samples(&error) => {}
            made => {
                let made = Some(made?);
                return Ok(Read {
                    indices,
                    made,
                    unreadable,
                });
            }
        }
        let mut left = Vec::new();
        for sample in indices {
            match make(&[sample]) {
                Ok(_) => left.push(sample),
                Err(error) if is_a_samples(&error) => unreadable.push(Unreadable {
                    sample,
                    error: error.to_string(),
                }),
                Err(error) => return Err(error),
            }
        }
        let made = (left.len() >= least).then(|| make(&left)).transpose()?;
        Ok(Read {
            indices: left,
            made,
            unreadable,
        })
    }
}
