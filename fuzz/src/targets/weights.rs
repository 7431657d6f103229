//! Weights, as a checkpoint and `init` have them.

use crate::Target;
use crate::folder::Folder;
use fmicl_core::tch::{Device, Kind, Tensor};

/// A file of tensors is read, or refused in a line that names it.
pub(super) fn weights() -> Target {
    let folder = Folder::new(|folder| {
        let tensors = [
            ("conv1.weight", Tensor::ones([2, 3], (Kind::Float, Device::Cpu))),
            ("norm.num_batches_tracked", Tensor::from(3i64)),
            ("half", Tensor::ones([0, 2], (Kind::BFloat16, Device::Cpu))),
        ];
        let written = Tensor::write_safetensors(&tensors, folder.join("w.safetensors"));
        written.unwrap_or_else(|error| panic!("{error}"));
    });
    Target::new("weights", folder.seeds(), move |input| {
        folder.with(input, || {
            let path = folder.path().join("w.safetensors");
            match fmicl_core::weights::read(&path) {
                Ok(tensors) => {
                    for tensor in tensors.values() {
                        let elements: i64 = tensor.size().iter().product();
                        assert_eq!(elements as usize, tensor.numel());
                        let _ = tensor.shallow_clone();
                    }
                }
                Err(error) => {
                    let error = error.to_string();
                    assert!(error.contains("w.safetensors: ") && !error.contains('\n'), "{error}");
                }
            }
        });
    })
}
