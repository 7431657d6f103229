//! View: one augmented version of a batch, the input of an encoder.

use tch::{Device, Tensor};

/// One augmented view of a batch of `N` samples.
#[derive(Debug)]
pub struct View {
    /// Images `[N, 3, H, W]`, normalised floats; or the input of another modality's backbone, such as token ids `[N,
    /// L]`.
    pub input: Tensor,
    /// Mask of the valid positions of `input`, for modalities of varying length, such as `[N, L]`.
    pub mask: Option<Tensor>,
}

impl View {
    /// The same view on `device`.
    #[must_use]
    pub fn to_device(&self, device: Device) -> View {
        View {
            input: self.input.to_device(device),
            mask: self.mask.as_ref().map(|mask| mask.to_device(device)),
        }
    }
}

impl From<Tensor> for View {
    fn from(input: Tensor) -> Self {
        View { input, mask: None }
    }
}
