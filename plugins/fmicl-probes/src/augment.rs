//! Options of the augmentation of labelled samples.

use fmicl_core::{CropAndFlip, Result, require};

/// Checks the options `crop` and `flip`, which [`augmentation`] takes.
///
/// # Errors
/// A config error at the first that is out of range.
pub fn validate(crop: [f64; 2], flip: f64) -> Result<()> {
    let [least, greatest] = crop;
    require(0.0 < least && least <= greatest && greatest <= 1.0, "crop", || {
        format!("[{least}, {greatest}] is not a range within (0, 1], of parts of the image's area")
    })?;
    require((0.0..=1.0).contains(&flip), "flip", || {
        format!("{flip} is not a probability, from 0 to 1")
    })
}

/// Crop and flip, or the view in evaluation form.
pub fn augmentation(augment: bool, crop: [f64; 2], flip: f64) -> CropAndFlip {
    match augment {
        true => CropAndFlip { crop: Some(crop), flip },
        false => CropAndFlip { crop: None, flip: 0.0 },
    }
}

/// Checks a batch size.
///
/// # Errors
/// A config error at `batch_size` if it is below 2.
pub fn validate_batch_size(batch_size: usize) -> Result<()> {
    require(batch_size >= 2, "batch_size", || {
        format!("{batch_size} is not at least 2")
    })
}
