//! The callbacks of the train loop: one list, in one order.

mod chance;
mod checkpoints;
mod collapse;
mod metrics;
mod non_finite;
mod online;
mod progress;
mod signals;
mod skipped;
mod tracer;
mod tracked_tensors;
mod tracking;

pub use chance::ChanceLevel;
pub use checkpoints::Checkpoints;
pub use collapse::Collapse;
pub use metrics::{EPOCH_METRICS, Metrics, SOME_EPOCHS_METRICS};
pub use non_finite::NonFinite;
pub use online::{Judge, Online, Worth};
pub use progress::{Progress, can_be_shown};
pub use signals::Signals;
pub use skipped::Skipped;
pub use tracer::Tracer;
pub use tracking::{SharedTrackers, Trackers};

use super::callback::{Asked, Callback, Forward, Step};
use super::measured::Measured;
use super::trainer::Trainer;
use fmicl_data::Batch;

/// Everything that watches a train loop, in its order.
pub struct Callbacks<'a> {
    list: Vec<Box<dyn Callback + 'a>>,
}

/// The callbacks of a training run.
pub struct Watching<'a> {
    /// The samples that cannot be read.
    pub skipped: Skipped,
    /// The loss of features that know nothing.
    pub chance: ChanceLevel,
    /// Losses and gradients that are not finite.
    pub non_finite: NonFinite,
    /// The judgement of the encoder on the way.
    pub online: Online<'a>,
    /// The warning that features collapse.
    pub collapse: Collapse,
    /// The bar and the lines of the log.
    pub progress: Progress,
    /// Trackers of the measured values.
    pub trackers: SharedTrackers,
    /// The checkpoints.
    pub checkpoints: Checkpoints<'a>,
    /// Signals and limits that end a run early.
    pub signals: Signals<'a>,
}

impl<'a> Callbacks<'a> {
    /// Returns the callbacks of a training run. Their order matters:
    ///
    /// * A sample that may not be left out ends the run before anything is computed of its batch.
    /// * A step that is not finite is found before any number of it is shown or written.
    /// * The online evaluation adds to what was measured; then that is shown, then written. A run that ends of a collapse
    ///   has both.
    /// * A checkpoint counts on what was tracked before it.
    /// * A signal ends the run behind the checkpoint.
    pub fn of_run(watching: Watching<'a>) -> Self {
        Callbacks {
            list: vec![
                Box::new(watching.skipped),
                Box::new(watching.chance),
                Box::new(watching.non_finite),
                Box::new(Metrics::default()),
                Box::new(watching.online),
                Box::new(watching.progress),
                Box::new(watching.trackers),
                Box::new(watching.collapse),
                Box::new(watching.checkpoints),
                Box::new(watching.signals),
            ],
        }
    }

    /// Returns the callbacks of a replayed step: they change the same state as those of a run, and write nothing. The tracer is
    /// the first, since it draws from the generator that the step begins with.
    pub fn of_replay(skipped: Skipped, non_finite: NonFinite, tracer: Option<Tracer>) -> Self {
        let mut list: Vec<Box<dyn Callback>> = Vec::new();
        list.extend(tracer.map(|tracer| Box::new(tracer) as Box<dyn Callback>));
        list.push(Box::new(skipped));
        list.push(Box::new(ChanceLevel::new(Progress::silent())));
        list.push(Box::new(non_finite));
        list.push(Box::new(Metrics::default()));
        Callbacks { list }
    }

    /// A step begins.
    pub fn step_begin(&mut self, trainer: &mut Trainer) {
        self.list.iter_mut().for_each(|callback| callback.step_begin(trainer));
    }

    /// A batch was read.
    ///
    /// # Errors
    /// Those of [`Callback::batch`].
    pub fn batch(&mut self, trainer: &mut Trainer, batch: &Batch) -> anyhow::Result<()> {
        self.list
            .iter_mut()
            .try_for_each(|callback| callback.batch(trainer, batch))
    }

    /// A batch's loss is there.
    pub fn loss(&mut self, trainer: &mut Trainer, forward: &Forward) {
        self.list
            .iter_mut()
            .for_each(|callback| callback.loss(trainer, forward));
    }

    /// A step's gradients are there.
    pub fn gradients(&mut self, trainer: &mut Trainer) {
        self.list.iter_mut().for_each(|callback| callback.gradients(trainer));
    }

    /// Returns true if the optimizer may take the step.
    ///
    /// # Errors
    /// Those of [`Callback::may_update`].
    pub fn may_update(&mut self, trainer: &mut Trainer, step: &Step) -> anyhow::Result<bool> {
        let mut may = true;
        for callback in &mut self.list {
            may &= callback.may_update(trainer, step)?;
        }
        Ok(may)
    }

