//! Sizes: in words, and what the disk has left.

use fmicl_core::{Error, Result, disk};
use std::fmt;
use std::path::Path;

/// A number of bytes in decimal units, as in `170.1 MB`.
#[derive(Debug, Clone, Copy)]
pub struct Bytes(pub u64);

impl fmt::Display for Bytes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let bytes = self.0 as f64;
        match self.0 {
            0..1_000 => write!(f, "{} bytes", self.0),
            1_000..1_000_000 => write!(f, "{:.1} kB", bytes / 1e3),
            1_000_000..1_000_000_000 => write!(f, "{:.1} MB", bytes / 1e6),
            _ => write!(f, "{:.1} GB", bytes / 1e9),
        }
    }
}

/// Checks that the disk of `folder` has `bytes` to spare.
pub(crate) fn check_space(folder: &Path, bytes: u64) -> Result<()> {
    let free = disk::free_space(folder)?;
    if bytes <= free {
        return Ok(());
    }
    let message = format!("{} are needed and the disk has {} left", Bytes(bytes), Bytes(free));
    Err(Error::data(folder, message))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_in_decimal_units() {
        let words = [999, 29_515, 170_052_171, 2_640_397_119].map(|bytes| Bytes(bytes).to_string());
        assert_eq!(words, ["999 bytes", "29.5 kB", "170.1 MB", "2.6 GB"]);
    }

    #[test]
    fn a_disk_that_is_too_small_is_refused_beforehand() {
        let folder = tempfile::tempdir().unwrap();
        check_space(folder.path(), 1).unwrap();
        let error = check_space(folder.path(), u64::MAX).unwrap_err().to_string();
        assert!(error.contains("GB are needed and the disk has "), "{error}");
    }
}
