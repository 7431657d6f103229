//! ResNet, He et al., "Deep Residual Learning for Image Recognition", CVPR 2016, arXiv 1512.03385.
//!
//! Names, initialisation and arithmetic are torchvision's (`torchvision.models.resnet`; the stride of a
//! bottleneck sits in its 3x3 convolution), so that weights load there with `strict=False` for the missing
//! `fc`. The CIFAR stem is SimCLR's, Chen et al., ICML 2020, arXiv 2002.05709, appendix B.9: a 3x3
//! convolution of stride 1 and no pooling.

mod block;

use crate::layers::{ConvNorm, ConvSize};
use block::{Block, Shape};
use fmicl_core::tch::{Tensor, nn};
use fmicl_core::{Backbone, Documented, Encoder, Error, Input, Result, View, register, require};
use serde::{Deserialize, Serialize};

/// A ResNet without its classifier.
#[derive(Debug, Documented, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ResNet {
    /// Depth: 18 or 34 (basic blocks), 50 or 101 (bottlenecks).
    pub depth: u32,
    /// First layers: `imagenet` (7x7 convolution, max pool) or `cifar` (3x3 convolution).
    pub stem: Stem,
    /// Channels of the stem and of the first stage's blocks, at least 1; 64 in the paper. Basic blocks give `8 width`
    /// features and bottlenecks `32 width`.
    pub width: i64,
    /// Initialises the last norm of every residual branch to zero, so that each block starts as the identity (Goyal et
    /// al., arXiv 1706.02677).
    pub zero_init_residual: bool,
}

/// First layers of a [`ResNet`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Stem {
    /// A 7x7 convolution of stride 2 and a 3x3 max pool of stride 2.
    ImageNet,
    /// A 3x3 convolution of stride 1, for images of about 32 pixels.
    Cifar,
}

impl Default for ResNet {
    fn default() -> Self {
        ResNet {
            depth: 18,
            stem: Stem::ImageNet,
            width: 64,
            zero_init_residual: false,
        }
    }
}

register!(
    Backbone,
    "resnet",
    ResNet,
    "ResNet-18, 34, 50 or 101, with torchvision's names and initialisation"
);

/// Depths, with the kind of block and the number of blocks in each of the four stages.
const PLANS: [(u32, Shape, [usize; 4]); 4] = [
    (18, Shape::Basic, [2, 2, 2, 2]),
    (34, Shape::Basic, [3, 4, 6, 3]),
    (50, Shape::Bottleneck, [3, 4, 6, 3]),
    (101, Shape::Bottleneck, [3, 4, 23, 3]),
];

/// The depth of a ResNet with such blocks in each of its stages, if it is one that is built here.
pub(crate) fn resnet_of(is_bottleneck: bool, blocks: [usize; 4]) -> Option<u32> {
    let is_it = |(_, shape, stages): &&(u32, Shape, [usize; 4])| {
        *stages == blocks && matches!(shape, Shape::Bottleneck) == is_bottleneck
    };
    PLANS.iter().find(is_it).map(|(depth, ..)| *depth)
}

impl ResNet {
    fn plan(&self) -> Result<(Shape, [usize; 4])> {
        let plan = PLANS.iter().find(|(depth, ..)| *depth == self.depth);
        plan.map(|&(_, shape, stages)| (shape, stages)).ok_or_else(|| {
            let depths: Vec<_> = PLANS.iter().map(|(depth, ..)| depth.to_string()).collect();
            Error::config(format!(
                "there is no ResNet-{}; depths: {}",
                self.depth,
                depths.join(", ")
            ))
            .at("depth")
        })
    }
}

impl Backbone for ResNet {
    fn validate(&self) -> Result<()> {
        self.plan()?;
        require((1..=4096).contains(&self.width), "width", || {
            format!("{} is not from 1 to 4096", self.width)
        })
    }

    /// For images in RGB.
    fn build(&self, path: &nn::Path) -> Result<Box<dyn Encoder>> {
        self.build_for(path, Input::Images { size: 224, channels: 3 })
    }

    fn build_for(&self, path: &nn::Path, input: Input) -> Result<Box<dyn Encoder>> {
        let Input::Images { channels, .. } = input else {
            return Err(Error::config(format!("`resnet` reads images, not {input}")));
        };
        let (shape, stages) = self.plan()?;
        let (kernel, stride) = match self.stem {
            Stem::ImageNet => (7, 2),
            Stem::Cifar => (3, 1),
        };
        let size = ConvSize {
            input: channels,
            output: self.width,
            kernel,
            stride,
        };
        let stem = ConvNorm::new(path / "conv1", path / "bn1", size, 1.0);
        let branch_scale = if self.zero_init_residual { 0.0 } else { 1.0 };
        let mut channels = self.width;
        let mut blocks = Vec::new();
        for (stage, &count) in stages.iter().enumerate() {
            let planes = self.width << stage;
            for index in 0..count {
                let stride = if stage > 0 && index == 0 { 2 } else { 1 };
                let path = path / format!("layer{}", stage + 1) / index;
                blocks.push(Block::new(&path, shape, channels, planes, stride, branch_scale));
                channels = planes * shape.expansion();
            }
        }
        Ok(Box::new(Net {
            stem,
            pool: self.stem == Stem::ImageNet,
            blocks,
            width: channels,
        }))
    }
}

#[derive(Debug)]
struct Net {
    stem: ConvNorm,
    pool: bool,
    blocks: Vec<Block>,
    width: i64,
}

impl Encoder for Net {
    fn forward(&self, view: &View, train: bool) -> Tensor {
        let mut x = self.stem.forward(&channels_last(&view.input), train).relu_();
        if self.pool {
            x = x.max_pool2d([3, 3], [2, 2], [1, 1], [1, 1], false);
        }
        for block in &self.blocks {
            x = block.forward(&x, train);
        }
        x.adaptive_avg_pool2d([1, 1]).flatten(1, -1)
    }

    fn width(&self) -> i64 {
        self.width
    }
}

/// The same `[N, C, H, W]`, laid out so that a pixel's channels are adjacent; the layers keep the layout.
/// Weights in [`fmicl_core::Parameters`] bring this layout along; for weights outside of it, the conversion saves a
/// ResNet-18 on one CPU core 7 to 9 % of a training step.
fn channels_last(images: &Tensor) -> Tensor {
    images.permute([0, 2, 3, 1]).contiguous().permute([0, 3, 1, 2])
}

#[cfg(test)]
mod tests;
