//! Adam with decoupled weight decay, as `torch.optim.AdamW`:
//! `p -= lr weight_decay p; m = b1 m + (1 - b1) g; v = b2 v + (1 - b2) g^2;
//! p -= lr (m / (1 - b1^t)) / (sqrt(v / (1 - b2^t)) + eps)`.
//!
//! Source: Loshchilov and Hutter, "Decoupled Weight Decay Regularization", ICLR 2019, arXiv 1711.05101.

use super::add_scaled;
use fmicl_core::tch::Tensor;
use fmicl_core::{Documented, Optimizer, Parameters, Result, Stepper, in_blocks, register, require};
use serde::{Deserialize, Serialize};

/// AdamW.
#[derive(Debug, Documented, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct AdamW {
    /// The decay of the means of the gradient and of its square, each at least 0 and below 1.
    pub betas: [f64; 2],
    /// Added to the root of the second moment, above 0.
    pub eps: f64,
    /// Weight decay per step at learning rate 1, at least 0; not for biases and norms.
    pub weight_decay: f64,
}

impl Default for AdamW {
    fn default() -> Self {
        AdamW {
            betas: [0.9, 0.999],
            eps: 1e-8,
            weight_decay: 0.01,
        }
    }
}

register!(
    Optimizer,
    "adamw",
    AdamW,
    "Adam with decoupled weight decay, as torch.optim.AdamW"
);

impl Optimizer for AdamW {
    fn validate(&self) -> Result<()> {
        for beta in self.betas {
            require((0.0..1.0).contains(&beta), "betas", || {
                format!("{beta} is not at least 0 and below 1")
            })?;
        }
        require(self.eps > 0.0 && self.eps.is_finite(), "eps", || {
            format!("{} is not above 0", self.eps)
        })?;
        super::check_weight_decay(self.weight_decay)
    }

    fn build(&self, parameters: &Parameters) -> Box<dyn Stepper> {
        Box::new(State {
            options: self.clone(),
            steps: Tensor::from(0i64),
            mean: super::zeros(parameters),
            square: super::zeros(parameters),
        })
    }
}

struct State {
    options: AdamW,
    /// `t`, a scalar in the host's memory: reading it waits for no device.
    steps: Tensor,
    /// `m`, one flat tensor a group.
    mean: Vec<Tensor>,
    /// `v`, one flat tensor a group.
    square: Vec<Tensor>,
}

impl Stepper for State {
    fn step(&mut self, parameters: &mut Parameters, lr: f64) {
        let AdamW {
            betas: [beta1, beta2],
            eps,
            weight_decay,
        } = self.options;
        let _ = self.steps.g_add_scalar_(1);
        let t = self.steps.int64_value(&[]) as f64;
        let (unbias1, unbias2) = (1.0 - beta1.powf(t), 1.0 - beta2.powf(t));
        for (group, (mean, square)) in parameters.groups.iter().zip(self.mean.iter().zip(&self.square)) {
            let lr = lr * group.rate;
            let decays = group.decays && weight_decay > 0.0;
            in_blocks(
                [&group.values, &group.grads, mean, square],
                |[mut p, g, mut m, mut v]| {
                    if decays {
                        let _ = p.g_mul_scalar_(1.0 - lr * weight_decay);
                    }
                    let _ = m.lerp_(&g, 1.0 - beta1);
                    let _ = v.lerp_(&g.square(), 1.0 - beta2);
                    let mut root = v.sqrt();
                    let root = root.g_div_scalar_(unbias2.sqrt()).g_add_scalar_(eps);
                    add_scaled(&mut p, -lr / unbias1, &(m / root));
                },
            );
        }
    }

    fn state(&self) -> Vec<(String, Tensor)> {
        let steps = ("steps".to_string(), self.steps.shallow_clone());
        let moments = super::named("mean", &self.mean).chain(super::named("square", &self.square));
        std::iter::once(steps).chain(moments).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::golden;
    use fmicl_core::testing::check_optimizer;

    #[test]
    fn keeps_the_laws_of_an_optimizer() {
        check_optimizer(&AdamW::default());
        check_optimizer(&AdamW {
            betas: [0.0, 0.0],
            ..Default::default()
        });
    }

    #[test]
    fn steps_are_those_of_torch_optim() {
        golden::check_optimizer(
            "adamw",
            &AdamW {
                betas: [0.8, 0.95],
                eps: 1e-6,
                weight_decay: 0.1,
            },
        );
    }

    #[test]
    fn options_out_of_range_name_their_key() {
        let fails = |part: AdamW| part.validate().expect_err("out of range").to_string();
        assert_eq!(
            fails(AdamW {
                betas: [0.9, 1.0],
                ..Default::default()
            }),
            "betas: 1 is not at least 0 and below 1"
        );
        assert_eq!(
            fails(AdamW {
                eps: 0.0,
                ..Default::default()
            }),
            "eps: 0 is not above 0"
        );
        assert_eq!(
            fails(AdamW {
                weight_decay: f64::NAN,
                ..Default::default()
            }),
            "weight_decay: NaN is not from 0 to 1000"
        );
    }
}
