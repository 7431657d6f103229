//! A copy of an encoder with a linear classifier, trained as one network.

use super::layers;
use crate::normal::new_weights;
use fmicl_core::{Encoder, Optimizer, Parameters, Result, Stepper, Trainable, View, weights};
use std::path::Path;
use tch::nn::VarStore;
use tch::{Device, Reduction, Tensor};

/// How the network is trained.
pub struct Recipe<'a> {
    pub optimizer: &'a dyn Optimizer,
    /// The factor of the learning rate from one layer to the one before it; 1 for none.
    pub layer_decay: f64,
    /// The part of the target that all classes share.
    pub label_smoothing: f64,
}

/// The network, and the state of its optimizer.
pub struct Tuning {
    store: VarStore,
    encoder: Box<dyn Encoder>,
    /// The classifier's weights `[C, d]` and biases `[C]`.
    head: [Tensor; 2],
    parameters: Parameters,
    stepper: Box<dyn Stepper>,
    label_smoothing: f64,
    about: String,
}

/// Values of all variables, by name.
pub type Snapshot = Vec<(String, Tensor)>;

impl Tuning {
    /// The encoder with a classifier of `classes`, whose weights `[d, C]` begin as these, or as those of `seed`.
    pub fn new(trainable: Trainable, classes: usize, seed: u64, recipe: &Recipe) -> Self {
        let Trainable { store, encoder, about } = trainable;
        let names: Vec<String> = store.variables().into_keys().collect();
        let head = {
            // As MoCo v3's code calls it: `fc` in torchvision's networks, `head` in timm's.
            let called = match encoder.is_transformer() {
                true => ["head", "fc", "classifier"],
                false => ["fc", "head", "classifier"],
            };
            let is_free = |name: &&str| !names.iter().any(|own| own.starts_with(&format!("{name}.")));
            let path = store.root() / called.into_iter().find(is_free).unwrap_or("finetune");
            let weights = new_weights(encoder.width(), classes as i64, seed).tr();
            let bias = path.var("bias", &[classes as i64], tch::nn::Init::Const(0.0));
            [path.var_copy("weight", &weights), bias]
        };
        let rates = match recipe.layer_decay {
            1.0 => Vec::new(),
            decay => layers::rates(names, decay),
        };
        let parameters = Parameters::with_rates(&store, &rates);
        Tuning {
            stepper: recipe.optimizer.build(&parameters),
            parameters,
            label_smoothing: recipe.label_smoothing,
            store,
            encoder,
            head,
            about,
        }
    }

    /// A step on a view of `N` samples with labels `[N]`, batch norm in training mode. Returns the mean loss before it, without a
    /// device sync.
    pub fn step(&mut self, view: &View, labels: &Tensor, lr: f64) -> Tensor {
        let loss = tch::with_grad(|| {
            let logits = self.logits_in(view, true);
            let nothing: Option<&Tensor> = None;
            let loss = logits.cross_entropy_loss(labels, nothing, Reduction::Mean, -100, self.label_smoothing);
            loss.backward();
            loss.detach()
        });
        self.stepper.step(&mut self.parameters, lr);
        self.parameters.zero_grad();
        loss
    }

    /// Logits `[N, C]` of a view of `N` samples, in evaluation mode.
    pub fn logits(&self, view: &View) -> Tensor {
        tch::no_grad(|| self.logits_in(view, false))
    }

    fn logits_in(&self, view: &View, train: bool) -> Tensor {
        let [weights, bias] = &self.head;
        self.encoder.forward(view, train).linear(weights, Some(bias))
    }

    /// Copies of all variables.
    pub fn snapshot(&self) -> Snapshot {
        let variables = self.store.variables().into_iter();
        variables
            .map(|(name, var)| (name, tch::no_grad(|| var.copy())))
            .collect()
    }

    /// Takes the values of a snapshot of this network.
    pub fn restore(&mut self, snapshot: &Snapshot) {
        let mut variables = self.store.variables();
        for (name, value) in snapshot {
            if let Some(var) = variables.get_mut(name) {
                tch::no_grad(|| var.copy_(value));
            }
        }
    }

