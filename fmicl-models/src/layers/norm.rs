//! Batch norm, over this process's batch or over those of all processes together (Ioffe and Szegedy, ICML 2015,
//! arXiv 1502.03167; `torch.nn.SyncBatchNorm`).

use fmicl_core::norms_together;
use fmicl_core::tch::nn::{self, BatchNormConfig, Init, ModuleT, Path};
use fmicl_core::tch::{self, Tensor};

/// PyTorch's.
const EPS: f64 = 1e-5;
const MOMENTUM: f64 = 0.1;

/// PyTorch's batch norm.
#[derive(Debug)]
pub struct BatchNorm(nn::BatchNorm);

impl BatchNorm {
    /// Batch norm of rows `[N, width]`; with a scale and a shift if `affine`.
    pub fn of_rows(path: Path, width: i64, affine: bool) -> Self {
        BatchNorm(nn::batch_norm1d(path, width, config(1.0, affine)))
    }

    /// Batch norm of images `[N, channels, H, W]`; `scale` is the initial value of its weight.
    pub fn of_images(path: Path, channels: i64, scale: f64) -> Self {
        BatchNorm(nn::batch_norm2d(path, channels, config(scale, true)))
    }

    /// The same shape.
    pub fn forward(&self, x: &Tensor, train: bool) -> Tensor {
        let together = if train { self.together(x) } else { None };
        together.unwrap_or_else(|| self.0.forward_t(x, train))
    }

    /// With the statistics of all processes' batches, which are of one size, where norms are to see them.
    fn together(&self, x: &Tensor) -> Option<Tensor> {
        let dims: Vec<i64> = (0..x.dim() as i64).filter(|dim| *dim != 1).collect();
        let sum = |x: &Tensor| norms_together(&x.sum_dim_intlist(dims.as_slice(), true, x.kind()));
        let (total, size) = sum(x)?;
        let count = (x.numel() * size) as f64 / x.size()[1] as f64;
        let mean = total / count;
        let centred = x - &mean;
        // About the common mean, as in one process: a difference of two large sums would lose digits.
        let variance = sum(&(&centred * &centred))?.0 / count;
        let nn::BatchNorm {
            running_mean,
            running_var,
            ws,
            bs,
            ..
        } = &self.0;
        tch::no_grad(|| {
            let unbiased = &variance * (count / (count - 1.0));
            for (running, statistic) in [(running_mean, &mean), (running_var, &unbiased)] {
                let _ = running.shallow_clone().lerp_(&statistic.flatten(0, -1), MOMENTUM);
            }
        });
        let mut y = centred * (variance + EPS).rsqrt();
        if let (Some(scale), Some(shift)) = (ws, bs) {
            let shape = mean.size();
            y = y * scale.view(shape.as_slice()) + shift.view(shape.as_slice());
        }
        Some(y)
    }
}

/// tch would draw the weight from U(0, 1).
fn config(scale: f64, affine: bool) -> BatchNormConfig {
    BatchNormConfig {
        affine,
        eps: EPS,
        momentum: MOMENTUM,
        ws_init: Init::Const(scale),
        ..Default::default()
    }
}
