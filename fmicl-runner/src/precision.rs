//! The numbers that networks compute in while they are trained.
//!
//! `bf16` is mixed precision, libtorch's autocast: convolutions and matrix products of the forward pass, and so of the
//! backward pass, in bfloat16; weights, gradients, optimizer, running statistics, features of unit length and loss in f32.
//! bfloat16 reaches as far as f32, so losses need no scaling. `tf32`, on a GPU, is f32 whose convolutions and matrix products
//! round their factors to 10 bits of fraction; those of the objective do not. Evaluation stays in f32 with either.
//!
//! Source: Micikevicius et al., "Mixed Precision Training", ICLR 2018, arXiv 1710.03740; Kalamkar et al., "A Study of
//! BFLOAT16 for Deep Learning Training", arXiv 1905.12322.

use fmicl_core::tch::{Device, Kind, Tensor};
use fmicl_core::{Autocast, Error, Learner, Negatives, Pairing, Result, View, allow_tf32};
use serde::{Deserialize, Serialize};

/// Precision that the user asked for.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Precision {
    /// Single precision throughout.
    #[default]
    F32,
    /// Single precision, but for the factors of a GPU's products.
    Tf32,
    /// Mixed with bfloat16.
    Bf16,
}

impl Precision {
    /// The device, which can compute so; from here on its products of f32 do, but where there is a [`WithoutTf32`].
    ///
    /// [`WithoutTf32`]: fmicl_core::WithoutTf32
    ///
    /// # Errors
    /// [`Error::Config`] at `train.precision` where it cannot.
    pub fn on(self, device: Device) -> Result<Device> {
        if device.is_cuda() {
            allow_tf32(self == Precision::Tf32);
        }
        match self {
            Precision::F32 => return Ok(device),
            Precision::Tf32 if device.is_cuda() => return Ok(device),
            Precision::Tf32 => {
                let what = format!("{device:?} has no TF32: use \"f32\" or \"bf16\"");
                return Err(Error::config(what).at("train.precision"));
            }
            Precision::Bf16 => {}
        }
        let image = Tensor::ones([1, 8, 4, 4], (Kind::BFloat16, device));
        let kernel = Tensor::ones([8, 8, 3, 3], (Kind::BFloat16, device));
        let nothing = None::<Tensor>;
        let tried = image
            .f_conv2d(&kernel, nothing, [1, 1], [1, 1], [1, 1], 1)
            .and_then(|image| {
                image
                    .f_flatten(1, -1)?
                    .f_matmul(&kernel.f_reshape([-1, 1])?.f_narrow(0, 0, 128)?)
            });
        tried.map(|_| device).map_err(|error| {
            let why = error.to_string();
            let why = why.lines().next().unwrap_or_default();
            Error::config(format!("{device:?} cannot compute in bf16 ({why}): use \"f32\"")).at("train.precision")
        })
    }

    /// The pairings of a batch, computed so; they are in f32 all the same, and so is what they leave behind.
    pub fn pairings(self, learner: &mut dyn Learner, views: &[View]) -> Vec<Pairing> {
        match (self, views.first()) {
            (Precision::F32 | Precision::Tf32, _) | (_, None) => learner.pairings(views),
            (Precision::Bf16, Some(view)) => {
                let pairings = {
                    let _autocast = Autocast::bfloat16(view.input.device());
                    learner.pairings(views)
                };
                pairings.into_iter().map(single).collect()
            }
        }
    }
}

/// The pairing in f32.
fn single(pairing: Pairing) -> Pairing {
    let single = |rows: Tensor| rows.to_kind(Kind::Float);
    Pairing {
        anchors: single(pairing.anchors),
        positives: single(pairing.positives),
        negatives: match pairing.negatives {
            Negatives::Candidates(rows) => Negatives::Candidates(single(rows)),
            Negatives::Bank(rows) => Negatives::Bank(single(rows)),
            others => others,
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_processor_computes_in_either() {
        for precision in [Precision::F32, Precision::Bf16] {
            precision.on(Device::Cpu).expect("it does");
        }
        let error = Precision::Tf32.on(Device::Cpu).expect_err("it has none").to_string();
        assert_eq!(error, "train.precision: Cpu has no TF32: use \"f32\" or \"bf16\"");
    }
}
