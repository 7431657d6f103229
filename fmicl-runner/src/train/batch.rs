//! The loss and the gradients of a batch, which the processes of a run compute together.

use crate::config::Experiment;
use fmicl_core::{Learner, Loss, Objective, Pairing, Parameters, Processes, Result, View, WithoutTf32, together};
use std::rc::Rc;

/// The loss of the batch of all processes, the same in each of them, and its pairings. `views` are this process's part of
/// the batch.
///
/// # Errors
/// Those of [`Processes::all_reduce`].
pub fn forward(
    experiment: &Experiment,
    learner: &mut dyn Learner,
    processes: &Rc<dyn Processes>,
    views: &[View],
) -> Result<(Loss, Vec<Pairing>)> {
    let norms = experiment.train.sync_batch_norm;
    let pairings = together(processes, norms, || experiment.train.precision.pairings(learner, views))?;
    let gathered = pairings.into_iter().map(|pairing| pairing.gather(&**processes));
    let pairings = gathered.collect::<Result<Vec<_>>>()?;
    let loss = together(processes, norms, || mean_loss(&*experiment.objective, &pairings))?;
    Ok((loss, pairings))
}

/// Adds the gradients of a loss that [`forward`] gave, with respect to this process's part of the batch and times `weight`,
/// to the learner's: their sum over the processes ([`sum_gradients`]) is the gradient.
///
/// # Errors
/// As there.
pub fn backward(experiment: &Experiment, processes: &Rc<dyn Processes>, loss: &Loss, weight: f64) -> Result<()> {
    let done = (&loss.value * weight).f_backward();
    // Where norms call the others in the backward pass, the next call finds out who has let this process down.
    let norms = experiment.train.sync_batch_norm && processes.are_many();
    done.map_err(|error| match norms {
        true => processes.wait().err().unwrap_or_else(|| error.into()),
        false => error.into(),
    })
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
fn mean_loss(objective: &dyn Objective, pairings: &[Pairing]) -> Loss {
    // The objective is exact whatever the network may be.
    let _exact = WithoutTf32::new();
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