    /// A step is over; at the logging interval the device is waited for.
    ///
    /// # Errors
    /// Those of [`Callback::log`].
    pub fn step_end(&mut self, trainer: &mut Trainer, step: &Step) -> anyhow::Result<()> {
        for callback in &mut self.list {
            callback.step_end(trainer, step);
        }
        let every = trainer.plan.experiment.train.log_every as u64;
        if !trainer.state.standing.step.is_multiple_of(every) {
            return Ok(());
        }
        let mut measured = Measured::in_epoch(trainer);
        let mut callbacks = self.list.iter_mut();
        callbacks.try_for_each(|callback| callback.log(trainer, &mut measured))
    }

    /// An epoch is over.
    ///
    /// # Errors
    /// Those of [`Callback::epoch_end`].
    pub fn epoch_end(&mut self, trainer: &mut Trainer) -> anyhow::Result<()> {
        let mut measured = Measured::of_epoch(trainer);
        let mut callbacks = self.list.iter_mut();
        callbacks.try_for_each(|callback| callback.epoch_end(trainer, &mut measured))
    }

    /// Between two steps: asks every callback, then lets each act on what all processes asked for. Returns true if the loop
    /// ends here.
    ///
    /// # Errors
    /// Those of [`Callback::between_steps`].
    pub fn between_steps(&mut self, trainer: &mut Trainer) -> anyhow::Result<bool> {
        let mut asked = Asked::default();
        for callback in &mut self.list {
            callback.ask(trainer, &mut asked)?;
        }
        let asked = asked.of_all(&**trainer.plan.processes)?;
        for callback in &mut self.list {
            callback.between_steps(trainer, &asked)?;
        }
        Ok(asked.ends())
    }

    /// A step failed.
    pub fn failed(&mut self, trainer: &mut Trainer, error: &anyhow::Error) {
        self.list
            .iter_mut()
            .for_each(|callback| callback.failed(trainer, error));
    }

    /// The loop is over, or stops here.
    ///
    /// # Errors
    /// Those of [`Callback::end`].
    pub fn end(&mut self, trainer: &Trainer) -> anyhow::Result<()> {
        self.list.iter_mut().try_for_each(|callback| callback.end(trainer))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config;
    use crate::data::Splits;
    use crate::run::Model;
    use crate::train::interrupt::Interrupt;
    use fmicl_core::tch::{Device, nn::VarStore};

    fn names(callbacks: &Callbacks) -> Vec<String> {
        let short = |name: &str| {
            name.rsplit("::")
                .next()
                .unwrap()
                .trim_matches(['<', '>', '\'', '_'])
                .to_string()
        };
        callbacks.list.iter().map(|callback| short(callback.name())).collect()
    }

    /// Exact resume depends on it: see [`Callbacks::of_run`].
    #[test]
    fn the_callbacks_of_a_run_have_one_order_and_a_replay_has_those_that_change_something() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("x.toml");
        let text = "dataset = 'digits'\nbackbone = 'resnet'\narchitecture = 'simclr'\nobjective = 'infonce'\noptimizer = 'sgd'\n\
                    train = { epochs = 1, batch_size = 8, lr = 0.1 }";
        std::fs::write(&file, text).unwrap();
        let experiment = config::load(&file, &[]).unwrap();
        let data = Splits::open(&experiment).unwrap();
        let train = experiment.train;
        let store = VarStore::new(Device::Cpu);
        let (progress, trackers) = (Progress::silent(), SharedTrackers::default());
        let checkpoints = Checkpoints::new(&train, None, trackers.clone(), progress.clone(), None);
        let (interrupt, never) = (Interrupt::default(), |_: &Model| Ok(Worth::default()));
        let callbacks = Callbacks::of_run(Watching {
            skipped: Skipped::unlisted(&data),
            chance: ChanceLevel::new(progress.clone()),
            non_finite: NonFinite::new(&train, &store),
            online: Online::new(&crate::config::Eval::default(), &never),
            progress,
            trackers,
            collapse: Collapse::new(&train, Progress::silent()),
            checkpoints: checkpoints.unwrap(),
            signals: Signals {
                interrupt: &interrupt,
                stop_after: None,
                path: folder.path().into(),
                speaks: true,
            },
        });
        let order = [
            "Skipped",
            "ChanceLevel",
            "NonFinite",
            "Metrics",
            "Online",
            "Progress",
            "Trackers",
            "Collapse",
            "Checkpoints",
            "Signals",
        ];
        assert_eq!(names(&callbacks), order);
        let replay = Callbacks::of_replay(Skipped::unlisted(&data), NonFinite::new(&train, &store), None);
        assert_eq!(names(&replay), order[..4]);
    }
}
