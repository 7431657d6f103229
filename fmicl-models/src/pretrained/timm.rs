//! Weights of a vision transformer by timm's names: timm's own, MoCo v3's, DINO's.

use super::weights::Weights;
use fmicl_core::toml::{Table, Value};
use fmicl_core::{Pretrained, PretrainedParts, Result, register};
use serde::{Deserialize, Serialize};
use std::path::Path;

/// A file of a ViT's weights, or a folder with `model.safetensors`. Width, depth, patch and image size are told by the shapes. They do
/// not tell the heads: of MoCo v3's checkpoints, by their prefix `base_encoder.`, it is 12 heads, of widths 1280 (ViT-H), 1408 and 1664
/// it is 16, of all others one head for 64 numbers of the width, as of timm's. Normalisation is ImageNet's, or as timm's `config.json` says.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Timm {}

register!(
    Pretrained,
    "timm",
    Timm,
    "a file of a ViT's weights (.safetensors) by timm's names, also below MoCo v3's and others' prefixes"
);

/// The numbers of a head in timm's models, and the heads of MoCo v3's ViT-S and ViT-B.
const HEAD: i64 = 64;
/// The widths of ViT-H, g and G, which have 16 heads.
const HUGE: [i64; 3] = [1280, 1408, 1664];
const MOCO_V3: (&str, i64) = ("base_encoder.", 12);

impl Pretrained for Timm {
    fn parts(&self, path: &Path) -> Result<Option<PretrainedParts>> {
        let Some(weights) = Weights::read(path, "patch_embed.proj.weight")? else {
            return Ok(None);
        };
        let (Some(&[width, _, patch, _]), Some(&[_, places, _])) =
            (weights.shape("patch_embed.proj.weight"), weights.shape("pos_embed"))
        else {
            return Err(
                weights.unknown("looks like a ViT's, but its patch_embed.proj.weight or pos_embed is not as timm's")
            );
        };
        // One is the class token's.
        let side = ((places - 1).max(0) as f64).sqrt() as i64;
        if side * side != places - 1 {
            let message = format!("has {places} positions, which are not a square of patches and one class token");
            return Err(weights.unknown(&message));
        }
        let depth = weights.count(|block| format!("blocks.{block}.attn.qkv.weight")) as i64;
        let heads = match weights.prefix.ends_with(MOCO_V3.0) {
            true => MOCO_V3.1,
            false if HUGE.contains(&width) => 16,
            false => (width / HEAD).max(1),
        };
        let size = side * patch;
        let backbone = Table::from_iter([
            ("name".to_string(), Value::from("vit")),
            ("image_size".to_string(), size.into()),
            ("patch".to_string(), patch.into()),
            ("width".to_string(), width.into()),
            ("depth".to_string(), depth.into()),
            ("heads".to_string(), heads.into()),
        ]);
        let views = weights.photos(size);
        let init = Some(weights.path);
        Ok(Some(PretrainedParts { views, backbone, init }))
    }
}
