//! Architectures in training, compared with the golden files of `golden/moco.py`.

use super::{assert_close, digest, noise, read, weight};
use crate::optimizers::Sgd;
use fmicl_core::tch::nn::VarStore;
use fmicl_core::tch::{self, Device, Kind, Tensor};
use fmicl_core::{Architecture, Backbone, Negatives, Optimizer, Pairing, Parameters, normalize};

/// Of the generator's training.
const RATE: f64 = 0.05;
const TEMPERATURE: f64 = 0.2;
const SIDE: i64 = 16;

/// Builds an architecture in f64, gives it the golden weights, trains it with SGD and InfoNCE for as many steps as
/// the file has, and compares the losses and then every variable with the file's.
pub(crate) fn check_learner(file: &str, part: &dyn Architecture, backbone: &dyn Backbone) {
    let mut expected = read(file);
    let mut take = |key: &str| {
        expected
            .remove(key)
            .unwrap_or_else(|| panic!("{file}: the reference has no {key}"))
    };
    let losses = take("losses");
    let [batch, total] = ["batch", "total steps"].map(|key| take(key).int64_value(&[]));

    let mut store = VarStore::new(Device::Cpu);
    let mut learner = part
        .build(&store.root(), &|path| backbone.build(path))
        .expect("the architecture builds");
    store.double();
    let mut parameters = Parameters::new(&store);
    for (name, mut var) in store.variables() {
        let value = match name.as_str() {
            "queue" => normalize(&noise(&name, &var.size())),
            "queue_ptr" => var.zeros_like(),
            // A momentum copy has the weights of what it follows.
            _ => weight(name.trim_start_matches("momentum."), &var.size()),
        };
        tch::no_grad(|| var.copy_(&value));
    }
    let sgd = Sgd {
        momentum: 0.9,
        nesterov: false,
        weight_decay: 0.01,
    };
    let mut stepper = sgd.build(&parameters);
    for step in 0..losses.size()[0] {
        let view = |view| noise(&format!("view {view} step {step}"), &[batch, 3, SIDE, SIDE]).into();
        let pairings = learner.pairings(&[view(0), view(1)]);
        let sum: Tensor = pairings.iter().map(info_nce).sum();
        let loss = sum / pairings.len() as f64;
        let at = format!("{file}: loss at step {step}");
        assert_close(&at, &loss.detach(), &losses.get(step), 1e-9);
        loss.backward();
        stepper.step(&mut parameters, RATE);
        parameters.zero_grad();
        learner
            .after_step(&parameters, (step + 1) as f64 / total as f64)
            .unwrap();
    }
    for (name, var) in store.variables() {
        let found = if name.starts_with("queue") {
            var.detach()
        } else {
            digest(name.trim_start_matches("momentum."), &var.detach())
        };
        assert_close(&format!("{file}: {name}"), &found, &take(&name), 1e-9);
    }
    assert!(expected.is_empty(), "{file}: not here: {:?}", expected.keys());
}

/// As the references write it: the cross entropy of the row of similarities, where the positive is the label.
fn info_nce(pairing: &Pairing) -> Tensor {
    let Pairing { anchors, positives, .. } = pairing;
    let count = anchors.size()[0];
    let (cosines, labels) = match &pairing.negatives {
        Negatives::Bank(bank) => {
            let positive = (anchors * positives).sum_dim_intlist([1].as_slice(), true, Kind::Double);
            let cosines = Tensor::cat(&[positive, anchors.matmul(&bank.tr())], 1);
            (cosines, Tensor::zeros([count], (Kind::Int64, Device::Cpu)))
        }
        _ => (
            anchors.matmul(&positives.tr()),
            Tensor::arange(count, (Kind::Int64, Device::Cpu)),
        ),
    };
    (cosines / TEMPERATURE).log_softmax(-1, Kind::Double).nll_loss(&labels)
}
