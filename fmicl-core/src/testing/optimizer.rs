//! The laws of an optimizer.

use crate::{Optimizer, Parameters, Stepper};
use tch::nn::VarStore;
use tch::{Device, Kind, Tensor};

/// Checks on a small quadratic: steps lead down; a learning rate of zero changes nothing; the rate of a group is a factor of
/// it; without a gradient, a group
/// that does not decay stays where it is; and a new optimizer with copied values and state continues like the old one,
/// to the bit.
///
/// # Panics
/// With the law that is broken.
pub fn check_optimizer(part: &dyn Optimizer) {
    part.validate().expect("the options are in range");
    steps_lead_down(part);
    without_a_rate_nothing_moves(part);
    the_rate_of_a_group_is_a_factor(part);
    without_a_gradient_only_what_decays_moves(part);
    restored_state_goes_on_to_the_bit(part);
}

/// Two weights and a bias, at the same values every time.
fn parameters() -> Parameters {
    let store = VarStore::new(Device::Cpu);
    for (name, size) in [("weight", [4, 3].as_slice()), ("other", &[5, 2]), ("bias", &[4])] {
        let values = Tensor::linspace(-1.0, 1.5, size.iter().product(), (Kind::Float, Device::Cpu));
        let _ = store.root().var_copy(name, &values.view(size));
    }
    Parameters::new(&store)
}

/// A step on `sum_i (i + 1) p_i^2 / 2` of each group.
fn step(stepper: &mut dyn Stepper, parameters: &mut Parameters, lr: f64) {
    for group in &mut parameters.groups {
        group.grads.copy_(&(curvature(&group.values) * &group.values));
    }
    stepper.step(parameters, lr);
}

fn curvature(values: &Tensor) -> Tensor {
    Tensor::arange(values.size()[0], (Kind::Float, Device::Cpu)) / 4.0 + 1.0
}

fn heights(parameters: &Parameters) -> Vec<f64> {
    let height = |values: &Tensor| {
        (curvature(values) * values.square())
            .sum(Kind::Double)
            .double_value(&[])
            / 2.0
    };
    parameters.groups.iter().map(|group| height(&group.values)).collect()
}

fn copies(tensors: impl IntoIterator<Item = Tensor>) -> Vec<Tensor> {
    tensors.into_iter().map(|tensor| tensor.copy()).collect()
}

fn values(parameters: &Parameters) -> Vec<Tensor> {
    parameters.groups.iter().map(|group| group.values.copy()).collect()
}

fn steps_lead_down(part: &dyn Optimizer) {
    let mut parameters = parameters();
    let mut stepper = part.build(&parameters);
    let before = heights(&parameters);
    for _ in 0..20 {
        step(&mut *stepper, &mut parameters, 0.01);
    }
    for (before, after) in before.iter().zip(heights(&parameters)) {
        assert!(
            after < *before,
            "{part:?}: 20 steps at 0.01 lead from {before} to {after} on a quadratic"
        );
    }
}

fn without_a_rate_nothing_moves(part: &dyn Optimizer) {
    let mut parameters = parameters();
    let mut stepper = part.build(&parameters);
    let before = values(&parameters);
    for _ in 0..2 {
        step(&mut *stepper, &mut parameters, 0.0);
    }
    assert_eq!(
        before,
        values(&parameters),
        "{part:?}: a learning rate of 0 changes values"
    );
}

fn the_rate_of_a_group_is_a_factor(part: &dyn Optimizer) {
    let moved = |rate: f64, lr: f64| {
        let mut parameters = parameters();
        parameters.groups.iter_mut().for_each(|group| group.rate = rate);
        let mut stepper = part.build(&parameters);
        (0..3).for_each(|_| step(&mut *stepper, &mut parameters, lr));
        values(&parameters)
    };
    assert_eq!(
        moved(0.5, 0.02),
        moved(1.0, 0.01),
        "{part:?}: the rate of a group is not a factor of the learning rate"
    );
}

fn without_a_gradient_only_what_decays_moves(part: &dyn Optimizer) {
    let mut parameters = parameters();
    let mut stepper = part.build(&parameters);
    let before = values(&parameters);
    parameters.zero_grad();
    for _ in 0..3 {
        stepper.step(&mut parameters, 0.1);
    }
    let after = values(&parameters);
    for (group, (before, after)) in parameters.groups.iter().zip(before.iter().zip(&after)) {
        assert!(
            group.decays || before == after,
            "{part:?}: values that do not decay move without a gradient"
        );
        let grows = after.norm().double_value(&[]) > before.norm().double_value(&[]);
        assert!(!grows, "{part:?}: values that decay grow without a gradient");
    }
}

fn restored_state_goes_on_to_the_bit(part: &dyn Optimizer) {
    let mut parameters = parameters();
    let mut stepper = part.build(&parameters);
    for _ in 0..3 {
        step(&mut *stepper, &mut parameters, 0.01);
    }
    let state = stepper.state();
    let mut names: Vec<_> = state.iter().map(|(name, _)| name.clone()).collect();
    let saved_state = copies(state.into_iter().map(|(_, tensor)| tensor));
    let saved_values = values(&parameters);
    let go_on = |stepper: &mut dyn Stepper, parameters: &mut Parameters| {
        for lr in [0.01, 0.02] {
            step(stepper, parameters, lr);
        }
        (
            values(parameters),
            copies(stepper.state().into_iter().map(|(_, tensor)| tensor)),
        )
    };
    let expected = go_on(&mut *stepper, &mut parameters);

    // As after a crash: nothing survives but what was saved.
    let mut stepper = part.build(&parameters);
    for (group, saved) in parameters.groups.iter_mut().zip(&saved_values) {
        group.values.copy_(saved);
    }
    let fresh = stepper.state();
    assert_eq!(
        names,
        fresh.iter().map(|(name, _)| name.clone()).collect::<Vec<_>>(),
        "{part:?}: names of the state change"
    );
    for ((_, mut tensor), saved) in fresh.into_iter().zip(&saved_state) {
        tensor.copy_(saved);
    }
    assert_eq!(
        expected,
        go_on(&mut *stepper, &mut parameters),
        "{part:?}: restored state goes on otherwise"
    );

    names.sort();
    names.dedup();
    assert_eq!(
        names.len(),
        saved_state.len(),
        "{part:?}: two tensors of the state have one name"
    );
}
