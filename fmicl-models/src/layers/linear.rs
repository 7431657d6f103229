//! Linear layers with PyTorch's initialisation, where tch's own differs from it.

use fmicl_core::tch::nn::{self, Init, LinearConfig, Path};

/// PyTorch's `nn.Linear`: weight and bias from U(-1/sqrt(input), 1/sqrt(input)), which is what
/// `kaiming_uniform_(a=sqrt(5))` comes to.
pub fn linear(path: Path, input: i64, output: i64, bias: bool) -> nn::Linear {
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
