//! An affine log ratio with learned factors.
//!
//! The factor is multiplied into the features, so that the product of two features is the log ratio without its offset.
//! Autograd then computes the factor's gradient from the gradients of the scaled features, and the tiles need no code
//! for it.

use super::{Pairs, Scalar};
use crate::compute::sphere::log_mean_exp_on_sphere;
use crate::{Critic, Similarity};
use tch::Tensor;

/// The log ratio `scale * c + offset` with two scalars that may have a gradient.
#[derive(Debug)]
pub(super) struct Line {
    /// Factor of the cosine, of shape `[]`.
    pub scale: Tensor,
    /// Log ratio at cosine 0, of shape `[]`.
    pub offset: Tensor,
    /// `scale * c`, without a gradient to the scale.
    pub similarity: Sloped,
}

/// The log ratio `scale * c`, for a scale on the device.
#[derive(Debug)]
pub(super) struct Sloped(Scalar);

impl Line {
    pub fn new((scale, offset): (Tensor, Tensor)) -> Self {
        Line {
            similarity: Sloped(Scalar::new(&scale)),
            scale,
            offset,
        }
    }

    /// `log E e^{scale x.y}` over two independent uniform points of the unit sphere, with gradient to the scale. It waits
    /// for the device.
    pub fn log_mean_exp_on_sphere(&self, dimension: i64) -> Tensor {
        let kappa = self.scale.double_value(&[]);
        let at = |dimension| log_mean_exp_on_sphere(kappa, dimension);
        // The derivative of 0F1(; d / 2; kappa^2 / 4) is kappa / d times that with d + 2.
        let slope = kappa / dimension as f64 * (at(dimension + 2) - at(dimension)).exp();
        (&self.scale - self.scale.detach()) * slope + at(dimension)
    }
}

impl Similarity for Sloped {
    fn critic(&self) -> Critic {
        Critic::Ratio
    }

    fn value(&self, cosine: &Tensor) -> Tensor {
        cosine * self.0.get()
    }
}

/// Features of pairs, scaled so that the product of a pair is a factor times its cosine, with gradient to the factor.
#[derive(Debug)]
pub(super) struct Scaled<'a> {
    pairs: Pairs<'a>,
    first: Tensor,
    second: Option<Tensor>,
}

impl<'a> Scaled<'a> {
    /// The features of `pairs`, for the factor `scale` above 0, of shape `[]`.
    pub fn new(pairs: Pairs<'a>, scale: &Tensor) -> Self {
        let (first, second) = match pairs {
            // Each is a row and a column.
            Pairs::Within(x) => (x * scale.sqrt(), None),
            Pairs::Both(x, y) => (x * scale.sqrt(), Some(y * scale.sqrt())),
            Pairs::Cross(x, _) | Pairs::Bank(x, _) => (x * scale, None),
        };
        Scaled { pairs, first, second }
    }

    /// The pairs of the scaled features.
    pub fn pairs(&self) -> Pairs<'_> {
        let x = &self.first;
        match self.pairs {
            Pairs::Within(_) => Pairs::Within(x),
            Pairs::Cross(_, y) => Pairs::Cross(x, y),
            Pairs::Both(_, y) => Pairs::Both(x, self.second.as_ref().unwrap_or(y)),
            Pairs::Bank(_, bank) => Pairs::Bank(x, bank),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_constant_of_the_sphere_has_its_slope() {
        for (kappa, dimension) in [(0.3, 1), (4.0, 2), (4.0, 128), (200.0, 16)] {
            let scale = Tensor::from(kappa).set_requires_grad(true);
            let line = Line::new((scale.shallow_clone(), Tensor::from(0.0)));
            line.log_mean_exp_on_sphere(dimension).backward();
            let at = |kappa| log_mean_exp_on_sphere(kappa, dimension);
            let slope = (at(kappa + 1e-4) - at(kappa - 1e-4)) / 2e-4;
            let off = (scale.grad().double_value(&[]) - slope).abs();
            assert!(off < 1e-8, "kappa = {kappa}, d = {dimension}: off by {off:e}");
        }
    }
}
