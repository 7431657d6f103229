//! Training in bfloat16, every backbone under every architecture.

#![expect(clippy::unwrap_used, reason = "helpers of tests")]

// The crates that the program links.
#[expect(dead_code, reason = "the tests have a `main` of their own")]
#[path = "../src/main.rs"]
mod program;

use fmicl_core::registry::{self, Listing};
use fmicl_core::tch::nn::VarStore;
use fmicl_core::tch::{self, Device, Kind, Tensor};
use fmicl_core::{Architecture, Backbone, Input, Modality, Objective, Parameters, Part, View};
use fmicl_runner::Precision;

/// What a step leaves.
struct Step {
    loss: f64,
    gradient: Tensor,
    /// Of weights, buffers, anchors and positives.
    kinds: Vec<Kind>,
}

/// Small networks; a backbone that comes later has its defaults.
fn options(backbone: &Listing) -> toml::Table {
    let text = match backbone.name {
        "resnet" => "depth = 18\nstem = 'cifar'\nwidth = 8",
        "vit" => "width = 32\ndepth = 2\nheads = 4",
        // Dropout would draw other masks.
        "bert" => "hidden = 32\nlayers = 2\nheads = 4\ndropout = 0.0\nattention_dropout = 0.0",
        _ => "",
    };
    toml::from_str(text).unwrap()
}

/// One step with the weights and views of one seed.
fn step(architecture: &Listing, backbone: &Listing, precision: Precision) -> Step {
    let architecture = Part::<dyn Architecture>::new(architecture.name, toml::Table::new()).unwrap();
    let backbone = Part::<dyn Backbone>::new(backbone.name, options(backbone)).unwrap();
    let objective = toml::from_str::<toml::Table>("name = 'infonce'\ntemperature = 0.5").unwrap();
    let objective = Part::<dyn Objective>::from_value(objective.into()).unwrap();
    tch::manual_seed(0);
    let store = VarStore::new(Device::Cpu);
    let (input, view): (Input, fn() -> Tensor) = match backbone.modality() {
        Modality::Images => (Input::Images { size: 16, channels: 3 }, || {
            Tensor::randn([16, 3, 16, 16], (Kind::Float, Device::Cpu))
        }),
        Modality::Texts => (
            Input::Tokens {
                vocabulary: 99,
                longest: 9,
            },
            || Tensor::randint(99, [16, 9], (Kind::Int64, Device::Cpu)),
        ),
    };
    let build = |path: &tch::nn::Path| backbone.build_for(path, input);
    let mut learner = architecture.build(&store.root(), &build).unwrap();
    let parameters = Parameters::new(&store);
    let views: Vec<View> = (0..learner.views()).map(|_| view().into()).collect();
    let pairings = precision.pairings(&mut *learner, &views);
    let loss = pairings
        .iter()
        .map(|pairing| objective.loss(pairing).value)
        .sum::<Tensor>();
    loss.backward();
    learner.after_step(&parameters, 0.5).unwrap();
    let rows = pairings
        .iter()
        .flat_map(|pairing| [pairing.anchors.kind(), pairing.positives.kind()]);
    let gradients: Vec<_> = parameters.groups.iter().map(|group| &group.grads).collect();
    Step {
        loss: loss.double_value(&[]),
        gradient: Tensor::cat(&gradients, 0),
        kinds: store.variables().values().map(Tensor::kind).chain(rows).collect(),
    }
}

#[test]
fn a_step_in_bf16_is_near_one_in_f32_and_keeps_weights_statistics_and_features_in_f32() {
    // Where cores are busy, threads that wait for each other in tiny operations take minutes.
    tch::set_num_threads(1);
    for backbone in registry::list::<dyn Backbone>() {
        for architecture in registry::list::<dyn Architecture>() {
            let what = format!("{} under {}", backbone.name, architecture.name);
            let [single, mixed] =
                [Precision::F32, Precision::Bf16].map(|precision| step(&architecture, &backbone, precision));
            assert!(
                mixed
                    .kinds
                    .iter()
                    .all(|kind| *kind == Kind::Float || *kind == Kind::Int64),
                "{what}: {:?}",
                mixed.kinds
            );
            let off = (mixed.loss - single.loss).abs() / single.loss;
            assert!(off < 0.02, "{what}: {} and {} in f32", mixed.loss, single.loss);
            let cosine = Tensor::cosine_similarity(&mixed.gradient, &single.gradient, 0, 1e-12).double_value(&[]);
            assert!(cosine > 0.9, "{what}: gradients have the cosine {cosine}");
            assert!(!mixed.gradient.equal(&single.gradient), "{what}: nothing was in bf16");
        }
    }
}
