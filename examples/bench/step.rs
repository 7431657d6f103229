//! A training step with views that lie on the device: `step architecture=simclr depth=50 size=224 batch=128
//! precision=f32|bf16 device=cuda:0`, of a ResNet, f-MICL and SGD.

use crate::{Arguments, loss, time};
use fmicl_core::tch::nn::VarStore;
use fmicl_core::{Architecture, Backbone, Input, Objective, Optimizer, Parameters, Part, View, WithoutTf32};
use fmicl_runner::Precision;
use serde::Deserialize;
use std::error::Error;
use tch::{Kind, Tensor};
use toml::{Table, Value};

pub fn run(arguments: &Arguments) -> Result<(), Box<dyn Error>> {
    let precision = Precision::deserialize(Value::from(arguments.text("precision")?))?;
    let device = precision.on(arguments.device()?)?;
    let (batch, size) = (arguments.number("batch")?, arguments.number("size")?);
    let depth = Table::from_iter([("depth".to_string(), arguments.number("depth")?.into())]);
    let backbone: Part<dyn Backbone> = Part::new("resnet", depth)?;
    let architecture: Part<dyn Architecture> = Part::new(arguments.text("architecture")?, Table::new())?;
    let objective: Part<dyn Objective> = Part::from_value(loss::f_micl("js", "within", "none")?)?;
    let optimizer: Part<dyn Optimizer> = Part::new("sgd", Table::new())?;

    let held = time::held();
    let store = VarStore::new(device);
    let build = |path: &tch::nn::Path| backbone.build_for(path, Input::Images { size, channels: 3 });
    let mut learner = architecture.build(&store.root(), &build)?;
    let mut parameters = Parameters::new(&store);
    let mut stepper = optimizer.build(&parameters);
    let view = |_| Tensor::randn([batch, 3, size, size], (Kind::Float, device)).into();
    let views: Vec<View> = (0..learner.views()).map(view).collect();
    time::repeat(arguments.number("times")?, held, || {
        let pairings = precision.pairings(&mut *learner, &views);
        let loss = {
            let _exact = WithoutTf32::new();
            let losses = pairings.iter().map(|pairing| objective.loss(pairing).value);
            losses.sum::<Tensor>() / pairings.len() as f64
        };
        loss.backward();
        stepper.step(&mut parameters, 1e-3);
        parameters.zero_grad();
        let updated = learner.after_step(&parameters, 0.5);
        assert!(updated.is_ok(), "{updated:?}");
        // Waits for the device.
        loss.double_value(&[]);
    })
}
