//! Vision transformer, Dosovitskiy et al., "An Image is Worth 16x16 Words", ICLR 2021, arXiv 2010.11929, as MoCo v3
//! trains it: Chen, Xie and He, "An Empirical Study of Training Self-Supervised Vision Transformers", ICCV 2021,
//! arXiv 2104.02057.
//!
//! Names and arithmetic are timm's (`vit_small_patch16_224` with `num_heads=12`; its default is 6, and the shapes of
//! the weights do not show it), so that weights load there with `strict=False` for the missing `head`. From MoCo v3 are
//! the fixed sine-cosine positions, the initialisation and the frozen random patch projection (section 4.3 there: with
//! a trained one, large batches are unstable). Features are the class token after the last norm.

mod block;
mod embedding;

use block::Block;
use embedding::Embedding;
use fmicl_core::tch::Tensor;
use fmicl_core::tch::nn::{self, Init, LayerNormConfig, LinearConfig, Module, Path};
use fmicl_core::{Backbone, Documented, Encoder, Error, Input, Result, View, register, require, toml};
use serde::{Deserialize, Serialize};

/// A vision transformer without its classifier.
#[derive(Debug, Documented, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Vit {
    /// Side of an image in pixels, a multiple of `patch`. Absent by default: that of the views.
    pub image_size: Option<i64>,
    /// Side of a patch in pixels. Absent by default: 4 for images of at most 32 pixels, 8 for at most 96, else 16.
    pub patch: Option<i64>,
    /// Width of a token, and number of features; a multiple of 4 and of `heads`, at most 8192.
    pub width: i64,
    /// Number of blocks, 1 to 256.
    pub depth: i64,
    /// Number of attention heads, at least 1.
    pub heads: i64,
    /// Keeps the patch projection at its random initialisation.
    pub freeze_patch_embed: bool,
}

impl Default for Vit {
    fn default() -> Self {
        Vit {
            image_size: None,
            patch: None,
            width: 384,
            depth: 12,
            heads: 12,
            freeze_patch_embed: true,
        }
    }
}

register!(
    Backbone,
    "vit",
    Vit,
    "ViT (S/16 by default), with timm's names and MoCo v3's initialisation"
);

/// Hidden units of a block's MLP, per unit of width.
const MLP_RATIO: i64 = 4;
/// Maximum of patches; a table of positions for more would exceed a machine's memory.
const MOST_PATCHES: i64 = 65_536;

/// Size of the image and of its patches.
#[derive(Debug, Clone, Copy)]
struct Grid {
    /// The side of a patch in pixels.
    patch: i64,
    /// Patches along a side of the image.
    side: i64,
}

impl Vit {
    /// Patches of an image of `size` pixels a side.
    fn grid(&self, size: i64) -> Result<Grid> {
        let patch = self.patch.unwrap_or(match size {
            ..=32 => 4,
            33..=96 => 8,
            _ => 16,
        });
        require(size % patch == 0, "patch", || {
            let divisors: Vec<_> = (1..=size).filter(|p| size % p == 0).map(|p| p.to_string()).collect();
            format!(
                "images of {size} pixels are not whole patches of {patch}; set backbone.patch to one of {}, or another views.size",
                divisors.join(", ")
            )
        })?;
        let side = size / patch;
        require(side * side <= MOST_PATCHES, "patch", || {
            format!(
                "{patch} cuts {size} pixels into {} patches, more than {MOST_PATCHES}",
                side * side
            )
        })?;
        Ok(Grid { patch, side })
    }
}

impl Backbone for Vit {
    fn validate(&self) -> Result<()> {
        for (key, value, most) in [("width", self.width, 8192), ("depth", self.depth, 256)] {
            require((1..=most).contains(&value), key, || {
                format!("{value} is not from 1 to {most}")
            })?;
        }
        require((1..=self.width).contains(&self.heads), "heads", || {
            format!("{} is not from 1 to the width, {}", self.heads, self.width)
        })?;
        require(self.width % self.heads == 0, "width", || {
            format!("{} is not a multiple of heads, {}", self.width, self.heads)
        })?;
        require(self.width % 4 == 0, "width", || {
            format!(
                "{} is not a multiple of 4: sine and cosine of row and column share it",
                self.width
            )
        })?;
        let patch = self.patch.unwrap_or(1);
        require(patch >= 1, "patch", || format!("{patch} is not at least 1"))?;
        let Some(size) = self.image_size else {
            return Ok(());
        };
        require((1..=4096).contains(&size), "image_size", || {
            format!("{size} is not from 1 to 4096 pixels")
        })?;
        self.grid(size).map(drop)
    }

    fn untold(&self) -> Result<toml::Table> {
        Ok(toml::Table::from_iter([("heads".to_string(), self.heads.into())]))
    }

    /// For images in RGB; without `image_size`, of 224 pixels.
    fn build(&self, path: &Path) -> Result<Box<dyn Encoder>> {
        let size = self.image_size.unwrap_or(224);
        self.build_for(path, Input::Images { size, channels: 3 })
    }

    fn build_for(&self, path: &Path, input: Input) -> Result<Box<dyn Encoder>> {
        let Input::Images { size, channels } = input else {
            return Err(Error::config(format!("`vit` reads images, not {input}")));
        };
        if let Some(image_size) = self.image_size.filter(|&image_size| image_size != size) {
            let message = format!("{image_size}, but views.size is {size}: leave image_size out, or set both alike");
            return Err(Error::config(message).at("image_size"));
        }
        let grid = self.grid(size)?;
        let embedding = Embedding::new(path, grid, channels, self.width, self.freeze_patch_embed);
        let blocks = (0..self.depth).map(|index| Block::new(&(path / "blocks" / index), self.width, self.heads));
        Ok(Box::new(Net {
            embedding,
            blocks: blocks.collect(),
            norm: norm(path / "norm", self.width),
            width: self.width,
        }))
    }
}

#[derive(Debug)]
struct Net {
    embedding: Embedding,
    blocks: Vec<Block>,
    norm: nn::LayerNorm,
    width: i64,
}

impl Encoder for Net {
    fn forward(&self, view: &View, _train: bool) -> Tensor {
        let mut x = self.embedding.forward(&view.input);
        for (index, block) in self.blocks.iter().enumerate() {
            let last = index + 1 == self.blocks.len();
            // Of the last block the class token alone is looked at: 7 % of a ViT-S less to compute.
            x = if last { block.first_token(&x) } else { block.forward(&x) };
        }
        self.norm.forward(&x).select(1, 0)
    }

    fn width(&self) -> i64 {
        self.width
    }

    fn is_transformer(&self) -> bool {
        true
    }
}

/// A layer norm over the last axis, with the eps of timm's vision transformers.
fn norm(path: Path, width: i64) -> nn::LayerNorm {
    let config = LayerNormConfig {
        eps: 1e-6,
        ..Default::default()
    };
    nn::layer_norm(path, vec![width], config)
}

/// A linear layer with `xavier_uniform_` weights, as if it were `stacked` layers of its input side by side, and a bias
/// of zero.
fn linear(path: Path, input: i64, output: i64, stacked: i64) -> nn::Linear {
    let config = LinearConfig {
        ws_init: xavier(input, output / stacked),
        bs_init: Some(Init::Const(0.0)),
        bias: true,
    };
    nn::linear(path, input, output, config)
}

/// Glorot and Bengio's uniform distribution.
fn xavier(input: i64, output: i64) -> Init {
    let bound = (6.0 / (input + output) as f64).sqrt();
    Init::Uniform { lo: -bound, up: bound }
}

#[cfg(test)]
mod tests;
