//! MoCo v3: a momentum encoder computes keys of both views, the other keys of the batch are the negatives, and the
//! queries pass through a predictor.
//!
//! Source: Chen, Xie and He, "An Empirical Study of Training Self-Supervised Vision Transformers", ICCV 2021,
//! arXiv 2104.02057, algorithm 1; heads and momentum from `moco/builder.py` and `main_moco.py` of
//! facebookresearch/moco-v3.

use super::branch::{Branch, check_layers, check_momentum, check_widths, widths};
use crate::layers::{Mlp, Norms};
use crate::schedules::{cosine, factor};
use fmicl_core::tch::{self, Tensor, nn};
use fmicl_core::{
    Architecture, BuildBackbone, Documented, Encoder, Learner, Momentum, Negatives, Pairing, Parameters, Part, Result,
    Schedule, View, normalize, register,
};
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// MoCo v3: queries of each view with keys of the other.
#[derive(Debug, Documented, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct MocoV3 {
    /// Units of the hidden layers of projector and predictor, at least 1.
    pub hidden: i64,
    /// Dimensions of the features that the objective compares, at least 2.
    pub out: i64,
    /// Linear layers of the projector, at least 1; absent by default: 3 for a transformer and 2 for other backbones.
    pub projector_layers: Option<usize>,
    /// Linear layers of the predictor, at least 1. For a transformer a batch norm follows the last one, too.
    pub predictor_layers: usize,
    /// Initial momentum of the momentum encoder (EMA decay per step), at least 0 and below 1.
    pub momentum: f64,
    /// Schedule of `1 - momentum` over training; by default it falls to 0 along half a cosine.
    pub schedule: Part<dyn Schedule>,
}

impl Default for MocoV3 {
    fn default() -> Self {
        MocoV3 {
            hidden: 4096,
            out: 256,
            projector_layers: None,
            predictor_layers: 2,
            momentum: 0.99,
            schedule: cosine(),
        }
    }
}

register!(
    Architecture,
    "moco-v3",
    MocoV3,
    "both views against the other's keys from a momentum encoder, with a predictor"
);

impl Architecture for MocoV3 {
    fn validate(&self) -> Result<()> {
        check_widths(self.hidden, self.out)?;
        check_layers("projector_layers", self.projector_layers.unwrap_or(1))?;
        check_layers("predictor_layers", self.predictor_layers)?;
        check_momentum(self.momentum)
    }

    fn build(&self, root: &nn::Path, backbone: &BuildBackbone) -> Result<Box<dyn Learner>> {
        let projector = |path: &nn::Path, encoder: &dyn Encoder| {
            let default = if encoder.is_transformer() { 3 } else { 2 };
            let layers = self.projector_layers.unwrap_or(default);
            let widths = widths(encoder.width(), self.hidden, self.out, layers);
            Mlp::new(path, &widths, Norms::AllLastPlain)
        };
        let branch = |root: &nn::Path| Branch::new(root, backbone, projector);
        let query = branch(root)?;
        let norms = if query.encoder.is_transformer() {
            Norms::AllLastPlain
        } else {
            Norms::Hidden
        };
        let widths = widths(self.out, self.hidden, self.out, self.predictor_layers);
        Ok(Box::new(Net {
            query,
            predictor: Mlp::new(&(root / "predictor"), &widths, norms),
            key: Momentum::new(root, branch)?,
            momentum: self.momentum,
            schedule: (self.schedule.name(), self.schedule.share()),
        }))
    }
}

