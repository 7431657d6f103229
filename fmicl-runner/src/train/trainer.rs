//! The training loop, a step at a time: views, pairings, loss, gradients, step.

use super::chance::chance;
use super::checkpoint::{Checkpoint, Snapshot, Standing, copy};
use super::finite::{Diverged, Watch};
use super::guard::Guard;
use super::meter::Meter;
use super::metrics::{Metrics, Projections};
use super::{Model, Progress};
use crate::config::Experiment;
use crate::data::Splits;
use crate::eval::Worth;
use crate::{panics, weights};
use anyhow::bail;
use fmicl_core::tch::{self, Device, Tensor, nn::VarStore};
use fmicl_core::{Loss, Pairing, Parameters, Result, Samples, Stepper, View, geometry};
use fmicl_data::{Batch, Loader, Prefetch, Rng};
use fmicl_models::schedule::Schedule;
use std::sync::Arc;
use std::time::Instant;

/// The names of the optimizer's state in a checkpoint.
const OPTIMIZER: &str = "optimizer.";

/// Everything that training changes or reads.
///
/// Between two steps all that a run is lies in the model's store, the optimizer's state, the meter's sums and the few
/// numbers of a [`Standing`]: the loader is a function of seed, epoch and batch, and libtorch's generator begins every
/// step at one of seed and step. So a [`Snapshot`] is all that a run needs to go on as if nothing had happened.
pub struct Trainer<'a> {
    experiment: &'a Experiment,
    /// The model in training.
    pub model: &'a mut Model,
    device: Device,
    loader: Loader,
    /// Those to come, once training has begun.
    batches: Option<Prefetch<Batch>>,
    parameters: Parameters,
    optimizer: Box<dyn Stepper>,
    schedule: Schedule,
    /// Batches of an epoch that are used.
    used: usize,
    standing: Standing,
    started: Instant,
    meter: Meter,
    watch: Watch,
    guard: Option<Guard>,
    /// Whether a step has begun to change what a snapshot holds.
    stepping: bool,
    /// The first pairing of the last batch, and the norm of the last step's gradients.
    last: Option<(Pairing, Tensor)>,
}

impl<'a> Trainer<'a> {
    /// A trainer at step 0.
    ///
    /// # Errors
    /// A dataset, batch size and accumulation that do not make one step.
    pub fn new(experiment: &'a Experiment, data: &Splits, model: &'a mut Model, device: Device) -> Result<Self> {
        let train = &experiment.train;
        let (loader, steps) = open_loader(experiment, data.pretrain.clone(), model.learner.views())
            .map_err(|error| experiment.locate(error))?;
        let used = steps * train.accumulate;
        let steps = |epochs: usize| (epochs * steps) as u64;
        let schedule = Schedule {
            base_lr: train.lr,
            warmup_steps: steps(train.warmup_epochs),
            total_steps: steps(train.epochs),
            final_lr: train.final_lr,
        };
        let (parameters, optimizer) = prepare(experiment, &model.store).map_err(|error| experiment.locate(error))?;
        let standing = Standing {
            samples: data.pretrain.len(),
            threads: tch::get_num_threads(),
            device: format!("{device:?}"),
            ..Standing::default()
        };
        Ok(Trainer {
            guard: Guard::of(train, &model.store),
            experiment,
            model,
            device,
            loader,
            batches: None,
            parameters,
            optimizer,
            schedule,
            used,
            standing,
            started: Instant::now(),
            meter: Meter::new(device),
            watch: Watch::default(),
            stepping: false,
            last: None,
        })
    }

    /// Goes on from a checkpoint.
    ///
    /// # Errors
    /// Tensors that are not those of this model and optimizer.
    pub fn resume(&mut self, checkpoint: &Checkpoint) -> Result<()> {
        let path = &checkpoint.path;
        weights::fit(self.model.store.variables(), &checkpoint.model, path)?;
        let own = |(name, tensor): (&String, &Tensor)| {
            Some((name.strip_prefix(OPTIMIZER)?.to_string(), tensor.shallow_clone()))
        };
        let state = checkpoint.training.iter().filter_map(own).collect();
        weights::fit(self.optimizer.state().into_iter().collect(), &state, path)?;
        self.meter = Meter::resumed(checkpoint.standing.meter, &checkpoint.training, self.device)?;
        self.standing = Standing {
            threads: self.standing.threads,
            device: self.standing.device.clone(),
            ..checkpoint.standing.clone()
        };
        Ok(())
    }

    /// Copies all that a run needs to go on from here.
    pub fn snapshot(&self) -> Snapshot {
        let state = self.optimizer.state().into_iter();
        let state = state.map(|(name, tensor)| (format!("{OPTIMIZER}{name}"), copy(&tensor)));
        let sums = self.meter.sums().into_iter().map(|(name, sum)| (name, copy(&sum)));
        Snapshot {
            standing: Standing {
                meter: self.meter.counts(),
                seconds: self.seconds(),
                ..self.standing.clone()
            },
            training: state.chain(sums).collect(),
            ..Snapshot::of(self.model)
        }
    }

