//! `fmicl train`: trains an experiment, or resumes its run, and evaluates the encoder.

use super::ChangeArgs;
use crate::command::{Command, Group, Outcome};
use crate::config::Experiment;
use crate::run::Model;
use crate::together::Together;
use crate::train::{self, Interrupt, Opened, Resume, TrainOptions, Worth};
use crate::{eval, log};
use clap::Args;
use fmicl_core::tch::Device;
use fmicl_core::{Error, Processes, Result};
use serde_json::json;
use std::path::PathBuf;
use std::rc::Rc;

#[derive(Debug, Args)]
struct Train {
    /// The experiment file; with --resume RUN, the run's own by default
    #[arg(value_name = "EXPERIMENT.toml", required_unless_present = "resume")]
    path: Option<PathBuf>,
    #[command(flatten)]
    changes: ChangeArgs,
    /// The run directory [default: a new one under runs/]
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    /// Resume the run in this directory; `auto` resumes the one in --out if there is one
    #[arg(long, value_name = "RUN|auto")]
    resume: Option<PathBuf>,
    /// Stop after this step of the run, with a checkpoint
    #[arg(long, value_name = "STEP")]
    stop_after: Option<u64>,
}

crate::command!(
    "train",
    Train,
    Group::Train,
    "Train an experiment, evaluate it and write a run directory"
);

impl Command for Train {
    fn run(self) -> Outcome {
        // Where no bar is shown, stderr tells what happens.
        if !train::can_be_shown() {
            log::tell();
        }
        let (path, resume) = self.path_and_resume()?;
        let name = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        let experiment = self.changes.load(&path)?;
        let options = TrainOptions {
            out: self.out,
            name,
            resume,
            stop_after: self.stop_after,
            interrupt: Interrupt::by_signals(),
        };
        Ok(train_and_judge(experiment, &options)?)
    }
}

impl Train {
    /// The experiment's file, and whether a run is resumed.
    fn path_and_resume(&self) -> Result<(PathBuf, Resume)> {
        let usage = |message: &str| Err(Error::config(message));
        let resume = match &self.resume {
            None => Resume::Never,
            Some(auto) if auto.as_os_str() == "auto" => Resume::Auto,
            Some(run) => Resume::Run(run.clone()),
        };
        let path = match (&self.path, &resume) {
            (_, Resume::Auto) if self.out.is_none() => {
                return usage("--resume auto looks for a run in --out DIR: name it");
            }
            (_, Resume::Run(run)) if self.out.as_ref().is_some_and(|out| out != run) => {
                return usage("--resume RUN continues in RUN: omit --out, or use --resume auto");
            }
            (Some(path), _) => path.clone(),
            (None, Resume::Run(run)) if !run.join("config.toml").exists() => {
                return usage(&format!(
                    "--resume: {} is not a run directory: it has no config.toml; name one that `train` wrote",
                    run.display()
                ));
            }
            (None, Resume::Run(run)) => run.join("config.toml"),
            (None, _) => {
                return usage("--resume auto starts a run where there is none: give its EXPERIMENT.toml");
            }
        };
        Ok((path, resume))
    }
}

/// Trains an experiment, or resumes its run, evaluates the encoder and writes the run directory. Of several
/// processes, only rank 0 writes and prints.
///
/// # Errors
/// Whatever stops the run; a [`Stopped`](train::Stopped) where it was asked to.
pub fn train_and_judge(experiment: Experiment, options: &TrainOptions) -> anyhow::Result<()> {
    let device = |gpu| {
        let device = experiment.device.resolve_for(gpu);
        let device = device.and_then(|device| experiment.train.precision.on(device));
        device.map_err(|error| experiment.locate(error))
    };
    let together = Together::meet(&*experiment.engine, device)?;
    together.run(|device, processes| in_group(experiment, options, device, processes))
}

fn in_group(
    experiment: Experiment,
    options: &TrainOptions,
    device: Device,
    processes: &Rc<dyn Processes>,
) -> anyhow::Result<()> {
    let (opened, found) = Opened::new(experiment, options, &**processes)?;
    let (experiment, data) = (&opened.experiment, &opened.data);
    let mut model = opened.model(found.as_ref(), device)?;
    let width = model.learner.encoder().width();
    eval::require_alone(data, &**processes).map_err(|error| experiment.locate(error))?;
    let need = eval::require_room(data, width, device).map_err(|error| experiment.locate(error))?;
    if let (Some(need), 0) = (need.filter(eval::Need::is_large), processes.rank()) {
        tracing::info!("the evaluation after training takes {need}");
    }
    let judge = |model: &Model| -> anyhow::Result<Worth> {
        let reports = eval::online(experiment, data, model, device, processes)?;
        let score = reports.score(experiment.eval.best.as_deref());
        Ok(Worth {
            values: reports.values(),
            line: reports.line(),
            score: score.map_err(|error| experiment.locate(error))?,
        })
    };
    let trained = train::run((&opened, found), &mut model, (device, processes), options, &judge)?;
    let Some(trained) = trained else {
        return Ok(());
    };
    trained.tell(data.judge_encoders());
    // Evaluation reads the run's own copies of files, if this process sees the run directory.
    let own = trained.experiment(&**processes)?;
    let experiment = own.as_ref().unwrap_or(experiment);
    let evaluated =
        eval::compare(experiment, data, &model, device, processes).map_err(|error| trained.unjudged(&error))?;
    let printed = evaluated.to_string();
    trained.write(experiment, data, (json!(evaluated), &printed), &evaluated.of_trained())
}
