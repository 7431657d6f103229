//! State and plan of training, and resuming from a checkpoint.

use super::batch::GradientSums;
use super::batches::Batches;
use super::finite::{Diverged, Watch};
use super::meter::Meter;
use super::setup::prepare;
use crate::config::Experiment;
use crate::data::Splits;
use crate::run::{Checkpoint, Model, Snapshot, Standing, copy};
use crate::weights;
use fmicl_core::tch::{self, Device, Tensor};
use fmicl_core::{Error, Parameters, Processes, Result, Rng, Stepper};
use fmicl_data::Batch;
use fmicl_models::schedules::LearningRate;
use std::rc::Rc;
use std::time::Instant;

/// The names of the optimizer's state in a checkpoint.
const OPTIMIZER: &str = "optimizer.";

/// Everything that a step takes.
pub struct Trainer<'a> {
    /// Inputs of training.
    pub plan: Plan<'a>,
    /// State that training changes.
    pub state: State<'a>,
    /// The samples' views.
    pub batches: Batches,
    /// The gradients' sums over the processes.
    pub reducer: GradientSums,
}

/// Inputs that do not change during a training run.
pub struct Plan<'a> {
    /// The parts and the numbers.
    pub experiment: &'a Experiment,
    /// Device of this process.
    pub device: Device,
    /// The process group.
    pub processes: &'a Rc<dyn Processes>,
    /// The learning rate of each step.
    pub lr: LearningRate<'a>,
    /// Steps of an epoch.
    pub steps_per_epoch: u64,
}

/// The train state: everything that training changes.
///
/// Between two steps all that a run is lies in the model's store, the optimizer's state, the meter's sums and the few
/// numbers of a [`Standing`]: the loader is a function of seed, epoch and batch, and libtorch's generator begins every
/// step at one of seed and step. So a [`Snapshot`] is all that a run needs to go on as if nothing had happened.
pub struct State<'a> {
    /// The model in training.
    pub model: &'a mut Model,
    /// Its parameters and their gradients, in flat buffers.
    pub parameters: Parameters,
    /// The optimizer with its own buffers.
    pub optimizer: Box<dyn Stepper>,
    /// State of the run.
    pub standing: Standing,
    /// Measurements of the running epoch.
    pub meter: Meter,
    /// Losses and gradient norms since the device was last waited for.
    pub watch: Watch,
    /// True while a step changes state that a snapshot holds.
    pub stepping: bool,
    started: Instant,
}

