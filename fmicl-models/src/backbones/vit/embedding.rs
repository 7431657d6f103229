//! Patch embedding: a class token and the projected patches, with positions added.

use super::{Grid, xavier};
use fmicl_core::tch::nn::{Init, Path};
use fmicl_core::tch::{self, Device, Kind, Tensor};

#[derive(Debug)]
pub(super) struct Embedding {
    /// `[width, channels, patch, patch]`.
    weight: Tensor,
    /// `[width]`.
    bias: Tensor,
    /// `[1, 1, width]`.
    cls_token: Tensor,
    /// `[1, 1 + side * side, width]`, not trained.
    pos_embed: Tensor,
    patch: i64,
}

impl Embedding {
    pub(super) fn new(path: &Path, grid: Grid, channels: i64, width: i64, freeze: bool) -> Self {
        let positions = positions(grid.side, width);
        let mut pos_embed = path.zeros_no_train("pos_embed", &positions.size());
        tch::no_grad(|| pos_embed.copy_(&positions));

        let proj = path / "patch_embed" / "proj";
        let size = [width, channels, grid.patch, grid.patch];
        let init = xavier(channels * grid.patch * grid.patch, width);
        let (weight, bias) = if freeze {
            let mut weight = proj.zeros_no_train("weight", &size);
            tch::no_grad(|| init.set(&mut weight));
            (weight, proj.zeros_no_train("bias", &[width]))
        } else {
            (proj.var("weight", &size, init), proj.zeros("bias", &[width]))
        };
        let nearly_zero = Init::Randn { mean: 0.0, stdev: 1e-6 };
        Embedding {
            weight,
            bias,
            cls_token: path.var("cls_token", &[1, 1, width], nearly_zero),
            pos_embed,
            patch: grid.patch,
        }
    }

    /// Images `[N, channels, H, W]` to tokens `[N, 1 + patches, width]`, the class token first, then row by row.
    pub(super) fn forward(&self, images: &Tensor) -> Tensor {
        let stride = [self.patch, self.patch];
        let patches = images.conv2d(&self.weight, Some(&self.bias), stride, [0, 0], [1, 1], 1);
        let patches = patches.flatten(2, -1).transpose(1, 2);
        // Without N as a number, which a trace would keep.
        let class = self.cls_token.expand_as(&patches.narrow(1, 0, 1));
        Tensor::cat(&[class, patches], 1).g_add_(&self.pos_embed)
    }
}

/// MoCo v3's positions `[1, 1 + side * side, width]`, f32: zeros for the class token, then for each patch the sines
/// and cosines of its row, and those of its column (the reference calls the row `w`), at `width / 4` wavelengths
/// from 2 pi to 20000 pi.
pub(super) fn positions(side: i64, width: i64) -> Tensor {
    let f64 = (Kind::Double, Device::Cpu);
    let quarter = width / 4;
    let frequencies = (Tensor::arange(quarter, f64) * (-(10_000f64).ln() / quarter as f64)).exp();
    let angles = Tensor::arange(side, f64).outer(&frequencies);
    let waves = Tensor::cat(&[angles.sin(), angles.cos()], 1); // [side, width / 2]
    let grid = [side, side, width / 2];
    let (rows, columns) = (waves.unsqueeze(1).expand(grid, false), waves.expand(grid, false));
    let patches = Tensor::cat(&[rows, columns], -1).flatten(0, 1);
    let class = Tensor::zeros([1, width], f64);
    Tensor::cat(&[class, patches], 0).unsqueeze(0).to_kind(Kind::Float)
}
