//! MoCo v2: a momentum encoder makes the keys, a queue keeps them as negatives for later batches.
//!
//! Source: He et al., "Momentum Contrast for Unsupervised Visual Representation Learning", CVPR 2020,
//! arXiv 1911.05722; Chen et al., "Improved Baselines with Momentum Contrastive Learning", arXiv 2003.04297; and
//! `moco/builder.py` of facebookresearch/moco, which shuffles the keys' batch between GPUs. In one process there is one
//! batch, and nothing to shuffle.

mod queue;
mod shuffle;

use super::branch::{Branch, check_momentum, check_widths, widths};
use crate::layers::{Mlp, Norms};
use fmicl_core::tch::{self, Tensor, nn};
use fmicl_core::{
    Architecture, BuildBackbone, Documented, Encoder, Learner, Momentum, Negatives, Pairing, Parameters, Result, View,
    normalize, register, require, share,
};
use queue::Queue;
use serde::{Deserialize, Serialize};
use shuffle::keys_of_all;

/// MoCo v2: queries of the first view, keys of the second, negatives from a queue.
#[derive(Debug, Documented, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Moco {
    /// Number of keys kept as negatives, at least 1; it need not be a multiple of the batch.
    pub queue: i64,
    /// Momentum of the momentum encoder (EMA decay per step), at least 0 and below 1.
    pub momentum: f64,
    /// Units of the projector's hidden layer, at least 1; absent by default: the number of the backbone's features.
    pub hidden: Option<i64>,
    /// Dimensions of the features that the objective compares, at least 2.
    pub out: i64,
}

impl Default for Moco {
    fn default() -> Self {
        Moco {
            queue: 65_536,
            momentum: 0.999,
            hidden: None,
            out: 128,
        }
    }
}

register!(
    Architecture,
    "moco",
    Moco,
    "MoCo v2: keys from a momentum encoder, negatives from a queue"
);

/// Maximum of numbers in a queue: 8 GiB.
const MOST: i64 = 1 << 31;

impl Architecture for Moco {
    fn validate(&self) -> Result<()> {
        check_widths(self.hidden.unwrap_or(1), self.out)?;
        require((1..=MOST / self.out).contains(&self.queue), "queue", || {
            let most = MOST / self.out;
            format!("{} is not from 1 to {most} keys of {} numbers", self.queue, self.out)
        })?;
        check_momentum(self.momentum)
    }

    fn build(&self, root: &nn::Path, backbone: &BuildBackbone) -> Result<Box<dyn Learner>> {
        let projector = |path: &nn::Path, encoder: &dyn Encoder| {
            let width = encoder.width();
            let widths = widths(width, self.hidden.unwrap_or(width), self.out, 2);
            Mlp::new(path, &widths, Norms::None)
        };
        let branch = |root: &nn::Path| Branch::new(root, backbone, projector);
        Ok(Box::new(Net {
            query: branch(root)?,
            key: Momentum::new(root, branch)?,
            momentum: self.momentum,
            queue: Queue::new(root, self.queue, self.out),
            waiting: Vec::new(),
        }))
    }
}

#[derive(Debug)]
struct Net {
    query: Branch,
    key: Momentum<Branch>,
    momentum: f64,
    queue: Queue,
    /// The keys of the step's batches, those of all processes, which enter the queue after it.
    waiting: Vec<Tensor>,
}

impl Learner for Net {
    /// Both encoders are in training mode: batch norms see the statistics of the batch, and each encoder keeps
    /// running statistics of its own.
    fn pairings(&mut self, views: &[View]) -> Vec<Pairing> {
        let keys = |view: &View| tch::no_grad(|| normalize(&self.key.network().forward(view, true)));
        let keys = keys_of_all(&views[1], keys);
        let n = views[1].input.size()[0];
        let positives = keys.narrow(0, share().0 as i64 * n, n);
        self.waiting.push(keys);
        vec![Pairing {
            anchors: normalize(&self.query.forward(&views[0], true)),
            positives,
            negatives: Negatives::Bank(self.queue.keys.shallow_clone()),
        }]
    }

    fn encoder(&self) -> &dyn Encoder {
        &*self.query.encoder
    }

    fn project(&self, view: &View) -> Tensor {
        tch::no_grad(|| normalize(&self.query.forward(view, false)))
    }

    fn after_step(&mut self, parameters: &Parameters, _progress: f64) -> Result<()> {
        self.key.update(parameters, self.momentum);
        for keys in self.waiting.drain(..) {
            self.queue.push(&keys);
        }
        Ok(())
    }

    fn discard(&mut self) {
        self.waiting.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::backbones::{ResNet, Stem};
    use crate::golden;
    use fmicl_core::tch::{Device, Kind};
    use fmicl_core::testing::check_architecture;

    fn narrow() -> ResNet {
        ResNet {
            stem: Stem::Cifar,
            width: 4,
            ..Default::default()
        }
    }

    #[test]
    fn keeps_the_laws_of_an_architecture() {
        let image = || View::from(Tensor::randn([6, 3, 16, 16], (Kind::Float, Device::Cpu)));
        for queue in [1, 20] {
            let part = Moco {
                queue,
                hidden: Some(24),
                out: 8,
                ..Default::default()
            };
            check_architecture(&part, &narrow(), &[image(), image()]);
        }
    }

    #[test]
    fn trains_as_the_reference_over_two_turns_of_the_queue() {
        let part = Moco {
            queue: 10,
            momentum: 0.9,
            hidden: None,
            out: 8,
        };
        golden::check_learner("moco", &part, &narrow());
    }

    #[test]
    fn options_out_of_range_name_their_key() {
        let fails = |part: Moco| part.validate().expect_err("out of range").to_string();
        let default = Moco::default;
        assert_eq!(
            fails(Moco { queue: 0, ..default() }),
            "queue: 0 is not from 1 to 16777216 keys of 128 numbers"
        );
        assert_eq!(
            fails(Moco {
                momentum: 1.0,
                ..default()
            }),
            "momentum: 1 is not at least 0 and below 1"
        );
        assert_eq!(fails(Moco { out: 0, ..default() }), "out: 0 is not from 2 to 65536");
    }
}
