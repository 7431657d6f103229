//! The loss and the gradients of a batch, which the processes of a run compute together.

use crate::config::Experiment;
use crate::run::Model;
use fmicl_core::{
    Loss, Objective, Overlap, Pairing, Parameters, Processes, Result, View, WithoutTf32, tch::Tensor, together,
};
use std::rc::Rc;

/// The loss of the batch of all processes, the same in each of them, and its pairings. `views` are this process's part of
/// the batch.
///
/// # Errors
/// Those of [`Processes::all_reduce`].
pub fn forward(
    experiment: &Experiment,
    model: &mut Model,
    processes: &Rc<dyn Processes>,
    views: &[View],
) -> Result<(Loss, Vec<Pairing>)> {
    let norms = experiment.train.sync_batch_norm;
    let learner = &mut *model.learner;
    let pairings = together(processes, norms, || experiment.train.precision.pairings(learner, views))?;
    let gathered = pairings.into_iter().map(|pairing| pairing.gather(&**processes));
    let pairings = gathered.collect::<Result<Vec<_>>>()?;
    let learned = model.learned.values(&**processes);
    let loss = together(processes, norms, || {
        mean_loss(&*experiment.objective, &pairings, &learned)
    })?;
    Ok((loss, pairings))
}

/// Adds `weight` times the gradient of a loss of [`forward`], through this process's own rows, to the parameters' gradients.
/// The reducer [`GradientSums`] then sums those over the processes.
///
/// # Errors
/// As there.
pub fn backward(experiment: &Experiment, processes: &Rc<dyn Processes>, loss: &Loss, weight: f64) -> Result<()> {
    let done = (&loss.value * weight).f_backward();
    // With synchronised norms the backward pass is collective: if it fails, ask which process has gone.
    let norms = experiment.train.sync_batch_norm && processes.are_many();
    done.map_err(|error| match norms {
        true => processes.wait().err().unwrap_or_else(|| error.into()),
        false => error.into(),
    })
}

/// The reducer: sums the parameters' gradients over the processes of a run.
#[derive(Debug)]
pub struct GradientSums {
    processes: Rc<dyn Processes>,
    overlap: Option<Box<dyn Overlap>>,
}

impl GradientSums {
    /// A reducer of these parameters' gradients.
    ///
    /// # Errors
    /// Those of [`Processes::overlap`].
    pub fn new(processes: &Rc<dyn Processes>, parameters: &Parameters) -> Result<Self> {
        Ok(GradientSums {
            processes: processes.clone(),
            overlap: processes.clone().overlap(parameters)?,
        })
    }

    /// Comes before the last [`backward`] of a step.
    pub fn begin(&self) {
        if let Some(overlap) = &self.overlap {
            overlap.begin();
        }
    }

    /// Comes after it: the gradients are those of all processes.
    ///
    /// # Errors
    /// Those of [`Processes::all_reduce`].
    pub fn finish(&self, parameters: &mut Parameters) -> Result<()> {
        match &self.overlap {
            Some(overlap) => overlap.finish(),
            None => {
                let mut groups = parameters.groups.iter_mut();
                groups.try_for_each(|group| self.processes.all_reduce(&mut group.grads))
            }
        }
    }
}

/// The mean over the pairings of a batch.
fn mean_loss(objective: &dyn Objective, pairings: &[Pairing], learned: &[Tensor]) -> Loss {
    // The objective is exact whatever the network may be.
    let _exact = WithoutTf32::new();
    let mut losses = pairings.iter().map(|pairing| objective.loss_at(pairing, learned));
    let count = pairings.len() as f64;
    let Some(mut mean) = losses.next() else {
        unreachable!("an architecture gives at least one pairing")
    };
    for loss in losses {
        mean.value += loss.value;
        for (sum, term) in mean.terms.iter_mut().zip(loss.terms) {
            sum.1 = &sum.1 + term.1;
        }
    }
    let terms = mean.terms.into_iter().map(|(name, sum)| (name, sum / count)).collect();
    Loss {
        value: mean.value / count,
        terms,
    }
}
