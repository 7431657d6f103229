//! The scalars that the objective learns.

use fmicl_core::tch::nn::{self, Init};
use fmicl_core::tch::{Tensor, no_grad};
use fmicl_core::{Learned, Objective, Processes};

/// Where their variables are in a store.
const OBJECTIVE: &str = "objective";

/// The scalars that an objective learns, as variables of a store.
#[derive(Debug)]
pub struct LearnedScalars(Vec<(Learned, Tensor)>);

impl LearnedScalars {
    /// Creates those of an objective under `root`, at their initial values.
    pub fn new(objective: &dyn Objective, root: &nn::Path) -> Self {
        let path = root / OBJECTIVE;
        let learned = objective.learned().into_iter();
        let created = learned.map(|learned| {
            let variable = path.var(learned.name, &[], Init::Const(learned.initial));
            (learned, variable)
        });
        LearnedScalars(created.collect())
    }

    /// Their values, for [`Objective::loss_at`]. Every process has the whole batch's gradient of these, so it is divided by
    /// their number before the reducer sums it.
    pub fn values(&self, processes: &dyn Processes) -> Vec<Tensor> {
        let size = processes.size() as f64;
        let value = |variable: &Tensor| match processes.are_many() {
            true => (variable - variable.detach()) / size + variable.detach(),
            false => variable.shallow_clone(),
        };
        self.0.iter().map(|(_, variable)| value(variable)).collect()
    }

    /// Their learning rates as multiples of the others', by the variables' names.
    pub fn rates(&self) -> Vec<(String, f64)> {
        let named = |(learned, _): &(Learned, Tensor)| (format!("{OBJECTIVE}.{}", learned.name), learned.rate);
        self.0.iter().map(named).collect()
    }

    /// Brings those that a step led beyond their range back to its end.
    pub fn clamp(&self) {
        for (learned, variable) in &self.0 {
            let (low, high) = learned.range;
            let _ = no_grad(|| variable.shallow_clone().clamp_(low, high));
        }
    }

    /// The names of the metrics that show them.
    pub fn names(&self) -> impl Iterator<Item = &'static str> {
        self.0.iter().map(|(learned, _)| learned.metric)
    }

    /// The metrics that show them; waits for the device.
    pub fn metrics(&self) -> Vec<(&'static str, f64)> {
        let metric = |(learned, variable): &(Learned, Tensor)| {
            let value = (learned.shown)(variable.double_value(&[]));
            (learned.metric, value)
        };
        self.0.iter().map(metric).collect()
    }
}