    /// The size of a checkpoint, but for its headers.
    pub fn bytes(&self) -> u64 {
        let size = |tensor: &Tensor| tensor.numel() as u64 * tensor.kind().elt_size_in_bytes() as u64;
        self.model.bytes()
            + self
                .optimizer
                .state()
                .iter()
                .map(|(_, tensor)| size(tensor))
                .sum::<u64>()
    }

    /// Seconds since the start of the run, but for those in which nothing ran.
    pub fn seconds(&self) -> f64 {
        self.standing.seconds + self.started.elapsed().as_secs_f64()
    }

    /// Steps of the whole run.
    pub fn total_steps(&self) -> u64 {
        self.schedule.total_steps
    }

    /// Steps of an epoch.
    pub fn steps_per_epoch(&self) -> u64 {
        self.total_steps() / self.experiment.train.epochs as u64
    }

    /// Where the run stands.
    pub fn standing(&self) -> &Standing {
        &self.standing
    }

    /// Steps taken since the start of the run.
    pub fn steps(&self) -> u64 {
        self.standing.step
    }

    /// Epochs that are over.
    pub fn epochs(&self) -> usize {
        self.standing.epochs
    }

    /// Whether the running epoch has had all its steps, and waits for [`end_epoch`](Trainer::end_epoch).
    pub fn epoch_is_over(&self) -> bool {
        self.standing.batch == self.used
    }

    /// Whether a snapshot is one of a whole number of steps: not in one that failed halfway.
    pub fn is_between_steps(&self) -> bool {
        !self.stepping
    }

    /// Takes one step; the epoch is not over.
    ///
    /// # Errors
    /// An image that cannot be read; at the logging interval, a [`Diverged`].
    pub fn step(&mut self, progress: &Progress) -> anyhow::Result<()> {
        let train = &self.experiment.train;
        let seed = step_seed(self.experiment.seed, self.standing.step);
        tch::manual_seed(seed);
        let (mut losses, mut indices) = (Vec::with_capacity(train.accumulate), Vec::new());
        let mut last = None;
        if let Some(guard) = &mut self.guard {
            guard.remember();
        }
        for number in 0..train.accumulate {
            let batch = self.next_batch()?;
            indices.extend(batch.indices);
            let views: Vec<View> = batch
                .views
                .into_iter()
                .map(|view| view.to_device(self.device))
                .collect();
            self.stepping = true;
            let pairings = train.precision.pairings(&mut *self.model.learner, &views);
            if self.standing.step == 0 && number == 0 {
                let level = chance(&*self.experiment.objective, &pairings[0]);
                // It drew from libtorch's one generator; what follows must depend on the run's seed.
                tch::manual_seed(seed);
                progress.note(&format!(
                    "chance level of the loss (independent random features): {level:.4}"
                ));
            }
            let loss = mean_loss(self.experiment, &pairings);
            (&loss.value / train.accumulate as f64).backward();
            losses.push(Loss {
                value: loss.value.detach(),
                ..loss
            });
            last = pairings.into_iter().next();
        }
        let total = losses
            .iter()
            .skip(1)
            .fold(losses[0].value.copy(), |sum, loss| sum + &loss.value);
        let grad_norm = self.reduce();
        self.watch.note(self.standing.step + 1, indices, total, &grad_norm);
        let diverged = match self.guard {
            Some(_) => self.look()?,
            None => None,
        };
        if let Some(pairing) = last
            && (diverged.is_none() || self.last.is_none())
        {
            self.last = Some((pairing, grad_norm));
        }
        match (diverged, &mut self.guard) {
            (Some(diverged), Some(guard)) => {
                self.standing.skipped_steps += 1;
                guard.skip(diverged, self.standing.skipped_steps)?;
                self.model.learner.discard();
            }
            _ => {
                losses.iter().for_each(|loss| self.meter.add(loss));
                self.update();
            }
        }
        self.parameters.zero_grad();
        self.stepping = false;
        self.standing.step += 1;
        self.standing.batch += train.accumulate;
        self.standing.score = None;
        progress.step();
        if self.standing.step.is_multiple_of(train.log_every as u64) {
            self.require_finite()?;
            progress.show(
                self.standing.epochs + 1,
                self.meter.mean_loss(),
                self.meter.images_per_second(train.batch_size),
                self.meter.waiting(),
            );
        }
        Ok(())
    }

    fn next_batch(&mut self) -> anyhow::Result<Batch> {
        // The loader runs on through the epochs.
        let batches = match &mut self.batches {
            Some(batches) => batches,
            None => {
                let epochs = self.standing.epochs as u64..self.experiment.train.epochs as u64;
                let batches = self.loader.epochs(epochs, self.used, self.standing.batch)?;
                self.batches.insert(batches)
            }
        };
        match self.meter.wait_for(|| batches.next()) {
            Some(batch) => Ok(batch?),
            None => bail!("epoch {} had no more batches", self.standing.epochs + 1),
        }
    }

