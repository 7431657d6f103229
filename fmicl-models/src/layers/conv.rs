//! Convolutions with torchvision's initialisation, where tch's own differs from it.

use super::BatchNorm;
use fmicl_core::tch::Tensor;
use fmicl_core::tch::nn::init::{FanInOut, NonLinearity, NormalOrUniform};
use fmicl_core::tch::nn::{self, ConvConfig, Init, Module, Path};

/// torchvision's `kaiming_normal_(mode="fan_out", nonlinearity="relu")`.
const KAIMING_FAN_OUT: Init = Init::Kaiming {
    dist: NormalOrUniform::Normal,
    fan: FanInOut::FanOut,
    non_linearity: NonLinearity::ReLU,
};

/// The sizes of a convolution; the padding is half the kernel, so that stride 1 keeps height and width.
#[derive(Debug, Clone, Copy)]
pub struct ConvSize {
    /// Channels of the input.
    pub input: i64,
    /// Channels of the output.
    pub output: i64,
    /// Height and width of the kernel, odd.
    pub kernel: i64,
    /// Stride.
    pub stride: i64,
}

/// A convolution without bias, and the batch norm that follows it.
#[derive(Debug)]
pub struct ConvNorm {
    conv: nn::Conv2D,
    norm: BatchNorm,
}

impl ConvNorm {
    /// Parameters under the two paths; `scale` is what the norm's weight starts with.
    pub fn new(conv: Path, norm: Path, size: ConvSize, scale: f64) -> Self {
        let config = ConvConfig {
            stride: size.stride,
            padding: size.kernel / 2,
            bias: false,
            ws_init: KAIMING_FAN_OUT,
            ..Default::default()
        };
        ConvNorm {
            conv: nn::conv2d(conv, size.input, size.output, size.kernel, config),
            norm: BatchNorm::of_images(norm, size.output, scale),
        }
    }

    /// `[N, input, H, W]` to `[N, output, H / stride, W / stride]`, rounded up.
    pub fn forward(&self, x: &Tensor, train: bool) -> Tensor {
        self.norm.forward(&self.conv.forward(x), train)
    }
}
