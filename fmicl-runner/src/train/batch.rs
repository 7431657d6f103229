//! The loss and the gradients of a batch, which the processes of a run share.

use crate::config::Experiment;
use fmicl_core::{Learner, Loss, Objective, Pairing, Parameters, Processes, Result, View, together};
use std::rc::Rc;

/// The loss of the batch of all processes, the same in each of them, and its pairings. `views` are this process's part of
/// the batch; the gradients with respect to it are added to the learner's, times `weight`: their sum over the processes
/// ([`sum_gradients`]) is the gradient.
///
/// # Errors
/// Those of [`Processes::all_reduce`].
pub fn learn(
    experiment: &Experiment,
    learner: &mut dyn Learner,
    processes: &Rc<dyn Processes>,
    views: &[View],
    weight: f64,
) -> Result<(Loss, Vec<Pairing>)> {
    let norms = experiment.train.sync_batch_norm;
    let pairings = together(processes, norms, || experiment.train.precision.pairings(learner, views))?;
    let gathered = pairings.into_iter().map(|pairing| pairing.gather(&**processes));
    let pairings = gathered.collect::<Result<Vec<_>>>()?;
    let loss = together(processes, norms, || mean_loss(&*experiment.objective, &pairings))?;
    let backward = (&loss.value * weight).f_backward();
    // Where norms call the others in the backward pass, the next call finds out who has let this process down.
    backward.map_err(|error| match norms && processes.are_many() {
        true => processes.wait().err().unwrap_or_else(|| error.into()),
        false => error.into(),
    })?;
    Ok((loss, pairings))
}

/// Adds up the gradients of all processes, in a call for each group of parameters.
///
/// # Errors
/// Those of [`Processes::all_reduce`].
pub fn sum_gradients(parameters: &mut Parameters, processes: &dyn Processes) -> Result<()> {
    for group in &mut parameters.groups {
        processes.all_reduce(&mut group.grads)?;
    }
    Ok(())
}

/// The mean over the pairings of a batch.
pub(super) fn mean_loss(objective: &dyn Objective, pairings: &[Pairing]) -> Loss {
    let mut losses = pairings.iter().map(|pairing| objective.loss(pairing));
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
