//! The numbers that networks compute in while they are trained.
//!
//! `bf16` is mixed precision, libtorch's autocast: convolutions and matrix products of the forward pass, and so of the
//! backward pass, in bfloat16; weights, gradients, optimizer, running statistics, features of unit length and loss in f32.
//! bfloat16 reaches as far as f32, so losses need no scaling. Evaluation stays in f32.
//!
//! Source: Micikevicius et al., "Mixed Precision Training", ICLR 2018, arXiv 1710.03740; Kalamkar et al., "A Study of
//! BFLOAT16 for Deep Learning Training", arXiv 1905.12322.

use fmicl_core::tch::{Device, Kind, Tensor};
use fmicl_core::{Error, Learner, Negatives, Pairing, Result, View};
use serde::{Deserialize, Serialize};
use std::ffi::c_int;

/// What a user asked for.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Precision {
    /// Single precision throughout.
    #[default]
    F32,
    /// Mixed with bfloat16.
    Bf16,
}

impl Precision {
    /// The device, which can compute so.
    ///
    /// # Errors
    /// [`Error::Config`] at `train.precision` where it cannot.
    pub fn on(self, device: Device) -> Result<Device> {
        if self == Precision::F32 {
            return Ok(device);
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
            (Precision::F32, _) | (_, None) => learner.pairings(views),
            (Precision::Bf16, Some(view)) => {
                let pairings = {
                    let _autocast = Autocast::new(view.input.device());
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

/// libtorch's autocast to bfloat16 on this thread, until it is dropped.
struct Autocast {
    device: i8,
    /// What there was before.
    enabled: bool,
    kind: i8,
}

/// `c10::ScalarType::BFloat16`.
const BFLOAT16: i8 = 15;

impl Autocast {
    fn new(device: Device) -> Self {
        // `c10::DeviceType`.
        let device = if device == Device::Cpu { 0 } else { 1 };
        // SAFETY: these read and set variables of the thread; both device types have an autocast.
        unsafe {
            let before = Autocast {
                device,
                enabled: is_autocast_enabled(device),
                kind: get_autocast_dtype(device),
            };
            set_autocast_dtype(device, BFLOAT16);
            set_autocast_enabled(device, true);
            increment_nesting();
            before
        }
    }
}

impl Drop for Autocast {
    fn drop(&mut self) {
        // SAFETY: as above. The outermost one forgets the weights that were cast, since a step will change them.
        unsafe {
            if decrement_nesting() == 0 {
                clear_cache();
            }
            set_autocast_enabled(self.device, self.enabled);
            set_autocast_dtype(self.device, self.kind);
        }
    }
}

// `ATen/autocast_mode.h`, by the names that C++ gives them: tch's `autocast` is for float16 on CUDA alone.
unsafe extern "C" {
    #[link_name = "_ZN2at8autocast19is_autocast_enabledEN3c1010DeviceTypeE"]
    fn is_autocast_enabled(device: i8) -> bool;
    #[link_name = "_ZN2at8autocast20set_autocast_enabledEN3c1010DeviceTypeEb"]
    fn set_autocast_enabled(device: i8, enabled: bool);
    #[link_name = "_ZN2at8autocast18get_autocast_dtypeEN3c1010DeviceTypeE"]
    fn get_autocast_dtype(device: i8) -> i8;
    #[link_name = "_ZN2at8autocast18set_autocast_dtypeEN3c1010DeviceTypeENS1_10ScalarTypeE"]
    fn set_autocast_dtype(device: i8, kind: i8);
    #[link_name = "_ZN2at8autocast17increment_nestingEv"]
    fn increment_nesting() -> c_int;
    #[link_name = "_ZN2at8autocast17decrement_nestingEv"]
    fn decrement_nesting() -> c_int;
    #[link_name = "_ZN2at8autocast11clear_cacheEv"]
    fn clear_cache();
}

#[cfg(test)]
mod tests {
    use super::*;

    fn product() -> Kind {
        let ones = Tensor::ones([2, 2], (Kind::Float, Device::Cpu));
        ones.matmul(&ones).kind()
    }

    #[test]
    fn products_are_in_bf16_until_the_guard_goes() {
        assert_eq!(product(), Kind::Float);
        let outer = Autocast::new(Device::Cpu);
        let inner = Autocast::new(Device::Cpu);
        assert_eq!(product(), Kind::BFloat16);
        drop(inner);
        assert_eq!(product(), Kind::BFloat16);
        drop(outer);
        assert_eq!(product(), Kind::Float);
    }

    #[test]
    fn a_panic_leaves_nothing_behind() {
        let panicked = std::panic::catch_unwind(|| {
            let _autocast = Autocast::new(Device::Cpu);
            let _ = Tensor::ones([2, 2], (Kind::Float, Device::Cpu))
                .matmul(&Tensor::ones([3, 3], (Kind::Float, Device::Cpu)));
        });
        assert!(panicked.is_err());
        assert_eq!(product(), Kind::Float);
    }

    #[test]
    fn this_processor_computes_in_either() {
        for precision in [Precision::F32, Precision::Bf16] {
            precision.on(Device::Cpu).expect("it does");
        }
    }
}
