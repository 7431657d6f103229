//! Shared code of the architectures: a backbone with its projector, and the ranges of a head's options.

use crate::layers::Mlp;
use fmicl_core::tch::{Tensor, nn};
use fmicl_core::{BuildBackbone, Encoder, Result, View, require};

/// A backbone with its projector.
#[derive(Debug)]
pub(super) struct Branch {
    pub encoder: Box<dyn Encoder>,
    pub projector: Mlp,
}

impl Branch {
    /// Parameters under `backbone` and `projector` of `root`.
    pub(super) fn new(
        root: &nn::Path,
        backbone: &BuildBackbone,
        projector: impl FnOnce(&nn::Path, &dyn Encoder) -> Mlp,
    ) -> Result<Self> {
        let encoder = backbone(&(root / "backbone"))?;
        let projector = projector(&(root / "projector"), &*encoder);
        Ok(Branch { encoder, projector })
    }

    /// Projections of a view, not normalised.
    pub(super) fn forward(&self, view: &View, train: bool) -> Tensor {
        self.projector.forward(&self.encoder.forward(view, train), train)
    }
}

/// Widths of an [`Mlp`] of `layers` linear layers.
pub(super) fn widths(input: i64, hidden: i64, out: i64, layers: usize) -> Vec<i64> {
    let mut widths = vec![hidden; layers + 1];
    widths[0] = input;
    widths[layers] = out;
    widths
}

/// Checks the ranges of `hidden` units and `out` features.
pub(super) fn check_widths(hidden: i64, out: i64) -> Result<()> {
    const WIDEST: i64 = 65_536;
    require((1..=WIDEST).contains(&hidden), "hidden", || {
        format!("{hidden} is not from 1 to {WIDEST}")
    })?;
    // A unit vector of one dimension is 1 or -1: nothing to learn.
    require((2..=WIDEST).contains(&out), "out", || {
        format!("{out} is not from 2 to {WIDEST}")
    })
}

/// Checks the range of a head's number of linear layers.
pub(super) fn check_layers(key: &str, layers: usize) -> Result<()> {
    require((1..=16).contains(&layers), key, || {
        format!("{layers} is not from 1 to 16")
    })
}

/// Checks the range of a momentum encoder's momentum.
pub(super) fn check_momentum(momentum: f64) -> Result<()> {
    require((0.0..1.0).contains(&momentum), "momentum", || {
        format!("{momentum} is not at least 0 and below 1")
    })
}
