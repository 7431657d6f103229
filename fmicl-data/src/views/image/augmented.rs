//! Views with crop and flip alone, for training with labels.

use super::ImageViews;
use fmicl_core::toml::{Table, Value};
use fmicl_core::{CropAndFlip, Result, Views};
use std::sync::OnceLock;

impl ImageViews {
    /// Views of this size and normalisation, with this augmentation and no other.
    pub(super) fn with_labels(&self, augmentation: &CropAndFlip) -> Result<Self> {
        let crop = match augmentation.crop {
            Some(scale) => Table::from_iter([("scale".to_string(), scale.to_vec().into())]).into(),
            None => Value::Boolean(false),
        };
        let off = |key| (key, Value::Boolean(false));
        let transforms = [
            ("crop", crop),
            ("flip", augmentation.flip.into()),
            off("jitter"),
            off("grayscale"),
            off("blur"),
        ];
        let views = ImageViews {
            size: self.size,
            channels: self.channels,
            range: self.range.clone(),
            eval_resize: self.eval_resize,
            normalize: self.normalize.clone(),
            order: None,
            each: Vec::new(),
            transforms: transforms
                .map(|(key, value)| (key.to_string(), value))
                .into_iter()
                .collect(),
            recipes: OnceLock::new(),
        };
        views.validate()?;
        Ok(views)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::datasets::Digits;
    use fmicl_core::tch::Tensor;
    use fmicl_core::{Dataset, Draw, Split, Stop};

    /// Views of four digits, under a recipe of which nothing but the size and the normalisation may stay.
    fn drawn(augmentation: CropAndFlip) -> (Tensor, Tensor) {
        let own = "size = 8\neval_resize = 12\njitter = 1.0\nblur = 1.0\nnormalize = { mean = [0.1, 0.2, 0.3] }\n[[each]]\n[[each]]";
        let own = ImageViews::new(own.parse().unwrap()).unwrap();
        let views = own.cropped_and_flipped(&augmentation).unwrap();
        let samples = Digits {}.open(Split::Train).unwrap();
        let indices = [0, 1, 2, 3];
        let draw = Draw {
            indices: &indices,
            views: 1,
            seed: 1,
            epoch: 0,
        };
        let random = views
            .random(&*samples, &draw, &Stop::default())
            .unwrap()
            .remove(0)
            .input;
        let plain = own.evaluation(&*samples, &indices, &Stop::default()).unwrap().input;
        (random, plain)
    }

    #[test]
    fn nothing_but_crop_and_flip_is_drawn() {
        let (as_is, plain) = drawn(CropAndFlip { crop: None, flip: 0.0 });
        assert_eq!(as_is, plain);
        let (mirrored, plain) = drawn(CropAndFlip { crop: None, flip: 1.0 });
        assert_eq!(mirrored, plain.flip([3]));
        let crop = Some([0.1, 0.5]);
        let (cropped, plain) = drawn(CropAndFlip { crop, flip: 0.0 });
        assert_ne!(cropped, plain);
    }

    #[test]
    fn a_range_that_is_none_is_refused_at_its_key() {
        let augmentation = CropAndFlip {
            crop: Some([0.5, 0.2]),
            flip: 0.5,
        };
        let error = ImageViews::default().cropped_and_flipped(&augmentation).map(drop);
        assert_eq!(
            error.unwrap_err().to_string(),
            "crop.scale: [0.5, 0.2] is not a range within (0, 1]"
        );
    }
}
