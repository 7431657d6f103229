//! Layers with PyTorch's initialisation, where tch's own defaults differ from it.

use crate::norm::BatchNorm;
use fmicl_core::tch::nn::init::{FanInOut, NonLinearity, NormalOrUniform};
use fmicl_core::tch::nn::{self, ConvConfig, Init, LinearConfig, Module, Path};
use fmicl_core::tch::{Kind, Tensor};

/// torchvision's `kaiming_normal_(mode="fan_out", nonlinearity="relu")`.
const KAIMING_FAN_OUT: Init = Init::Kaiming {
    dist: NormalOrUniform::Normal,
    fan: FanInOut::FanOut,
    non_linearity: NonLinearity::ReLU,
};

/// The sizes of a convolution; the padding is half the kernel, so that stride 1 keeps height and width.
#[derive(Debug, Clone, Copy)]
pub(crate) struct ConvSize {
    pub input: i64,
    pub output: i64,
    pub kernel: i64,
    pub stride: i64,
}

/// A convolution without bias, and the batch norm that follows it.
#[derive(Debug)]
pub(crate) struct ConvNorm {
    conv: nn::Conv2D,
    norm: BatchNorm,
}

impl ConvNorm {
    /// Parameters under the two paths; `scale` is what the norm's weight starts with.
    pub(crate) fn new(conv: Path, norm: Path, size: ConvSize, scale: f64) -> Self {
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
    pub(crate) fn forward(&self, x: &Tensor, train: bool) -> Tensor {
        self.norm.forward(&self.conv.forward(x), train)
    }
}

/// PyTorch's `nn.Linear`: weight and bias from U(-1/sqrt(input), 1/sqrt(input)), which is what
/// `kaiming_uniform_(a=sqrt(5))` comes to.
pub(crate) fn linear(path: Path, input: i64, output: i64, bias: bool) -> nn::Linear {
    let bound = 1.0 / (input as f64).sqrt();
    let uniform = Init::Uniform { lo: -bound, up: bound };
    nn::linear(
        path,
        input,
        output,
        LinearConfig {
            ws_init: uniform,
            bs_init: Some(uniform),
            bias,
        },
    )
}

/// Rows `[N, d]` scaled to unit length, as `torch.nn.functional.normalize`: divided by `max(norm, 1e-12)`. bfloat16
/// outputs are normalised in f32.
pub(crate) fn normalize(rows: &Tensor) -> Tensor {
    let rows = match rows.kind() {
        Kind::BFloat16 => &rows.to_kind(Kind::Float),
        _ => rows,
    };
    rows / rows.norm_scalaropt_dim(2.0, [1i64].as_slice(), true).clamp_min(1e-12)
}

#[cfg(test)]
mod tests {
    use super::normalize;
    use crate::golden::{assert_close, noise, read};
    use fmicl_core::tch::Kind;

    #[test]
    fn normalize_is_that_of_pytorch_down_to_a_row_of_zeros() {
        let x = noise("rows", &[5, 7]);
        let _ = x.get(1).zero_();
        let _ = x.get(2).g_mul_scalar_(1e-13);
        let x = x.set_requires_grad(true);
        let out = normalize(&x);
        (&out * noise("loss", &[5, 7])).sum(Kind::Double).backward();
        let golden = read("normalize");
        assert_close("rows", &out.detach(), &golden["output"], 1e-14);
        for row in 0..5 {
            assert_close(
                &format!("gradient of row {row}"),
                &x.grad().get(row),
                &golden["grad"].get(row),
                1e-12,
            );
        }
    }
}
