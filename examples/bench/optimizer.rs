//! An optimizer's step and a momentum copy's on ResNet-50's parameters: `optimizer name=sgd|adamw`.

use crate::{Arguments, time};
use fmicl_core::{Backbone, Momentum, Optimizer, Parameters, Part};
use std::error::Error;
use tch::{Device, nn::VarStore};

pub fn run(arguments: &Arguments) -> Result<(), Box<dyn Error>> {
    let depth = toml::Table::from_iter([("depth".to_string(), arguments.number("depth").unwrap_or(50).into())]);
    let backbone: Part<dyn Backbone> = Part::new("resnet", depth)?;
    let store = VarStore::new(Device::Cpu);
    let _network = backbone.build(&store.root())?;
    let mut copy = Momentum::new(&store.root(), |path| backbone.build(path))?;
    let mut parameters = Parameters::new(&store);
    let optimizer: Part<dyn Optimizer> = Part::new(arguments.text("name")?, toml::Table::new())?;
    let mut stepper = optimizer.build(&parameters);
    for group in &mut parameters.groups {
        let _ = group.grads.normal_(0.0, 0.01);
    }
    time::repeat(arguments.number("times")?, time::held(), || {
        stepper.step(&mut parameters, 1e-3);
        copy.update(&parameters, 0.996);
    })
}