impl Plan<'_> {
    /// Steps of the whole run.
    pub fn total_steps(&self) -> u64 {
        self.lr.total_steps
    }

    /// Sets libtorch's generator to where it begins a step: what is drawn in one, such as dropout, does not depend on the
    /// steps that this process took before, and is another in each process. The first one draws what one alone would.
    pub fn seed_step(&self, step: u64) {
        let seed = self.experiment.seed;
        let mut rng = match self.processes.rank() {
            0 => Rng::new(&[seed, step]),
            rank => Rng::new(&[seed, step, rank as u64]),
        };
        tch::manual_seed(rng.bits() as i64);
    }
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
        let batches = Batches::new(experiment, data.pretrain.clone(), model.learner.views(), &**processes);
        let batches = batches.map_err(|error| experiment.locate(error))?;
        let steps_per_epoch = (batches.used() / train.accumulate) as u64;
        let prepared = prepare(experiment, &model.store, &model.learned);
        let (parameters, optimizer) = prepared.map_err(|error| experiment.locate(error))?;
        Ok(Trainer {
            reducer: GradientSums::new(processes, &parameters)?,
            batches,
            plan: Plan {
                experiment,
                device,
                processes,
                lr: LearningRate {
                    base_lr: train.lr,
                    warmup_steps: train.warmup_epochs as u64 * steps_per_epoch,
                    total_steps: train.epochs as u64 * steps_per_epoch,
                    final_lr: train.final_lr,
                    schedule: &train.schedule,
                },
                steps_per_epoch,
            },
            state: State {
                model,
                parameters,
                optimizer,
                standing: Standing {
                    threads: tch::get_num_threads(),
                    device: format!("{device:?}"),
                    processes: processes.size(),
                    ..Standing::default()
                },
                meter: Meter::new(device, processes.called()),
                watch: Watch::default(),
                stepping: false,
                started: Instant::now(),
            },
        })
    }

    /// Goes on from a checkpoint.
    ///
    /// # Errors
    /// Tensors that are not those of this model and optimizer.
    pub fn resume(&mut self, checkpoint: &Checkpoint) -> Result<()> {
        let (path, state) = (&checkpoint.path, &mut self.state);
        weights::copy_into(state.model.store.variables(), &checkpoint.model, path)?;
        let own = |(name, tensor): (&String, &Tensor)| {
            Some((name.strip_prefix(OPTIMIZER)?.to_string(), tensor.shallow_clone()))
        };
        let optimizer = checkpoint.training.iter().filter_map(own).collect();
        weights::copy_into(state.optimizer.state().into_iter().collect(), &optimizer, path)?;
        let sums = &checkpoint.training;
        state.meter = state.meter.resumed(checkpoint.standing.meter, sums, self.plan.device)?;
        state.standing = Standing {
            threads: state.standing.threads,
            device: state.standing.device.clone(),
            processes: state.standing.processes,
            ..checkpoint.standing.clone()
        };
        Ok(())
    }

    /// Stands where the first process does, and has its weights: the others need not see the checkpoint that it read.
    ///
    /// # Errors
    /// Those of [`Processes::all_reduce`].
    pub fn follow_first(&mut self) -> Result<()> {
        let (processes, state) = (&**self.plan.processes, &mut self.state);
        if !processes.are_many() {
            return Ok(());
        }
        state.model.share(processes, |_| true)?;
        let mut optimizer = state.optimizer.state();
        optimizer.sort_by(|a, b| a.0.cmp(&b.0));
        for (_, mut tensor) in optimizer {
            processes.broadcast(&mut tensor)?;
        }
        state.meter = state.meter.of_first(self.plan.device, processes)?;
        let standing = serde_json::to_string(&state.standing).map_err(|error| Error::Run(error.to_string()))?;
        let standing = processes.text_of_first(&standing)?;
        state.standing = serde_json::from_str(&standing).map_err(|error| Error::Run(error.to_string()))?;
        Ok(())
    }

    /// The next batch; the time until it is there counts as waiting.
    ///
    /// # Errors
    /// A sample that cannot be read.
    pub fn next_batch(&mut self) -> anyhow::Result<Batch> {
        let State { meter, standing, .. } = &mut self.state;
        meter.wait_for(|| self.batches.next(standing))
    }

    /// Returns true if all steps of the run are taken.
    pub fn is_over(&self) -> bool {
        self.state.standing.epochs == self.plan.experiment.train.epochs
    }

    /// Returns true if the running epoch has had all its steps.
    pub fn epoch_is_over(&self) -> bool {
        self.state.standing.batch == self.batches.used()
    }

    /// From here on the next epoch is measured.
    pub fn begin_epoch(&mut self) {
        self.state.meter = Meter::new(self.plan.device, self.plan.processes.called());
    }

    /// The first step since the last look that was not finite; waits for the device.
    ///
    /// # Errors
    /// libtorch's.
    pub fn look(&mut self) -> Result<Option<Diverged>> {
        self.state.watch.look(self.plan.experiment, self.plan.steps_per_epoch)
    }

    /// Checks that all losses and gradients so far were finite; waits for the device.
    ///
    /// # Errors
    /// A [`Diverged`] with the first step that was not.
    pub fn require_finite(&mut self) -> anyhow::Result<()> {
        match self.look()? {
            Some(diverged) => Err(diverged.into()),
            None => Ok(()),
        }
    }

    /// The learning rate of the last step.
    ///
    /// # Errors
    /// Those of [`LearningRate::at`].
    pub fn last_lr(&self) -> Result<f64> {
        self.plan.lr.at(self.state.standing.step - 1)
    }
}

impl State<'_> {
    /// Copies all that a run needs to go on from here.
    pub fn snapshot(&self) -> Snapshot {
        let optimizer = self.optimizer.state().into_iter();
        let optimizer = optimizer.map(|(name, tensor)| (format!("{OPTIMIZER}{name}"), copy(&tensor)));
        let sums = self.meter.sums().into_iter().map(|(name, sum)| (name, copy(&sum)));
        Snapshot {
            standing: Standing {
                meter: self.meter.counts(),
                seconds: self.seconds(),
                ..self.standing.clone()
            },
            training: optimizer.chain(sums).collect(),
            ..self.model.snapshot()
        }
    }

    /// The size of a checkpoint, but for its headers.
    pub fn bytes(&self) -> u64 {
        let size = |tensor: &Tensor| tensor.numel() as u64 * tensor.kind().elt_size_in_bytes() as u64;
        let optimizer = self.optimizer.state();
        self.model.bytes() + optimizer.iter().map(|(_, tensor)| size(tensor)).sum::<u64>()
    }

    /// Seconds since the start of the run, but for those in which nothing ran.
    pub fn seconds(&self) -> f64 {
        self.standing.seconds + self.started.elapsed().as_secs_f64()
    }
}