    /// Averages the gradients over the processes and clips them; their norm before that.
    fn reduce(&mut self) -> Tensor {
        for group in &mut self.parameters.groups {
            self.experiment.engine.all_reduce_mean(&mut group.grads);
        }
        match self.experiment.train.clip_grad_norm {
            Some(max_norm) => self.parameters.clip_grad_norm(max_norm),
            None => self.parameters.grad_norm(),
        }
    }

    /// The optimizer's step, and what follows it.
    fn update(&mut self) {
        let step = self.standing.step;
        self.optimizer.step(&mut self.parameters, self.schedule.lr(step));
        let progress = (step + 1) as f64 / self.total_steps() as f64;
        self.model.learner.after_step(&self.parameters, progress);
    }

    fn look(&mut self) -> Result<Option<Diverged>> {
        self.watch.look(self.experiment, self.steps_per_epoch())
    }

    /// That all losses and gradients so far were finite; waits for the device.
    ///
    /// # Errors
    /// A [`Diverged`] with the first step that was not.
    pub fn require_finite(&mut self) -> anyhow::Result<()> {
        match self.look()? {
            Some(diverged) => Err(diverged.into()),
            None => Ok(()),
        }
    }

    /// Ends an epoch that is over: what it measured. The next one's time begins with
    /// [`begin_epoch`](Trainer::begin_epoch).
    ///
    /// # Errors
    /// A [`Diverged`].
    pub fn end_epoch(&mut self) -> anyhow::Result<Metrics> {
        self.require_finite()?;
        self.standing.epochs += 1;
        self.standing.batch = 0;
        let Some((pairing, grad_norm)) = self.last.take() else {
            bail!("epoch {} had no step", self.standing.epochs)
        };
        if self.meter.is_empty() {
            bail!("every step of epoch {} was skipped", self.standing.epochs)
        }
        Ok(self.metrics(&pairing, &grad_norm))
    }

    /// From here on the next epoch's time is counted; `score` is what the online evaluation gave, if there was one.
    pub fn begin_epoch(&mut self, score: Option<f64>) {
        self.meter = Meter::new(self.device);
        self.standing.score = score;
    }

    fn metrics(&self, pairing: &Pairing, grad_norm: &Tensor) -> Metrics {
        let _no_grad = tch::no_grad_guard();
        let (x, y) = (&pairing.anchors, &pairing.positives);
        let value = |tensor: Tensor| tensor.double_value(&[]);
        Metrics {
            epoch: self.standing.epochs,
            step: self.standing.step,
            lr: self.schedule.lr(self.standing.step - 1),
            loss: self.meter.mean_loss(),
            terms: self.meter.mean_terms(),
            projections: Projections {
                of: "the epoch's last batch, in training mode",
                alignment: value(geometry::alignment(x, y)),
                uniformity: value(geometry::uniformity(x)),
                effective_rank: value(geometry::effective_rank(x)),
            },
            grad_norm: grad_norm.double_value(&[]),
            images_per_second: self.meter.images_per_second(self.experiment.train.batch_size),
            waiting: self.meter.waiting(),
            skipped_steps: self.standing.skipped_steps,
            worth: Worth::default(),
        }
    }
}

/// Where libtorch's generator begins a step: what is drawn in one, such as dropout, does not depend on the steps that this
/// process took before.
fn step_seed(seed: u64, step: u64) -> i64 {
    Rng::new(&[seed, step]).bits() as i64
}

/// The parameters in flat buffers, and the optimizer with its own.
///
/// # Errors
/// A config error at `backbone` where there is not the memory.
pub fn prepare(experiment: &Experiment, store: &VarStore) -> Result<(Parameters, Box<dyn Stepper>)> {
    let prepared = panics::refused("cannot be trained", || {
        let parameters = Parameters::new(store);
        let optimizer = experiment.optimizer.build(&parameters);
        Ok((parameters, optimizer))
    });
    prepared.map_err(|error| error.at("backbone"))
}

/// The loader of an experiment's training batches, and the number of optimizer steps that they make in an epoch.
///
/// # Errors
/// A dataset, batch size and accumulation that do not make one step.
pub fn open_loader(experiment: &Experiment, samples: Arc<dyn Samples>, views: usize) -> Result<(Loader, usize)> {
    let train = &experiment.train;
    let loader = Loader::new(
        samples,
        experiment.views.share(),
        views,
        train.batch_size,
        experiment.seed,
        train.data_threads(),
    )
    .map_err(|error| error.at("train"))?;
    let steps = loader.batches() / train.accumulate;
    fmicl_core::require(steps >= 1, "train.accumulate", || {
        format!(
            "a step takes {} batches, and an epoch has only {}",
            train.accumulate,
            loader.batches()
        )
    })?;
    Ok((loader, steps))
}

/// The mean over the pairings of a step.
fn mean_loss(experiment: &Experiment, pairings: &[Pairing]) -> Loss {
    let mut losses = pairings.iter().map(|pairing| experiment.objective.loss(pairing));
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
