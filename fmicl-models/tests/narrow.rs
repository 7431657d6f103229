//! Networks of few channels train as they should on every processor: what is written beyond a buffer is found.

#![expect(clippy::unwrap_used, reason = "helpers of tests")]

use fmicl_core::tch::nn::VarStore;
use fmicl_core::tch::{self, Device, Kind, Tensor};
use fmicl_core::testing::on_every_processor;
use fmicl_core::{Architecture, Backbone, Optimizer, Parameters};
use fmicl_models::architectures::{Moco, MocoV3, SimClr};
use fmicl_models::backbones::{ResNet, Stem, Vit};
use fmicl_models::optimizers::Sgd;

const BATCH: i64 = 4;

/// All weights after two steps on noise.
fn train(architecture: &dyn Architecture, backbone: &dyn Backbone, side: i64) -> Vec<(String, Tensor)> {
    let what = format!("{architecture:?} of {backbone:?} on {side} pixels");
    println!("{what}");
    tch::manual_seed(1);
    let store = VarStore::new(Device::Cpu);
    let mut learner = architecture.build(&store.root(), &|path| backbone.build(path)).unwrap();
    let mut parameters = Parameters::new(&store);
    let mut stepper = Sgd::default().build(&parameters);
    for step in 1..=2 {
        let view = || Tensor::randn([BATCH, 3, side, side], (Kind::Float, Device::Cpu)).into();
        for pairing in learner.pairings(&[view(), view()]) {
            let attraction = (&pairing.anchors * &pairing.positives).sum(Kind::Float);
            let repulsion = pairing.anchors.matmul(&pairing.positives.tr()).exp().sum(Kind::Float);
            (repulsion.log() - attraction).backward();
        }
        stepper.step(&mut parameters, 0.1);
        parameters.zero_grad();
        learner.after_step(&parameters, f64::from(step) / 2.0).unwrap();
    }
    let mut weights: Vec<_> = store.variables().into_iter().collect();
    weights.sort_by(|(a, _), (b, _)| a.cmp(b));
    for (name, weight) in &weights {
        assert!(
            weight.isfinite().all().int64_value(&[]) == 1,
            "{what}: {name} is not finite"
        );
    }
    weights
}

/// What lies beyond a buffer is not the same twice.
fn check(architecture: &dyn Architecture, backbone: &dyn Backbone, side: i64) {
    let (first, second) = (train(architecture, backbone, side), train(architecture, backbone, side));
    for ((name, first), (_, second)) in first.iter().zip(&second) {
        assert!(
            first.equal(second),
            "{architecture:?} of {backbone:?}: other weights the second time: {name}"
        );
    }
}

/// MoCo v3 with small heads.
fn momentum() -> MocoV3 {
    MocoV3 {
        hidden: 9,
        out: 5,
        ..MocoV3::default()
    }
}

/// A processor with AVX-512 goes wrong with several threads alone.
fn with_two_threads(networks: impl FnOnce()) {
    tch::set_num_threads(2);
    networks();
}

#[test]
fn residual_networks_train_on_every_processor() {
    on_every_processor("residual_networks_train_on_every_processor", || {
        with_two_threads(|| {
            let resnet = |depth, stem, width| ResNet {
                depth,
                stem,
                width,
                ..ResNet::default()
            };
            for width in [2, 3, 4, 5, 7, 8, 12, 15, 17] {
                check(&SimClr::default(), &resnet(18, Stem::Cifar, width), 16);
            }
            for width in [1, 3] {
                check(&SimClr::default(), &resnet(50, Stem::Cifar, width), 16);
                check(
                    &Moco {
                        queue: 10,
                        ..Moco::default()
                    },
                    &resnet(18, Stem::ImageNet, width),
                    33,
                );
            }
            check(&momentum(), &resnet(18, Stem::Cifar, 3), 15);
        });
    });
}

#[test]
fn vision_transformers_train_on_every_processor() {
    on_every_processor("vision_transformers_train_on_every_processor", || {
        with_two_threads(|| {
            for (width, heads, patch) in [(4, 1, 4), (4, 4, 2), (12, 3, 8), (20, 5, 4), (36, 9, 16)] {
                for freeze_patch_embed in [true, false] {
                    let vit = Vit {
                        image_size: Some(16),
                        patch: Some(patch),
                        width,
                        depth: 2,
                        heads,
                        freeze_patch_embed,
                    };
                    check(&momentum(), &vit, 16);
                }
            }
        });
    });
}
