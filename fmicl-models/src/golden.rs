//! What the golden files of `golden/` are compared with: the same formulas, in Rust.

mod learner;

pub(crate) use learner::check_learner;

use fmicl_core::tch::nn::{Path, VarStore};
use fmicl_core::tch::{self, Device, Kind, Tensor};
use fmicl_core::{Optimizer, Parameters};
use std::collections::HashMap;

/// The tensors of `golden/{name}.safetensors`.
pub(crate) fn read(name: &str) -> HashMap<String, Tensor> {
    let path = format!("{}/golden/{name}.safetensors", env!("CARGO_MANIFEST_DIR"));
    Tensor::read_safetensors(path)
        .expect("the golden file is there")
        .into_iter()
        .collect()
}

/// Numbers in [-1, 1) that depend on the name and on the index alone.
pub(crate) fn noise(name: &str, size: &[i64]) -> Tensor {
    let hashed = name.bytes().fold(0x811C_9DC5u32, |hash, byte| {
        (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193)
    });
    // Whole numbers alone: a sine has other last digits on another processor.
    let low = |x: Tensor| x.bitwise_and(0xFFFF_FFFF_i64);
    let mixed = |x: &Tensor, shift: i64| x.bitwise_xor_tensor(&x.bitwise_right_shift_tensor_scalar(shift));
    let index = Tensor::arange_start(1, size.iter().product::<i64>() + 1, (Kind::Int64, Device::Cpu));
    let mut x = low(index * 0x61C8_8647_i64 + i64::from(hashed));
    for shift in [16, 15] {
        x = low(mixed(&x, shift) * 0x7FEB_352D_i64);
    }
    (mixed(&x, 16).to_kind(Kind::Double) * 2f64.powi(-31) - 1.0).view(size)
}

fn weight(name: &str, size: &[i64]) -> Tensor {
    let noise = noise(name, size);
    match size {
        _ if name.ends_with("running_var") => noise * 0.5 + 1.0,
        [_] if name.ends_with("weight") => noise * 0.2 + 1.0,
        [_, fan_in @ ..] if !fan_in.is_empty() => noise * (6.0 / fan_in.iter().product::<i64>() as f64).sqrt(),
        _ => noise * 0.1,
    }
}

/// Asserts that `a` is `b` within `tolerance` of the largest magnitude in `b`.
pub(crate) fn assert_close(what: &str, a: &Tensor, b: &Tensor, tolerance: f64) {
    assert_eq!(a.size(), b.size(), "{what}: another shape");
    let scale = b.abs().max().double_value(&[]).max(1e-12);
    let off = (a - b).abs().max().double_value(&[]) / scale;
    assert!(off < tolerance, "{what}: off by {off:e}");
}

/// Norm, and dot product with noise.
fn digest(name: &str, tensor: &Tensor) -> Tensor {
    let dot = (tensor * noise(&format!("{name} digest"), &tensor.size())).sum(Kind::Double);
    Tensor::stack(&[tensor.norm(), dot], 0)
}

/// Builds a network in f64, gives it the golden weights, and compares names, outputs, gradients and buffers with
/// those of the file, in evaluation and in training mode.
pub(crate) fn check_network<T>(
    file: &str,
    input: &[i64],
    build: impl FnOnce(&Path) -> T,
    forward: impl Fn(&T, &Tensor, bool) -> Tensor,
) {
    let mut expected = read(file);
    let mut store = VarStore::new(Device::Cpu);
    let network = build(&store.root());
    store.double();
    // As in training: the variables are views of flat buffers, convolutions channels-last.
    let mut parameters = Parameters::new(&store);
    tch::no_grad(|| {
        store
            .variables()
            .iter_mut()
            .for_each(|(name, var)| var.copy_(&weight(name, &var.size())))
    });

    let mut compare = |key: String, value: Tensor| {
        let golden = expected
            .remove(&key)
            .unwrap_or_else(|| panic!("{file}: the reference has no {key}"));
        assert_close(&format!("{file}: {key}"), &value, &golden, 1e-9);
    };
    for (mode, train) in [("eval", false), ("train", true)] {
        parameters.zero_grad();
        let x = noise("input", input).set_requires_grad(true);
        let out = forward(&network, &x, train);
        (&out * noise("loss", &out.size())).sum(Kind::Double).backward();
        compare(format!("{mode} output"), out.detach().slice(1, 0, None, 8));
        compare(format!("{mode} grad input"), digest("input", &x.grad()));
        for (name, var) in store.variables().iter().filter(|(_, var)| var.requires_grad()) {
            compare(format!("{mode} grad {name}"), digest(name, &var.grad()));
        }
    }
    for (name, buffer) in store.variables().iter().filter(|(_, var)| !var.requires_grad()) {
        compare(format!("buffer {name}"), digest(name, buffer));
    }
    assert!(expected.is_empty(), "{file}: not here: {:?}", expected.keys());
}

/// Compares mean and standard deviation of new parameters with those of PyTorch's, within six standard errors.
pub(crate) fn check_initialisation<T>(prefix: &str, build: impl FnOnce(&Path) -> T) {
    let expected = read("initialisation");
    tch::manual_seed(1);
    let store = VarStore::new(Device::Cpu);
    let _network = build(&store.root());
    let trainable = store.variables().into_iter().filter(|(_, var)| var.requires_grad());
    for (name, var) in trainable {
        let golden = &expected[&format!("{prefix} {name}")];
        let [mean, std] = [golden.double_value(&[0]), golden.double_value(&[1])];
        // Both sides are samples; sqrt(2 / n) is above the standard error of a difference of either moment.
        let tolerance = 6.0 * std * (2.0 / var.numel() as f64).sqrt() + 1e-9;
        let var = var.to_kind(Kind::Double);
        let off = [
            var.mean(Kind::Double).double_value(&[]) - mean,
            var.std(false).double_value(&[]) - std,
        ];
        assert!(
            off.iter().all(|off| off.abs() <= tolerance),
            "{prefix} {name}: moments are off by {off:?}"
        );
    }
}

/// Compares five steps of an optimizer in f64 with those of PyTorch's.
pub(crate) fn check_optimizer(prefix: &str, part: &dyn Optimizer) {
    let expected = read("optimizers");
    let mut store = VarStore::new(Device::Cpu);
    store.set_kind(Kind::Double);
    let shapes: [(&str, &str, &[i64]); 3] = [
        ("a", "weight", &[5, 3]),
        ("b", "weight", &[2, 3, 2, 2]),
        ("c", "bias", &[4]),
    ];
    for (layer, name, size) in shapes {
        let _ = (store.root() / layer).var_copy(name, &noise(&format!("{layer}.{name}"), size));
    }
    let mut parameters = Parameters::new(&store);
    let mut stepper = part.build(&parameters);
    for (step, lr) in [0.1, 0.08, 0.05, 0.2, 0.01].into_iter().enumerate() {
        for (name, var) in store.variables() {
            var.grad().copy_(&noise(&format!("{name} grad {step}"), &var.size()));
        }
        stepper.step(&mut parameters, lr);
        for (name, var) in store.variables() {
            let golden = expected[&format!("{prefix} {name}")].get(step as i64);
            assert_close(
                &format!("{prefix} {name} after step {step}"),
                &var.detach(),
                &golden,
                1e-12,
            );
        }
    }
}
