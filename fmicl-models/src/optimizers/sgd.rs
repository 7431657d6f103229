//! Stochastic gradient descent with momentum, as `torch.optim.SGD` (dampening 0):
//! `d = g + weight_decay p; v = momentum v + d; p -= lr v`, or with Nesterov's `p -= lr (d + momentum v)`.
//!
//! Source: Sutskever et al., "On the importance of initialization and momentum in deep learning", ICML 2013,
//! in PyTorch's form, where the learning rate stands outside the velocity.

use super::add_scaled;
use fmicl_core::tch::Tensor;
use fmicl_core::{Documented, Optimizer, Parameters, Result, Stepper, in_blocks, register, require};
use serde::{Deserialize, Serialize};

/// SGD.
#[derive(Debug, Documented, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Sgd {
    /// Momentum, at least 0 and below 1.
    pub momentum: f64,
    /// Nesterov momentum; needs a momentum above 0.
    pub nesterov: bool,
    /// The weight of `|p|^2 / 2`, at least 0; not for biases and norms.
    pub weight_decay: f64,
}

impl Default for Sgd {
    fn default() -> Self {
        Sgd {
            momentum: 0.9,
            nesterov: false,
            weight_decay: 1e-4,
        }
    }
}

register!(Optimizer, "sgd", Sgd, "SGD with momentum, as torch.optim.SGD");

impl Optimizer for Sgd {
    fn validate(&self) -> Result<()> {
        require((0.0..1.0).contains(&self.momentum), "momentum", || {
            format!("{} is not at least 0 and below 1", self.momentum)
        })?;
        require(!self.nesterov || self.momentum > 0.0, "nesterov", || {
            "needs a momentum above 0".into()
        })?;
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
    options: Sgd,
    /// `v`, one flat tensor a group.
    velocity: Vec<Tensor>,
}

impl Stepper for State {
    fn step(&mut self, parameters: &mut Parameters, lr: f64) {
        let Sgd {
            momentum,
            nesterov,
            weight_decay,
        } = self.options;
        for (group, velocity) in parameters.groups.iter().zip(&self.velocity) {
            let lr = lr * group.rate;
            let decays = group.decays && weight_decay > 0.0;
            in_blocks([&group.values, &group.grads, velocity], |[mut p, g, mut v]| {
                let _ = v.g_mul_scalar_(momentum).g_add_(&g);
                if decays {
                    add_scaled(&mut v, weight_decay, &p);
                }
                if nesterov {
                    let mut direction = g + &v * momentum;
                    if decays {
                        add_scaled(&mut direction, weight_decay, &p);
                    }
                    add_scaled(&mut p, -lr, &direction);
                } else {
                    add_scaled(&mut p, -lr, &v);
                }
            });
        }
    }

    fn state(&self) -> Vec<(String, Tensor)> {
        super::named("velocity", &self.velocity).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::golden;
    use fmicl_core::testing::check_optimizer;

    #[test]
    fn keeps_the_laws_of_an_optimizer() {
        check_optimizer(&Sgd::default());
        check_optimizer(&Sgd {
            nesterov: true,
            ..Default::default()
        });
        check_optimizer(&Sgd {
            momentum: 0.0,
            ..Default::default()
        });
    }

    #[test]
    fn steps_are_those_of_torch_optim() {
        let sgd = Sgd {
            weight_decay: 0.1,
            ..Default::default()
        };
        golden::check_optimizer("sgd", &sgd);
        golden::check_optimizer("sgd-plain", &Sgd { momentum: 0.0, ..sgd });
        golden::check_optimizer("sgd-nesterov", &Sgd { nesterov: true, ..sgd });
    }

    #[test]
    fn options_out_of_range_name_their_key() {
        let fails = |part: Sgd| part.validate().expect_err("out of range").to_string();
        assert_eq!(
            fails(Sgd {
                momentum: 1.0,
                ..Default::default()
            }),
            "momentum: 1 is not at least 0 and below 1"
        );
        assert_eq!(
            fails(Sgd {
                weight_decay: -1.0,
                ..Default::default()
            }),
            "weight_decay: -1 is not from 0 to 1000"
        );
        let still = Sgd {
            nesterov: true,
            momentum: 0.0,
            ..Default::default()
        };
        assert_eq!(fails(still), "nesterov: needs a momentum above 0");
    }
}
