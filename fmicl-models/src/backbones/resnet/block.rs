//! The two residual blocks of a ResNet.

use crate::layers::{ConvNorm, ConvSize};
use fmicl_core::tch::{Tensor, nn::Path};

/// Convolutions of a block.
#[derive(Debug, Clone, Copy)]
pub(super) enum Shape {
    /// Two of 3x3.
    Basic,
    /// 1x1, 3x3, and 1x1 to four times the channels.
    Bottleneck,
}

impl Shape {
    /// A block's output channels, per channel inside.
    pub(super) fn expansion(self) -> i64 {
        match self {
            Shape::Basic => 1,
            Shape::Bottleneck => 4,
        }
    }

    fn convs(self, input: i64, planes: i64, stride: i64) -> Vec<ConvSize> {
        let size = |input, output, kernel, stride| ConvSize {
            input,
            output,
            kernel,
            stride,
        };
        match self {
            Shape::Basic => vec![size(input, planes, 3, stride), size(planes, planes, 3, 1)],
            Shape::Bottleneck => {
                vec![
                    size(input, planes, 1, 1),
                    size(planes, planes, 3, stride),
                    size(planes, planes * 4, 1, 1),
                ]
            }
        }
    }
}

/// `relu(branch(x) + shortcut(x))`.
#[derive(Debug)]
pub(super) struct Block {
    branch: Vec<ConvNorm>,
    /// A 1x1 convolution where the shape changes, else the identity.
    downsample: Option<ConvNorm>,
}

impl Block {
    /// `input` channels to `planes * shape.expansion()`; `branch_scale` is the initial weight of the branch's last
    /// norm.
    pub(super) fn new(path: &Path, shape: Shape, input: i64, planes: i64, stride: i64, branch_scale: f64) -> Self {
        let sizes = shape.convs(input, planes, stride);
        let last = sizes.len();
        let branch = (1..).zip(sizes).map(|(index, size)| {
            let scale = if index == last { branch_scale } else { 1.0 };
            ConvNorm::new(path / format!("conv{index}"), path / format!("bn{index}"), size, scale)
        });
        let branch = branch.collect();
        let output = planes * shape.expansion();
        let downsample = (stride != 1 || input != output).then(|| {
            let path = path / "downsample";
            ConvNorm::new(
                &path / 0,
                &path / 1,
                ConvSize {
                    input,
                    output,
                    kernel: 1,
                    stride,
                },
                1.0,
            )
        });
        Block { branch, downsample }
    }

    pub(super) fn forward(&self, x: &Tensor, train: bool) -> Tensor {
        let mut out = x.shallow_clone();
        for (index, layer) in self.branch.iter().enumerate() {
            // In place: a norm's backward needs its input, not its output.
            let input = if index == 0 { out } else { out.relu_() };
            out = layer.forward(&input, train);
        }
        let shortcut = self
            .downsample
            .as_ref()
            .map_or_else(|| x.shallow_clone(), |layer| layer.forward(x, train));
        out.g_add_(&shortcut).relu_()
    }
}