#[derive(Debug)]
struct Net {
    query: Branch,
    predictor: Mlp,
    key: Momentum<Branch>,
    momentum: f64,
    /// Its name and itself.
    schedule: (&'static str, Arc<dyn Schedule>),
}

impl Learner for Net {
    /// Both encoders are in training mode. A view passes alone, as in the reference: batch norms see the
    /// statistics of one view at a time.
    fn pairings(&mut self, views: &[View]) -> Vec<Pairing> {
        let query = |view| {
            let projection = self.query.forward(view, true);
            normalize(&self.predictor.forward(&projection, true))
        };
        let key = |view| tch::no_grad(|| normalize(&self.key.network().forward(view, true)));
        let pair = |anchors, positives| Pairing {
            anchors,
            positives,
            negatives: Negatives::Keys,
        };
        // In the reference's order, which the running statistics depend on.
        let [q1, q2] = [query(&views[0]), query(&views[1])];
        let [k1, k2] = [key(&views[0]), key(&views[1])];
        vec![pair(q1, k2), pair(q2, k1)]
    }

    fn encoder(&self) -> &dyn Encoder {
        &*self.query.encoder
    }

    /// Projections without the predictor, like keys.
    fn project(&self, view: &View) -> Tensor {
        tch::no_grad(|| normalize(&self.query.forward(view, false)))
    }

    fn after_step(&mut self, parameters: &Parameters, progress: f64) -> Result<()> {
        let (name, schedule) = &self.schedule;
        let momentum = 1.0 - (1.0 - self.momentum) * factor(name, &**schedule, progress)?;
        self.key.update(parameters, momentum);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::backbones::{ResNet, Stem, Vit};
    use crate::golden;
    use fmicl_core::tch::{Device, Kind};
    use fmicl_core::testing::check_architecture;
    use fmicl_core::toml;

    #[derive(Debug, Default, Serialize, Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Halves {}

    register!(Schedule, "halves", Halves, "1, then a half, for tests");

    impl Schedule for Halves {
        fn factor(&self, progress: f64) -> f64 {
            if progress < 0.5 { 1.0 } else { 0.5 }
        }
    }

    fn narrow() -> ResNet {
        ResNet {
            stem: Stem::Cifar,
            width: 4,
            ..Default::default()
        }
    }

    fn small() -> MocoV3 {
        MocoV3 {
            hidden: 24,
            out: 8,
            momentum: 0.9,
            ..Default::default()
        }
    }

    #[test]
    fn keeps_the_laws_of_an_architecture() {
        let image = || View::from(Tensor::randn([6, 3, 16, 16], (Kind::Float, Device::Cpu)));
        check_architecture(&small(), &narrow(), &[image(), image()]);
        let other = MocoV3 {
            projector_layers: Some(1),
            predictor_layers: 3,
            schedule: Part::new("halves", toml::Table::new()).expect("registered above"),
            ..small()
        };
        check_architecture(&other, &narrow(), &[image(), image()]);
    }

    #[test]
    fn trains_as_the_reference() {
        golden::check_learner("moco-v3", &small(), &narrow());
    }

    #[test]
    fn a_transformer_has_heads_of_its_own_as_in_the_reference() {
        let transformer = Vit {
            image_size: Some(16),
            width: 24,
            depth: 2,
            heads: 3,
            ..Default::default()
        };
        let image = || View::from(Tensor::randn([6, 3, 16, 16], (Kind::Float, Device::Cpu)));
        check_architecture(&small(), &transformer, &[image(), image()]);
        golden::check_learner("moco-v3-vit", &small(), &transformer);
    }

    #[test]
    fn options_out_of_range_name_their_key() {
        let fails = |part: MocoV3| part.validate().expect_err("out of range").to_string();
        let default = MocoV3::default;
        assert_eq!(
            fails(MocoV3 { hidden: 0, ..default() }),
            "hidden: 0 is not from 1 to 65536"
        );
        assert_eq!(
            fails(MocoV3 {
                momentum: -0.1,
                ..default()
            }),
            "momentum: -0.1 is not at least 0 and below 1"
        );
        let layers = MocoV3 {
            projector_layers: Some(17),
            ..default()
        };
        assert_eq!(fails(layers), "projector_layers: 17 is not from 1 to 16");
    }
}
