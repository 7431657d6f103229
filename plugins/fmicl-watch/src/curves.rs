//! The curves of a run: those of its epochs, and those of its logged steps.

use fmicl_runner::run::training::EVALUATIONS;
use fmicl_runner::run::{History, Point};

/// What is shown first, in this order; `/` at the end stands for a group.
const FIRST: [&str; 8] = [
    "loss",
    "f_mi",
    EVALUATIONS,
    "projections/effective_rank",
    "lr",
    "grad_norm",
    "images_per_second",
    "waiting",
];
/// Behind the name of a curve of steps.
const OF_STEPS: &str = " by step";

/// A curve with its name.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Curve<'a> {
    name: &'a str,
    of_steps: bool,
    /// Its points.
    pub points: &'a [Point],
}

impl Curve<'_> {
    /// Its name for people, and for `--curve`.
    pub fn name(&self) -> String {
        let name = self
            .name
            .strip_prefix(EVALUATIONS)
            .unwrap_or(self.name)
            .replace('/', ".");
        match self.of_steps {
            true => name + OF_STEPS,
            false => name,
        }
    }

    /// Its last value.
    pub fn last(&self) -> Option<f64> {
        self.points.last().map(|point| point.value)
    }
}

/// The curves of a run; the loss of steps comes right behind that of epochs.
pub fn curves<'a>(epochs: &'a History, steps: &'a History) -> Vec<Curve<'a>> {
    let of = |history: &'a History, of_steps: bool| {
        history.names().map(move |name| Curve {
            name,
            of_steps,
            points: history.curve(name),
        })
    };
    let rank = |curve: &Curve| {
        let first = FIRST.iter().position(|first| match first.ends_with('/') {
            true => curve.name.starts_with(first),
            false => curve.name == *first,
        });
        // Of steps the loss alone comes early.
        let late = curve.of_steps && curve.name != "loss";
        (late, first.unwrap_or(FIRST.len()), curve.of_steps)
    };
    let mut all: Vec<Curve> = of(epochs, false).chain(of(steps, true)).collect();
    all.sort_by_key(rank);
    all
}