    /// Writes all variables to a safetensors file, atomically: the backbone's by torchvision's or timm's names, and the classifier
    /// as `fc` or `head`.
    ///
    /// # Errors
    /// Those of [`weights::write_about`].
    pub fn write(&self, path: &Path) -> Result<()> {
        let variables = self.store.variables().into_iter();
        let mut variables: Vec<_> = variables
            .map(|(name, var)| (name, var.detach().to_device(Device::Cpu)))
            .collect();
        variables.sort_by(|(a, _), (b, _)| a.cmp(b));
        match self.about.is_empty() {
            true => weights::write(variables, path),
            false => weights::write_about(variables, &self.about, path),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::support::Net;
    use fmicl_models::optimizers::Sgd;
    use serde_json::Value;
    use tch::Kind;

    fn tensor(value: &Value, size: &[i64]) -> Tensor {
        let values: Vec<f32> = serde_json::from_value(value.clone()).unwrap();
        Tensor::from_slice(&values).view(size)
    }

    /// The network of `golden/finetune.py` before its first step.
    fn tuning(golden: &Value, seed: u64) -> Tuning {
        let store = VarStore::new(Device::Cpu);
        let encoder = Box::new(Net::new(&store.root()));
        let trainable = Trainable {
            store,
            encoder,
            about: String::new(),
        };
        let optimizer = Sgd {
            momentum: 0.9,
            nesterov: true,
            weight_decay: 1e-3,
        };
        let recipe = Recipe {
            optimizer: &optimizer,
            layer_decay: 0.5,
            label_smoothing: 0.1,
        };
        let tuning = Tuning::new(trainable, 4, seed, &recipe);
        for (name, mut var) in tuning.store.variables() {
            let value = &golden["weights"][&name];
            if !value.is_null() {
                tch::no_grad(|| var.copy_(&tensor(value, &var.size())));
            }
        }
        tuning
    }

    #[test]
    fn losses_are_those_of_torch() {
        let golden: Value = serde_json::from_str(include_str!("../../golden/finetune.json")).unwrap();
        let mut tuning = tuning(&golden, 0);
        let images = tensor(&golden["images"], &[24, 3, 6, 6]);
        let labels: Vec<i64> = serde_json::from_value(golden["labels"].clone()).unwrap();
        let labels = Tensor::from_slice(&labels);
        let order: Vec<Vec<i64>> = serde_json::from_value(golden["order"].clone()).unwrap();
        let numbers = |key: &str| -> Vec<f64> { serde_json::from_value(golden[key].clone()).unwrap() };
        let (rates, losses) = (numbers("lr"), numbers("losses"));
        assert_eq!(losses.len(), 20);
        for (step, batch) in order.iter().enumerate() {
            let batch = Tensor::from_slice(batch);
            let view = images.index_select(0, &batch).into();
            let loss = tuning.step(&view, &labels.index_select(0, &batch), rates[step]);
            let off = (loss.double_value(&[]) - losses[step]).abs();
            assert!(off < 1e-4, "step {step}: {loss:?} is off by {off}");
        }
        let logits = tuning.logits(&images.into());
        let off = (&logits - tensor(&golden["logits"], &logits.size())).abs().max();
        assert!(off.double_value(&[]) < 1e-3, "{off:?}");
    }

    #[test]
    fn a_snapshot_brings_every_variable_back() {
        let golden = Value::Null;
        let mut tuning = tuning(&golden, 3);
        let view: View = new_weights(8, 108, 1).view([8, 3, 6, 6]).into();
        let labels = Tensor::from_slice(&[0i64, 1, 2, 3, 0, 1, 2, 3]);
        let (before, snapshot) = (tuning.logits(&view), tuning.snapshot());
        let _ = tuning.step(&view, &labels, 1.0);
        assert_ne!(tuning.logits(&view), before);
        tuning.restore(&snapshot);
        assert_eq!(tuning.logits(&view), before);
    }

    #[test]
    fn the_file_has_the_names_of_torchvision() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("net.safetensors");
        let tuning = tuning(&Value::Null, 0);
        tuning.write(&path).unwrap();
        let read = weights::read(&path).unwrap();
        let mut names: Vec<_> = read.keys().map(String::as_str).collect();
        names.sort_unstable();
        let expected = [
            "bn1.bias",
            "bn1.running_mean",
            "bn1.running_var",
            "bn1.weight",
            "conv1.weight",
            "fc.bias",
            "fc.weight",
            "layer1.0.conv1.weight",
        ];
        assert_eq!(names, expected);
        assert_eq!(
            (read["fc.weight"].size(), read["fc.weight"].kind()),
            (vec![4, 8], Kind::Float)
        );
    }
}
