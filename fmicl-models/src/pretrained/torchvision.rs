//! Weights of a ResNet by torchvision's names: torchvision's and timm's own, MoCo's, SimSiam's, solo-learn's.

use super::weights::Weights;
use crate::backbones::resnet_of;
use fmicl_core::toml::{Table, Value};
use fmicl_core::{Pretrained, PretrainedParts, Result, register};
use serde::{Deserialize, Serialize};
use std::path::Path;

/// A file of a ResNet's weights, or a folder with `model.safetensors`. Depth, width and stem are told by the shapes. Photos are taken
/// at 224 pixels in ImageNet's normalisation, or as timm's `config.json` says; with the stem of CIFAR, images of 32 pixels in
/// CIFAR-10's.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Torchvision {}

register!(
    Pretrained,
    "torchvision",
    Torchvision,
    "a file of a ResNet's weights (.safetensors) by torchvision's names, also below MoCo's and others' prefixes"
);

impl Pretrained for Torchvision {
    fn parts(&self, path: &Path) -> Result<Option<PretrainedParts>> {
        let Some(weights) = Weights::read(path, "layer1.0.conv1.weight")? else {
            return Ok(None);
        };
        let Some(&[width, _, kernel, _]) = weights.shape("conv1.weight") else {
            return Err(weights.unknown("looks like a ResNet's, but has no conv1.weight of four dimensions"));
        };
        let blocks = [1, 2, 3, 4].map(|stage| weights.count(|block| format!("layer{stage}.{block}.conv1.weight")));
        let is_bottleneck = weights.shape("layer1.0.conv3.weight").is_some();
        let Some(depth) = resnet_of(is_bottleneck, blocks) else {
            let kind = if is_bottleneck { "bottlenecks" } else { "basic blocks" };
            let message = format!("is of a ResNet with {blocks:?} {kind}; ResNet-18, 34, 50 and 101 are read");
            return Err(weights.unknown(&message));
        };
        let stem = if kernel == 3 { "cifar" } else { "imagenet" };
        let backbone = Table::from_iter([
            ("name".to_string(), Value::from("resnet")),
            ("depth".to_string(), i64::from(depth).into()),
            ("stem".to_string(), stem.into()),
            ("width".to_string(), width.into()),
        ]);
        let views = match stem {
            "cifar" => Table::from_iter([("name".to_string(), "image".into()), ("size".to_string(), 32.into())]),
            _ => weights.photos(224),
        };
        let init = Some(weights.path);
        Ok(Some(PretrainedParts { views, backbone, init }))
    }
}
