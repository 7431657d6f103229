//! Dropout, Srivastava et al., JMLR 2014: in training each number is zero with probability `p`, and else divided by
//! `1 - p`.
//!
//! libtorch draws a CPU's masks one number after the other from a Mersenne twister, which takes a good part of a training
//! step. Here a mask comes from a counter and a seed (SplitMix64, 16 bits a number); the seed is drawn from libtorch's
//! generator, so that `manual_seed` still decides.

use fmicl_core::split_mix;
use fmicl_core::tch::{Device, Kind, Tensor};

/// The probability of a zero, in [0, 1); on a CPU it is rounded to a multiple of 2^-16.
#[derive(Debug, Clone, Copy)]
pub(super) struct Dropout(pub f64);

impl Dropout {
    /// `x` with zeros, in training.
    pub fn forward(self, x: &Tensor, train: bool) -> Tensor {
        match self.mask(x, train) {
            Some(mask) => x * mask,
            None => x.shallow_clone(),
        }
    }

    /// `x` with zeros, in training, and `residual` added, in one pass.
    pub fn add(self, x: &Tensor, residual: &Tensor, train: bool) -> Tensor {
        match self.mask(x, train) {
            Some(mask) => residual.addcmul(x, &mask),
            None => residual + x,
        }
    }

    /// Dropout mask of the shape of `x`: 0 or `1 / (1 - p)`.
    fn mask(self, x: &Tensor, train: bool) -> Option<Tensor> {
        if !train || self.0 == 0.0 {
            return None;
        }
        if x.device() != Device::Cpu || x.kind() != Kind::Float {
            let keep = 1.0 - self.0;
            return Some(x.empty_like().bernoulli_float_(keep) / keep);
        }
        let seed = Tensor::empty([1], (Kind::Int64, Device::Cpu)).random_();
        let mut mask = vec![0.0; x.numel()];
        draw(seed.int64_value(&[0]) as u64, self.0, &mut mask);
        Some(Tensor::from_slice(&mask).view(x.size().as_slice()))
    }
}

/// Fills `mask` with 0 and `1 / (1 - p)`.
fn draw(seed: u64, p: f64, mask: &mut [f32]) {
    const RANGE: f64 = 65536.0;
    let zero_below = (p * RANGE).round().min(RANGE - 1.0);
    let kept = (RANGE / (RANGE - zero_below)) as f32;
    let zero_below = zero_below as u16;
    for (counter, four) in mask.chunks_mut(4).enumerate() {
        let bits = split_mix(seed, counter as u64);
        for (index, value) in four.iter_mut().enumerate() {
            let drawn = (bits >> (16 * index)) as u16;
            *value = if drawn < zero_below { 0.0 } else { kept };
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_share_of_p_is_zero_and_the_mean_stays() {
        let x = Tensor::ones([1000, 1000], (Kind::Float, Device::Cpu));
        for p in [0.1, 0.5] {
            let out = Dropout(p).forward(&x, true);
            let zeros = out.eq(0.0).to_kind(Kind::Double).mean(Kind::Double).double_value(&[]);
            // Five standard deviations of a million draws.
            assert!((zeros - p).abs() < 5.0 * (p * (1.0 - p) / 1e6).sqrt(), "{p}: {zeros}");
            let kept = out.max().double_value(&[]);
            assert!((kept * (1.0 - p) - 1.0).abs() < 1e-4, "{p}: {kept}");
            // Neighbours, and rows, have nothing to do with each other.
            let centred: Tensor = out - 1.0;
            let variance = centred.square().mean(Kind::Double).double_value(&[]);
            for (axis, shift) in [(0, 1), (1, 1), (1, 2), (1, 4)] {
                let product: Tensor = &centred * centred.roll([shift], [axis]);
                let correlation = product.mean(Kind::Double).double_value(&[]) / variance;
                assert!(correlation.abs() < 5e-3, "{p} along {axis} by {shift}: {correlation}");
            }
        }
    }

    #[test]
    fn evaluation_and_p_of_zero_change_nothing() {
        let x = Tensor::randn([4, 3], (Kind::Float, Device::Cpu));
        assert!(Dropout(0.5).forward(&x, false).equal(&x));
        assert!(Dropout(0.0).forward(&x, true).equal(&x));
        assert!(Dropout(0.5).add(&x, &x, false).equal(&(&x * 2.0)));
    }

    #[test]
    fn the_gradient_passes_where_numbers_are_kept() {
        let x = Tensor::ones([100], (Kind::Float, Device::Cpu)).set_requires_grad(true);
        let residual = Tensor::ones([100], (Kind::Float, Device::Cpu)).set_requires_grad(true);
        let out = Dropout(0.5).add(&x, &residual, true);
        out.sum(Kind::Float).backward();
        assert!(x.grad().equal(&(out.detach() - 1.0)));
        assert!(residual.grad().equal(&residual.ones_like()));
    }
}
