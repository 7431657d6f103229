//! The train loop.

use super::batch::{backward, forward};
use super::callback::{Forward, Step};
use super::callbacks::Callbacks;
use super::trainer::{State, Trainer};
use anyhow::Context;

/// Takes the steps that are left. Returns false if a callback stopped the run before the last of them.
///
/// # Errors
/// A sample that cannot be read, a step that is not finite, a schedule that leaves its range, another process that is gone, or what a callback found.
pub fn fit(trainer: &mut Trainer, callbacks: &mut Callbacks) -> anyhow::Result<bool> {
    loop {
        let stops = callbacks.between_steps(trainer)?;
        if stops {
            return Ok(false);
        }
        if trainer.is_over() {
            return Ok(true);
        }
        if let Err(error) = step(trainer, callbacks) {
            callbacks.failed(trainer, &error);
            return Err(error);
        }
        if trainer.epoch_is_over() {
            end_epoch(trainer, callbacks)?;
        }
    }
}

/// Takes a step: the mean gradient of `train.accumulate` batches, and the optimizer's update.
///
/// # Errors
/// As [`fit`].
pub fn step(trainer: &mut Trainer, callbacks: &mut Callbacks) -> anyhow::Result<()> {
    let (experiment, device, processes) = (trainer.plan.experiment, trainer.plan.device, trainer.plan.processes);
    let train = &experiment.train;
    let mut step = Step::default();
    trainer.plan.seed_step(trainer.state.standing.step);
    callbacks.step_begin(trainer);
    for number in 1..=train.accumulate {
        let batch = trainer.next_batch()?;
        callbacks.batch(trainer, &batch)?;
        trainer.state.stepping = true;
        let views: Vec<_> = batch.views.iter().map(|view| view.to_device(device)).collect();
        let (loss, pairings) = forward(experiment, trainer.state.model, processes, &views)?;
        let shown = Forward {
            views: &views,
            pairings: &pairings,
            loss: &loss,
        };
        callbacks.loss(trainer, &shown);
        if number == train.accumulate {
            trainer.reducer.begin();
        }
        backward(experiment, processes, &loss, 1.0 / train.accumulate as f64)?;
        step.add(loss, pairings);
    }
    trainer.reducer.finish(&mut trainer.state.parameters)?;
    callbacks.gradients(trainer);
    let parameters = &mut trainer.state.parameters;
    step.grad_norm = match train.clip_grad_norm {
        Some(max_norm) => parameters.clip_grad_norm(max_norm),
        None => parameters.grad_norm(),
    };
    step.taken = callbacks.may_update(trainer, &step)?;
    let (plan, state) = (&trainer.plan, &mut trainer.state);
    let State {
        standing, parameters, ..
    } = state;
    match step.taken {
        true => {
            let progress = (standing.step + 1) as f64 / plan.total_steps() as f64;
            let number = || format!("step {}", standing.step + 1);
            let lr = plan.lr.at(standing.step).with_context(number)?;
            state.optimizer.step(parameters, lr);
            state.model.learned.clamp();
            let updated = state.model.learner.after_step(parameters, progress);
            updated.with_context(number)?;
        }
        false => state.model.learner.discard(),
    }
    parameters.zero_grad();
    standing.step += 1;
    standing.batch += train.accumulate;
    standing.score = None;
    state.stepping = false;
    callbacks.step_end(trainer, &step)
}

/// Ends an epoch that has had all its steps.
///
/// # Errors
/// As [`fit`].
pub fn end_epoch(trainer: &mut Trainer, callbacks: &mut Callbacks) -> anyhow::Result<()> {
    // Running statistics differ between processes: all take those of rank 0.
    trainer
        .state
        .model
        .share(&**trainer.plan.processes, |var| !var.requires_grad())?;
    trainer.state.standing.epochs += 1;
    trainer.state.standing.batch = 0;
    callbacks.epoch_end(trainer)?;
    trainer.begin_epoch();
    Ok(())
}
