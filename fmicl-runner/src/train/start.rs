//! The second phase of a training run: its directory, made or gone on with, and what is said of it.

use super::callbacks::{Progress, SharedTrackers, Skipped, Trackers};
use super::open::Opened;
use super::options::{Resume, TrainOptions};
use super::resume::Found;
use super::trainer::Trainer;
use crate::log;
use crate::run::RunDir;
use crate::run::provenance::{Computing, Ongoing};
use fmicl_core::TrackedRun;
use std::path::PathBuf;

/// A run that is about to train.
pub struct Started {
    /// Its directory, in the process that writes.
    pub run: Option<RunDir>,
    /// The same, which may be on the disk of the first process alone.
    pub path: PathBuf,
    /// The record of this command's work on it.
    pub record: Option<Ongoing>,
    /// Progress messages.
    pub progress: Progress,
}

impl Started {
    /// Makes the run's directory, or makes it what it was at the checkpoint at which the trainer stands. `None` where all
    /// epochs are over and judged.
    ///
    /// # Errors
    /// A directory that is in use or cannot be written, fewer epochs than the run has had, or another dataset.
    pub fn new(
        (opened, found): (&Opened, Option<Found>),
        trainer: &Trainer,
        options: &TrainOptions,
    ) -> anyhow::Result<Option<Self>> {
        let processes = &**trainer.plan.processes;
        let progress = match processes.rank() {
            0 => Progress::new(trainer.plan.total_steps(), trainer.state.standing.step),
            _ => Progress::silent(),
        };
        let is_over = trainer.state.standing.step == trainer.plan.total_steps();
        let over = found.as_ref().filter(|found| found.run.is_finished() && is_over);
        if let Some(found) = over {
            let path = found.run.path().display();
            progress.note(&format!(
                "{path}: this run is finished; raise train.epochs to continue it"
            ));
            // They send what a server has not got yet.
            match trackers(&found.run, trainer) {
                Ok(trackers) => drop(trackers),
                Err(error) => tracing::warn!("{error}"),
            }
        }
        if processes.largest([over.is_some().into()])? == [1] {
            return Ok(None);
        }
        let run = directory((opened, found), trainer, options, &progress)?;
        let begin = |run: &RunDir| {
            let computing = Computing {
                steps: Some(trainer.plan.total_steps()),
                ..trainer.state.standing.computing(Some(&trainer.plan.experiment.train))
            };
            Ongoing::begin(run.path(), &computing)
        };
        let record = run.as_ref().map(begin).transpose()?;
        let path = run.as_ref().map(|run| run.path().to_string_lossy());
        let path = PathBuf::from(processes.text_of_first(&path.unwrap_or_default())?);
        Ok(Some(Started {
            run,
            path,
            record,
            progress,
        }))
    }

    /// The list of samples that cannot be read, and the trackers.
    ///
    /// # Errors
    /// The disk's, and those of the trackers.
    pub fn lines(&self, opened: &Opened, trainer: &Trainer) -> fmicl_core::Result<(Skipped, SharedTrackers)> {
        let Some(run) = &self.run else {
            return Ok((Skipped::unlisted(&opened.data), SharedTrackers::default()));
        };
        let trackers = trackers(run, trainer)?;
        let skipped = Skipped::of(run, &opened.data)?;
        Ok((skipped, SharedTrackers::new(trackers.into())))
    }

    /// Says what is trained, on what and where.
    pub fn tell(&self, opened: &Opened, trainer: &Trainer) {
        let Opened { experiment, data, .. } = opened;
        let (plan, model) = (&trainer.plan, &trainer.state.model);
        self.progress.note(&format!(
            "{} {}, {} steps an epoch, {:.2} M parameters, {:?}{}; run directory {}",
            data.pretrain.len(),
            experiment.dataset.modality(),
            plan.steps_per_epoch,
            model.parameters() as f64 / 1e6,
            plan.device,
            match plan.processes.are_many() {
                true => format!(" in each of {} processes", plan.processes.size()),
                false => String::new(),
            },
            self.path.display(),
        ));
        if plan.processes.rank() == 0 {
            data.notes(experiment).iter().for_each(|note| self.progress.note(note));
        }
        if let Some(init) = &model.init {
            self.progress.note(&format!("the backbone starts with {init}"));
        }
    }
}

/// The trackers of a run, at the step at which the trainer stands.
fn trackers(run: &RunDir, trainer: &Trainer) -> fmicl_core::Result<Trackers> {
    let experiment = trainer.plan.experiment;
    let tracked = TrackedRun {
        folder: run.path(),
        epochs: trainer.state.standing.epochs,
        steps: trainer.state.standing.step,
        config: &RunDir::table_of(experiment)?,
    };
    Trackers::open(experiment, &tracked)
}

/// The directory, in the process that writes; the log goes there from here on.
fn directory(
    (opened, found): (&Opened, Option<Found>),
    trainer: &Trainer,
    options: &TrainOptions,
    progress: &Progress,
) -> anyhow::Result<Option<RunDir>> {
    let (experiment, portions) = (&opened.experiment, &opened.portions);
    if let Some(found) = found {
        log::open(&found.run.log_path())?;
        found.go_on(experiment, portions, trainer, progress)?;
        return Ok(Some(found.run));
    }
    if trainer.plan.processes.rank() > 0 {
        return Ok(None);
    }
    let model = &*trainer.state.model;
    let started = model.init.is_some().then_some(model);
    let path = options.out.clone().unwrap_or_else(|| RunDir::unused(&options.name));
    let run = RunDir::create(path, experiment, trainer.state.bytes(), started)?;
    run.keep_portions(portions)?;
    log::open(&run.log_path())?;
    if options.resume == Resume::Auto {
        progress.note(&format!(
            "{}: no run there yet, so one is started",
            run.path().display()
        ));
    }
    Ok(Some(run))
}
