//! The laws of what an architecture does after a step.

use super::{distance, holds_undisturbed};
use crate::{Architecture, Learner, Negatives, Parameters, View};
use tch::{Kind, Tensor, nn};

/// Said where the step's end is an error.
const KEEPS: &str = "the parts that it asks keep their promises";

/// A step that needs no gradient.
pub(super) fn shrink(parameters: &mut Parameters) {
    for group in &mut parameters.groups {
        let _ = tch::no_grad(|| group.values.g_mul_scalar_(0.98));
    }
}

/// The variables `momentum.x` and the variables `x`, as they were at one time.
pub(super) struct Momenta(Vec<Momentum>);

struct Momentum {
    name: String,
    copy: Tensor,
    followed: Option<Tensor>,
    trained: bool,
}

impl Momenta {
    pub(super) fn of(store: &nn::VarStore) -> Self {
        let variables = store.variables();
        let copies = variables.iter().filter_map(|(name, copy)| {
            let followed = variables.get(name.strip_prefix("momentum.")?);
            Some(Momentum {
                name: name.clone(),
                copy: copy.copy().set_requires_grad(copy.requires_grad()),
                followed: followed.map(Tensor::copy),
                trained: followed.is_some_and(Tensor::requires_grad),
            })
        });
        Momenta(copies.collect())
    }

    pub(super) fn are_what_they_follow(&self, part: &dyn Architecture) {
        for momentum in &self.0 {
            let name = &momentum.name;
            let Some(followed) = &momentum.followed else {
                panic!("{part:?}: {name} follows nothing");
            };
            assert!(!momentum.copy.requires_grad(), "{part:?}: {name} is trained");
            assert!(
                momentum.copy.equal(followed),
                "{part:?}: {name} does not start as what it follows"
            );
        }
    }

    /// `self` is from before the call of `after_step` at `progress`.
    pub(super) fn move_towards_what_they_follow(&self, part: &dyn Architecture, store: &nn::VarStore, progress: f64) {
        let now = store.variables();
        let trained = self.0.iter().filter(|momentum| momentum.trained);
        for (momentum, followed) in trained.filter_map(|momentum| Some((momentum, momentum.followed.as_ref()?))) {
            let away = |copy: &Tensor| (copy - followed).abs().sum(Kind::Double).double_value(&[]);
            let (before, after) = (away(&momentum.copy), away(&now[&momentum.name]));
            // At the end of training a momentum may be 1.
            let closer = after < before || (progress >= 1.0 && after <= before);
            assert!(
                closer,
                "{part:?}: {} does not follow: {before} away before, {after} after",
                momentum.name
            );
        }
        for momentum in self.0.iter().filter(|momentum| !momentum.trained) {
            assert!(
                momentum.copy.equal(&now[&momentum.name]),
                "{part:?}: {} follows what is not trained",
                momentum.name
            );
        }
    }
}

/// Gives a new learner the variables of `learner`, between two steps, and takes two more with both.
pub(super) fn a_restored_learner_goes_on(
    part: &dyn Architecture,
    (store, learner, parameters): (&nn::VarStore, &mut dyn Learner, &mut Parameters),
    build: impl Fn(&nn::Path) -> Box<dyn Learner>,
    views: &[View],
) {
    let restored_store = nn::VarStore::new(store.device());
    let mut restored = build(&restored_store.root());
    let mut restored_parameters = Parameters::new(&restored_store);
    let saved = store.variables();
    for (name, mut var) in restored_store.variables() {
        tch::no_grad(|| var.copy_(&saved[&name]));
    }
    for _ in 0..2 {
        let mut off = f64::INFINITY;
        // Both draw the same dropout.
        let same = holds_undisturbed(|| {
            tch::manual_seed(1);
            let expected = outputs(learner, views);
            tch::manual_seed(1);
            let found = outputs(&mut *restored, views);
            off = found
                .iter()
                .zip(&expected)
                .map(|(a, b)| distance(a, b))
                .fold(0.0, f64::max);
            off < 1e-5
        });
        assert!(
            same,
            "{part:?}: a learner with another one's variables goes on otherwise, off by {off:e}: not all that it keeps is among them"
        );
        shrink(parameters);
        learner.after_step(parameters, 0.5).expect(KEEPS);
        shrink(&mut restored_parameters);
        restored.after_step(&restored_parameters, 0.5).expect(KEEPS);
    }
}

/// All tensors of a batch's pairings.
fn outputs(learner: &mut dyn Learner, views: &[View]) -> Vec<Tensor> {
    let mut all = Vec::new();
    for pairing in learner.pairings(views) {
        all.extend([pairing.anchors.detach(), pairing.positives.detach()]);
        if let Negatives::Bank(bank) = pairing.negatives {
            all.push(bank.copy());
        }
    }
    all
}
