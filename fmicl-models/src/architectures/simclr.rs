//! SimCLR, Chen et al., "A Simple Framework for Contrastive Learning of Visual Representations", ICML 2020,
//! arXiv 2002.05709.
//!
//! The projector is that of `google-research/simclr`'s `projection_head`: every linear layer is without bias
//! and followed by a batch norm, the last one too. There the last norm has a scale and no shift; here, as in
//! PyTorch's reimplementations, it has both.

use super::branch::{Branch, check_widths, widths};
use crate::layers::{Mlp, Norms};
use fmicl_core::tch::{self, Tensor, nn};
use fmicl_core::{
    Architecture, BuildBackbone, Documented, Encoder, Learner, Negatives, Pairing, Result, View, normalize, register,
    require,
};
use serde::{Deserialize, Serialize};

/// SimCLR: one network encodes both views; the rest of the batch are negatives.
#[derive(Debug, Documented, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct SimClr {
    /// Units of the projector's hidden layers, at least 1; absent by default: the number of the backbone's features.
    pub hidden: Option<i64>,
    /// Dimensions of the features that the objective compares, at least 2.
    pub out: i64,
    /// Linear layers of the projector; 0 for none: the objective then compares the backbone's features, and `out` has
    /// no effect.
    pub layers: usize,
    /// Adds a batch norm after each of them.
    pub batch_norm: bool,
    /// Uses a third view as a hard negative of every anchor, for a dataset of triplets. Only the first views are
    /// anchors then, as in SimCSE (Gao et al., EMNLP 2021, arXiv 2104.08821, equation 5).
    pub hard_negatives: bool,
}

impl Default for SimClr {
    fn default() -> Self {
        SimClr {
            hidden: None,
            out: 128,
            layers: 2,
            batch_norm: true,
            hard_negatives: false,
        }
    }
}

register!(
    Architecture,
    "simclr",
    SimClr,
    "one network for both views, negatives from the batch"
);

impl Architecture for SimClr {
    fn validate(&self) -> Result<()> {
        check_widths(self.hidden.unwrap_or(1), self.out)?;
        require(self.layers <= 16, "layers", || {
            format!("{} is not from 0 to 16", self.layers)
        })?;
        require(self.hidden.is_none() || self.layers > 1, "hidden", || {
            format!(
                "a projector of {} layers has no hidden one; leave it out or set layers = 2",
                self.layers
            )
        })
    }

    fn bears_repulsion(&self) -> bool {
        self.batch_norm && self.layers > 0
    }

    fn build(&self, root: &nn::Path, backbone: &BuildBackbone) -> Result<Box<dyn Learner>> {
        let norms = if self.batch_norm { Norms::All } else { Norms::None };
        let projector = |path: &nn::Path, encoder: &dyn Encoder| {
            let width = encoder.width();
            let widths = match self.layers {
                0 => vec![width],
                layers => widths(width, self.hidden.unwrap_or(width), self.out, layers),
            };
            Mlp::new(path, &widths, norms)
        };
        Ok(Box::new(Net {
            branch: Branch::new(root, backbone, projector)?,
            hard_negatives: self.hard_negatives,
        }))
    }
}

#[derive(Debug)]
struct Net {
    branch: Branch,
    hard_negatives: bool,
}

impl Net {
    fn features(&self, view: &View, train: bool) -> Tensor {
        normalize(&self.branch.forward(view, train))
    }
}

impl Learner for Net {
    fn views(&self) -> usize {
        if self.hard_negatives { 3 } else { 2 }
    }

    /// All views, of the same shape, pass in one batch of `2N`, as in the reference: batch norms see the
    /// statistics of all together (so a network cannot tell the views apart by them), and their running
    /// statistics move once a step.
    fn pairings(&mut self, views: &[View]) -> Vec<Pairing> {
        let features = self.features(&concatenate(views), true);
        let n = features.size()[0] / views.len() as i64;
        vec![Pairing {
            anchors: features.narrow(0, 0, n),
            positives: features.narrow(0, n, n),
            negatives: match self.hard_negatives {
                true => Negatives::Candidates(features.narrow(0, n, 2 * n)),
                false => Negatives::Batch,
            },
        }]
    }

    fn encoder(&self) -> &dyn Encoder {
        &*self.branch.encoder
    }

    fn project(&self, view: &View) -> Tensor {
        tch::no_grad(|| self.features(view, false))
    }
}

/// The samples of all views as one view.
fn concatenate(views: &[View]) -> View {
    let inputs: Vec<_> = views.iter().map(|view| &view.input).collect();
    let masks: Option<Vec<_>> = views.iter().map(|view| view.mask.as_ref()).collect();
    View {
        input: Tensor::cat(&inputs, 0),
        mask: masks.map(|masks| Tensor::cat(&masks, 0)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::backbones::ResNet;
    use fmicl_core::tch::{Device, Kind};
    use fmicl_core::testing::check_architecture;

    #[test]
    fn keeps_the_laws_of_an_architecture() {
        let backbone = ResNet {
            width: 4,
            ..Default::default()
        };
        let image = || View::from(Tensor::randn([6, 3, 32, 32], (Kind::Float, Device::Cpu)));
        for (batch_norm, layers) in [(true, 3), (false, 3), (true, 0)] {
            let part = SimClr {
                hidden: (layers > 0).then_some(24),
                out: 8,
                layers,
                batch_norm,
                hard_negatives: layers == 0,
            };
            check_architecture(&part, &backbone, &[image(), image(), image()]);
        }
    }

    #[test]
    fn options_out_of_range_name_their_key() {
        let fails = |part: SimClr| part.validate().expect_err("out of range").to_string();
        assert_eq!(
            fails(SimClr {
                hidden: Some(0),
                ..Default::default()
            }),
            "hidden: 0 is not from 1 to 65536"
        );
        assert_eq!(
            fails(SimClr {
                out: 1,
                ..Default::default()
            }),
            "out: 1 is not from 2 to 65536"
        );
        assert_eq!(
            fails(SimClr {
                layers: 17,
                ..Default::default()
            }),
            "layers: 17 is not from 0 to 16"
        );
    }

    #[test]
    fn the_hidden_layer_is_as_wide_as_the_backbone_unless_told() {
        let store = nn::VarStore::new(Device::Cpu);
        let backbone = ResNet {
            width: 2,
            ..Default::default()
        };
        let build = |path: &nn::Path| fmicl_core::Backbone::build(&backbone, path);
        let _learner = SimClr::default().build(&store.root(), &build).expect("builds");
        let shape = |name: &str| store.variables()[name].size();
        assert_eq!(shape("projector.0.weight"), [16, 16]);
        assert_eq!(shape("projector.3.weight"), [128, 16]);
    }
}
