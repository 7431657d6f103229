//! What training changes and reads, how a run goes on from a checkpoint, and the end of an epoch.

mod step;

use super::batch::GradientSums;
use super::finite::Watch;
use super::guard::Guard;
use super::journal::Journal;
use super::meter::Meter;
use super::metrics::{Metrics, Projections};
use super::seen::Seen;
use super::setup::{open_loader, prepare};
use super::skipped::Skipped;
use crate::config::Experiment;
use crate::data::Splits;
use crate::eval::Reports;
use crate::left_out::LeftOut;
use crate::run::{Checkpoint, Model, Snapshot, Standing, copy};
use crate::weights;
use anyhow::bail;
use fmicl_core::tch::{self, Device, Tensor};
use fmicl_core::{Error, Pairing, Parameters, Processes, Result, Stepper, geometry};
use fmicl_data::{Batch, Loader, Prefetch};
use fmicl_models::schedule::Schedule;
use std::rc::Rc;
use std::time::{Duration, Instant};

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
    processes: &'a Rc<dyn Processes>,
    loader: Loader,
    /// Those to come, once training has begun.
    batches: Option<Prefetch<Batch>>,
    parameters: Parameters,
    sums: GradientSums,
    optimizer: Box<dyn Stepper>,
    schedule: Schedule,
    /// Batches of an epoch that are used.
    used: usize,
    standing: Standing,
    started: Instant,
    meter: Meter,
    /// How long the processes had called each other when the epoch, or this process's part of it, began; and when.
    called: (Duration, Instant),
    watch: Watch,
    guard: Option<Guard>,
    /// Whether a step has begun to change what a snapshot holds.
    stepping: bool,
    /// What is seen, where a step is looked at closely.
    seen: Option<Vec<Seen>>,
    /// The samples that cannot be read, and the name of the split that they are of.
    left_out: (Rc<LeftOut>, &'static str),
    /// Where they are listed.
    pub skipped: Skipped,
    /// Where steps and epochs are written down.
    pub journal: Journal,
    /// The first pairing of the last batch, and the norm of the last step's gradients.
    last: Option<(Pairing, Tensor)>,
}

impl<'a> Trainer<'a> {
    /// A trainer at step 0.
    ///
    /// # Errors
    /// A dataset, batch size and accumulation that do not make one step, or cannot be shared by that many processes.
    pub fn new(
        experiment: &'a Experiment,
        data: &Splits,
        model: &'a mut Model,
        device: Device,
        processes: &'a Rc<dyn Processes>,
    ) -> Result<Self> {
        let train = &experiment.train;
        let (loader, steps) = open_loader(experiment, data.pretrain.clone(), model.learner.views())
            .map_err(|error| experiment.locate(error))?;
        let loader = loader
            .share(processes.rank(), processes.size())
            .map_err(|error| experiment.locate(error.at("train")))?;
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
            threads: tch::get_num_threads(),
            device: format!("{device:?}"),
            processes: processes.size(),
            ..Standing::default()
        };
        Ok(Trainer {
            guard: Guard::of(train, &model.store),
            experiment,
            model,
            device,
            processes,
            loader,
            batches: None,
            sums: GradientSums::new(processes, &parameters)?,
            parameters,
            optimizer,
            schedule,
            used,
            standing,
            started: Instant::now(),
            meter: Meter::new(device),
            called: (processes.called(), Instant::now()),
            watch: Watch::default(),
            stepping: false,
            seen: None,
            left_out: (data.left_out.clone(), data.pretrain_name()),
            skipped: Skipped::default(),
            journal: Journal::default(),
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
            processes: self.standing.processes,
            ..checkpoint.standing.clone()
        };
        Ok(())
    }

    /// Stands where the first process does, and has its weights: the others need not see the checkpoint that it read.
    ///
    /// # Errors
    /// Those of [`Processes::all_reduce`].
    pub fn follow_first(&mut self) -> Result<()> {
        let processes = &**self.processes;
        if !processes.are_many() {
            return Ok(());
        }
        self.model.share(processes, |_| true)?;
        let mut state = self.optimizer.state();
        state.sort_by(|a, b| a.0.cmp(&b.0));
        for (_, mut tensor) in state {
            processes.broadcast(&mut tensor)?;
        }
        self.meter = self.meter.of_first(self.device, processes)?;
        let standing = serde_json::to_string(&self.standing).map_err(|error| Error::Run(error.to_string()))?;
        let standing = processes.text_of_first(&standing)?;
        self.standing = serde_json::from_str(&standing).map_err(|error| Error::Run(error.to_string()))?;
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
            ..self.model.snapshot()
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

    /// Ends an epoch that is over: what it measured. The next one's time begins with
    /// [`begin_epoch`](Trainer::begin_epoch).
    ///
    /// # Errors
    /// A [`Diverged`].
    pub fn end_epoch(&mut self) -> anyhow::Result<Metrics> {
        self.require_finite()?;
        // Running statistics of batches, which differ: the checkpoints' are the first process's.
        self.model.share(&**self.processes, |var| !var.requires_grad())?;
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
        self.called = (self.processes.called(), Instant::now());
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
            communicating: self.processes.are_many().then(|| {
                let (before, begun) = self.called;
                (self.processes.called() - before).as_secs_f64() / begun.elapsed().as_secs_f64()
            }),
            skipped_samples: self.meter.skipped_samples(),
            skipped_steps: self.standing.skipped_steps,
            evaluations: Reports::default(),
        }
    }
}
