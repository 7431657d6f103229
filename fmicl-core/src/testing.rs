//! Conformance tests for most kinds of part, for a plugin's own tests:
//! `fmicl_core::testing::check_divergence(&MyDivergence {})`. Each panics with the violated law.

mod after_step;
mod architecture;
mod backbone;
mod broken_files;
mod dataset;
mod dataset_files;
mod divergence;
mod evaluation_files;
mod every_level;
mod labelled_evaluation;
mod objective;
mod optimizer;
mod processors;
mod schedule;
mod similarity;
mod tracker;
mod transform;

pub use architecture::check_architecture;
pub use backbone::check_backbone;
pub use broken_files::break_each_file;
pub use dataset::check_dataset;
pub use dataset_files::{check_damaged_dataset, check_dataset_files};
pub use divergence::check_divergence;
pub use evaluation_files::{check_damaged_evaluation, check_evaluation_files};
pub use every_level::at_every_level;
pub use labelled_evaluation::{Labelled, check_labelled_evaluation};
pub use objective::check_objective;
pub use optimizer::check_optimizer;
pub use processors::{Processor, on_every_processor, processors};
pub use schedule::check_schedule;
pub use similarity::check_similarity;
pub use tracker::{check_tracker, check_tracker_by};
pub use transform::check_transform;

use crate::{Input, View, normalize};
use std::sync::{Mutex, MutexGuard, PoisonError};
use tch::{Device, Kind, Tensor, nn};

/// Held by the laws that seed libtorch's generator, which all tests of a process share, for as long as the draws must be those
/// of the seed. Not to be taken twice on a thread.
fn turn() -> MutexGuard<'static, ()> {
    static TURN: Mutex<()> = Mutex::new(());
    TURN.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Whether `holds` does, which seeds libtorch's generator: a test on another thread that draws without taking a turn may
/// spoil some tries, so one of many is proof enough. `holds` must not call [`unit_rows`].
fn holds_undisturbed(mut holds: impl FnMut() -> bool) -> bool {
    let _turn = turn();
    (0..100).any(|_| holds())
}

/// `count` random unit-length rows `[count, d]` from a seed, which becomes that of libtorch's generator. Tests that run at
/// the same time take turns here, so each gets the rows of its seed.
pub fn unit_rows(count: i64, d: i64, kind: Kind, seed: i64) -> Tensor {
    let _turn = turn();
    tch::manual_seed(seed);
    normalize(&Tensor::randn([count, d], (Kind::Double, Device::Cpu))).to_kind(kind)
}

/// The largest of `|a - b| / max(1, |b|)`.
fn distance(a: &Tensor, b: &Tensor) -> f64 {
    let scale = b.abs().clamp_min(1.0);
    ((a - b).abs() / scale).max().double_value(&[])
}

/// Result of `build` on an empty store. The same seed must give the same weights, and names must be unique.
fn build_twice<T>(build: impl Fn(&nn::Path) -> T) -> (nn::VarStore, T) {
    let seeded = || {
        tch::manual_seed(0);
        let store = nn::VarStore::new(Device::Cpu);
        let built = build(&store.root());
        (store, built)
    };
    let differs = |a: &nn::VarStore, b: &nn::VarStore| {
        let b = b.variables();
        a.variables()
            .into_iter()
            .find(|(name, var)| !b.get(name).is_some_and(|b| var.equal(b)))
            .map(|(name, _)| name)
    };
    let (store, built) = {
        let _turn = turn();
        seeded()
    };
    for name in store.variables().keys() {
        // tch's way out where a name is taken: `weight__94`.
        let taken = name
            .rsplit_once("__")
            .is_some_and(|(_, count)| count.parse::<u32>().is_ok());
        assert!(!taken, "two parameters claim the name {name} (without its last number)");
    }
    let mut name = None;
    let same = holds_undisturbed(|| {
        name = differs(&seeded().0, &seeded().0);
        name.is_none()
    });
    assert!(same, "{} is not the same from the same seed", name.unwrap_or_default());
    (store, built)
}

/// The variables that training changes, with their names.
fn trainable(store: &nn::VarStore) -> impl Iterator<Item = (String, Tensor)> {
    store.variables().into_iter().filter(|(_, var)| var.requires_grad())
}

/// Moves every trainable variable a little.
fn jitter(store: &nn::VarStore) {
    for (_, mut var) in trainable(store) {
        let _ = tch::no_grad(|| var.g_add_(&(var.randn_like() * 0.01)));
    }
}

/// The trainable variables that the gradient of `loss` does not reach.
fn weights_without_gradient(store: &nn::VarStore, loss: impl FnOnce() -> Tensor) -> Vec<String> {
    for (_, mut var) in trainable(store) {
        var.zero_grad();
    }
    loss().backward();
    let reached = |grad: Tensor| {
        grad.defined() && grad.isfinite().all().int64_value(&[]) == 1 && grad.abs().max().double_value(&[]) > 0.0
    };
    trainable(store)
        .filter(|(_, var)| !reached(var.grad()))
        .map(|(name, _)| name)
        .collect()
}

/// Input description for a backbone on these views.
fn input_of(view: &View) -> Input {
    let longest = view.input.size().last().copied().expect("a view has an axis");
    match view.input.kind() {
        Kind::Int64 => Input::Tokens {
            vocabulary: view.input.max().int64_value(&[]) + 1,
            longest,
        },
        _ => Input::Images {
            size: longest,
            channels: view.input.size()[1],
        },
    }
}

/// The first `count` samples of a view.
fn part_of(view: &View, count: i64) -> View {
    View {
        input: view.input.narrow(0, 0, count),
        mask: view.mask.as_ref().map(|mask| mask.narrow(0, 0, count)),
    }
}
