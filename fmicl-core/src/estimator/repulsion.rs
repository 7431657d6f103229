//! The negative term of the objective `f-micl`.

use super::line::Line;
use super::log_sums::{is_narrow, log_mean_exp_of_products};
use super::{Critics, Mean, OfCosine, Pairs, Scalar};
use crate::compute::sphere::log_mean_exp_on_sphere;
use crate::{Critic, Normaliser, Similarity, estimator};
use tch::Tensor;

/// Negative pairs of a batch.
#[derive(Clone, Copy)]
pub(super) struct Repelled<'a> {
    pub pairs: Pairs<'a>,
    /// The same pairs with scaled features, whose products are `scale * c`; `Some` where factors are learned.
    pub products: Option<Pairs<'a>>,
}

/// Negative term of a batch.
pub(super) struct Repulsion {
    pub penalty: Mean,
    /// Shift of the critic, f64 or of the features' kind, and the mean ratio at it.
    pub shift: Option<(Tensor, Tensor)>,
}

impl Repelled<'_> {
    /// Constant added to the similarity's value, or to `scale * c` where factors are learned, with its gradient: minus the
    /// logarithm of the mean ratio where the ratios are normalised, or the learned offset.
    pub fn offset(self, similarity: &dyn Similarity, line: Option<&Line>) -> Option<Tensor> {
        let Repelled { pairs, products } = self;
        let dimension = pairs.anchors().size()[1];
        if let (Some(line), Some(products)) = (line, products) {
            return Some(match similarity.normaliser() {
                Normaliser::Off => line.offset.shallow_clone(),
                Normaliser::Uniform => -line.log_mean_exp_on_sphere(dimension),
                Normaliser::Batch => -log_mean_exp_of_products(products),
            });
        }
        let (scale, offset) = similarity.affine()?;
        match similarity.normaliser() {
            Normaliser::Off => None,
            Normaliser::Uniform => Some(Tensor::from(-log_mean_exp_on_sphere(scale, dimension) - offset)),
            Normaliser::Batch => Some(-estimator::log_mean_exp(pairs, scale) - offset),
        }
    }

    /// The negative term, at the best shift where one is wanted.
    pub fn repulsion(self, critics: Critics, at_best_shift: bool) -> Repulsion {
        if !at_best_shift {
            let penalty = self.mean_penalty(critics);
            return Repulsion { penalty, shift: None };
        }
        if critics.divergence.has_exponential_conjugate() {
            return self.exponential(critics);
        }
        let (shift, ratio) = estimator::best_shift(critics, self.pairs);
        let scalar = Scalar::new(&shift);
        let critics = Critics {
            shift: Some(&scalar),
            ..critics
        };
        Repulsion {
            penalty: self.mean_penalty(critics),
            shift: Some((shift, ratio)),
        }
    }

    fn mean_penalty(self, critics: Critics) -> Mean {
        match self.products {
            Some(products) => estimator::mean_with_slope(&critics.penalty_of_products(), products),
            None => estimator::mean_with_slope(&critics.penalty(), self.pairs),
        }
    }

    /// For `f*(t) = e^(t - 1)` a shift is a factor, so that one pass has the sum and the best shift, `log E e^(t - 1)`.
    fn exponential(self, critics: Critics) -> Repulsion {
        let Repelled { pairs, products } = self;
        let kind = pairs.anchors().kind();
        let logarithm = |log: Tensor, offset: f64| {
            let constant = log.detach();
            (&log - &constant + 1.0, &constant + offset, constant.ones_like())
        };
        let (value, log, slope) = match (products, critics.similarity.affine()) {
            (Some(products), _) => logarithm(log_mean_exp_of_products(products), 0.0),
            // Neither overflows nor underflows: the exponents are from -2 scale to 0.
            (None, Some((scale, offset))) if is_narrow(scale, kind) => {
                let exponential = OfCosine::new(scale, -scale, |value| {
                    let ratio = estimator::exp(value, 1.0);
                    (ratio.shallow_clone(), ratio)
                });
                let mean = estimator::mean(&exponential, pairs);
                let log = mean.detach().log() + (scale + offset);
                (&mean / mean.detach(), log, mean.ones_like())
            }
            (None, Some((scale, offset))) => logarithm(estimator::log_mean_exp(pairs, scale), offset),
            (None, None) => {
                let plain = Critics {
                    offset: None,
                    ..critics
                };
                let Mean { value: mean, slope } = estimator::mean_with_slope(&plain.penalty(), pairs);
                let log = match critics.similarity.critic() {
                    Critic::Ratio => mean.detach().log(),
                    Critic::Raw => mean.detach().log() + 1.0,
                };
                (&mean / mean.detach(), log, slope / mean.detach())
            }
        };
        let shift = match (critics.similarity.critic(), critics.offset) {
            (Critic::Ratio, Some(offset)) => log + offset.get(),
            (Critic::Ratio, None) => log,
            (Critic::Raw, _) => log - 1.0,
        };
        let one = shift.ones_like();
        Repulsion {
            penalty: Mean { value, slope },
            shift: Some((shift, one)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::line::Scaled;
    use super::*;
    use crate::testing::unit_rows;
    use tch::Kind;

    #[derive(Debug)]
    struct Normalised(Normaliser);

    impl Similarity for Normalised {
        fn critic(&self) -> Critic {
            Critic::Ratio
        }

        fn value(&self, cosine: &Tensor) -> Tensor {
            cosine * 4.0
        }

        fn normaliser(&self) -> Normaliser {
            self.0
        }
    }

    #[test]
    fn normalised_ratios_do_not_depend_on_the_offset_of_a_learned_line() {
        let x = unit_rows(40, 8, Kind::Double, 1);
        let pairs = Pairs::Within(&x);
        let offset = |normaliser, initial: f64| {
            let line = Line::new((Tensor::from(4.0), Tensor::from(initial)));
            let scaled = Scaled::new(pairs, &line.scale);
            let products = Some(scaled.pairs());
            let offset = Repelled { pairs, products }.offset(&Normalised(normaliser), Some(&line));
            offset.expect("a line has an offset").double_value(&[])
        };
        for normaliser in [Normaliser::Batch, Normaliser::Uniform] {
            let (without, with) = (offset(normaliser, 0.0), offset(normaliser, 3.0));
            assert!((without - with).abs() < 1e-12, "{normaliser:?}: {without} and {with}");
        }
        let mean = estimator::log_mean_exp(pairs, 4.0).double_value(&[]);
        let off = (offset(Normaliser::Batch, 3.0) + mean).abs();
        assert!(off < 1e-10, "the mean ratio is off by {off:e}");
    }
}
