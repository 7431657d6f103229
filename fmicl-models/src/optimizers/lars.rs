//! LARS, layer-wise adaptive rate scaling, for large batches:
//! `d = g + weight_decay p; d *= trust |p| / |d|; v = momentum v + d; p -= lr v`, where biases and norms have
//! neither the decay nor the ratio.
//!
//! Source: You et al., "Large Batch Training of Convolutional Networks", arXiv 1708.03888, as in
//! `facebookresearch/moco-v3`'s `optimizer.py`. SimCLR's `lars_optimizer.py` keeps the learning rate inside
//! the velocity (`v = momentum v + lr d; p -= v`), which is the same while the rate is constant and lags
//! behind a schedule by the memory of the momentum, and it gives no ratio or decay to biases and norms either.

use super::add_scaled;
use fmicl_core::tch::Tensor;
use fmicl_core::{Documented, Optimizer, Parameters, Result, Stepper, deal, in_blocks, register, require};
use serde::{Deserialize, Serialize};
use std::cmp::Reverse;

/// LARS.
#[derive(Debug, Documented, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Lars {
    /// Momentum, at least 0 and below 1.
    pub momentum: f64,
    /// The weight of `|p|^2 / 2`, at least 0; not for biases and norms.
    pub weight_decay: f64,
    /// Length of a step at learning rate 1 relative to the variable's norm, above 0.
    pub trust_coefficient: f64,
}

impl Default for Lars {
    fn default() -> Self {
        Lars {
            momentum: 0.9,
            weight_decay: 1e-6,
            trust_coefficient: 0.001,
        }
    }
}

register!(Optimizer, "lars", Lars, "layer-wise adaptive rates, for large batches");

impl Optimizer for Lars {
    fn validate(&self) -> Result<()> {
        require((0.0..1.0).contains(&self.momentum), "momentum", || {
            format!("{} is not at least 0 and below 1", self.momentum)
        })?;
        require(
            self.trust_coefficient > 0.0 && self.trust_coefficient.is_finite(),
            "trust_coefficient",
            || format!("{} is not above 0", self.trust_coefficient),
        )?;
        super::check_weight_decay(self.weight_decay)
    }

    fn build(&self, parameters: &Parameters) -> Box<dyn Stepper> {
        Box::new(State {
            options: self.clone(),
            velocity: super::zeros(parameters),
        })
    }
}

struct State {
    options: Lars,
    /// `v`, one flat tensor a group.
    velocity: Vec<Tensor>,
}

impl Stepper for State {
    fn step(&mut self, parameters: &mut Parameters, lr: f64) {
        let Lars {
            momentum,
            weight_decay,
            trust_coefficient,
        } = self.options;
        for (group, velocity) in parameters.groups.iter().zip(&self.velocity) {
            let lr = lr * group.rate;
            let flats = [&group.values, &group.grads, velocity];
            if !group.decays {
                in_blocks(flats, |[mut p, g, mut v]| {
                    let _ = v.g_mul_scalar_(momentum).g_add_(&g);
                    add_scaled(&mut p, -lr, &v);
                });
                continue;
            }
            // One norm a variable: the only optimizer here whose operations grow with their number.
            let mut slices: Vec<_> = group.slices.iter().collect();
            // The largest first: one of them at the end would keep a thread busy while the others have done all.
            slices.sort_by_key(|slice| Reverse(slice.len));
            let variables = slices
                .iter()
                .map(|slice| flats.map(|flat| flat.narrow(0, slice.offset, slice.len)));
            deal(
                variables.collect(),
                group.values.device(),
                |variables: Vec<[Tensor; 3]>| {
                    for [mut p, g, mut v] in variables {
                        let mut direction = g.copy();
                        add_scaled(&mut direction, weight_decay, &p);
                        let ratio = trust_ratio(&p, &direction, trust_coefficient);
                        let _ = v.g_mul_scalar_(momentum).addcmul_(&direction, &ratio);
                        add_scaled(&mut p, -lr, &v);
                    }
                },
            );
        }
    }

    fn state(&self) -> Vec<(String, Tensor)> {
        super::named("velocity", &self.velocity).collect()
    }
}

/// `trust |p| / |d|`, or 1 where either norm is 0; a scalar on the device.
fn trust_ratio(p: &Tensor, d: &Tensor, trust_coefficient: f64) -> Tensor {
    let ratio = p.norm() * trust_coefficient / d.norm();
    // 0 where |p| is, and infinite or not a number where |d| is.
    ratio.where_self(&ratio.gt(0.0).logical_and(&ratio.isfinite()), &ratio.ones_like())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::golden;
    use fmicl_core::tch::{Device, Kind};
    use fmicl_core::testing::check_optimizer;

    #[test]
    fn keeps_the_laws_of_an_optimizer() {
        check_optimizer(&Lars::default());
        check_optimizer(&Lars {
            momentum: 0.0,
            ..Default::default()
        });
    }

    #[test]
    fn a_variable_or_gradient_of_zeros_has_the_ratio_1() {
        let [zeros, ones] = [
            Tensor::zeros([3], (Kind::Float, Device::Cpu)),
            Tensor::ones([3], (Kind::Float, Device::Cpu)),
        ];
        let ratio = |p, d| trust_ratio(p, d, 0.001).double_value(&[]);
        assert_eq!(
            [ratio(&zeros, &ones), ratio(&ones, &zeros), ratio(&zeros, &zeros)],
            [1.0; 3]
        );
        assert!((ratio(&ones, &ones) - 0.001).abs() < 1e-9);
    }

    #[test]
    fn steps_are_those_of_the_formula_taken_variable_by_variable() {
        golden::check_optimizer(
            "lars",
            &Lars {
                weight_decay: 0.1,
                trust_coefficient: 0.02,
                ..Default::default()
            },
        );
    }

    #[test]
    fn options_out_of_range_name_their_key() {
        let fails = |part: Lars| part.validate().expect_err("out of range").to_string();
        assert_eq!(
            fails(Lars {
                momentum: -0.1,
                ..Default::default()
            }),
            "momentum: -0.1 is not at least 0 and below 1"
        );
        assert_eq!(
            fails(Lars {
                trust_coefficient: 0.0,
                ..Default::default()
            }),
            "trust_coefficient: 0 is not above 0"
        );
    }
}
