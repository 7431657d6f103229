//! The command line.

use crate::config::{self, Experiment};
use crate::train::{Interrupt, Resume, Stopped, TrainOptions};
use crate::{DeviceChoice, commands, home, log, panics, provenance, sweep, train, verify, wrap};
use clap::{Args, CommandFactory, FromArgMatches, Parser, Subcommand};
use std::ffi::OsString;
use std::io;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

/// Contrastive self-supervised training with the f-MICL family of objectives
#[derive(Debug, Parser)]
#[command(name = "fmicl", version = provenance::version(), propagate_version = true)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Train an experiment, evaluate it and write a run directory
    Train {
        /// The experiment file; with --resume RUN, the run's own by default
        #[arg(value_name = "EXPERIMENT.toml", required_unless_present = "resume")]
        path: Option<PathBuf>,
        #[command(flatten)]
        changes: ChangeArgs,
        /// The run directory [default: a new one under runs/]
        #[arg(long, value_name = "DIR")]
        out: Option<PathBuf>,
        /// Go on with the run of this directory; with `auto`, with the one in --out if there is one
        #[arg(long, value_name = "RUN|auto")]
        resume: Option<PathBuf>,
        /// Stop after this step of the run, with a checkpoint
        #[arg(long, value_name = "STEP")]
        stop_after: Option<u64>,
    },
    /// Take a step of a run again and show every tensor on the way
    Replay {
        /// The run directory
        run: PathBuf,
        /// Which step, counted from 1
        #[arg(long)]
        step: u64,
        /// Change the run's experiment where it may, such as dataset.root=DIR; may be repeated
        #[arg(long = "set", value_name = "KEY=VALUE")]
        sets: Vec<String>,
        /// auto, cpu or cuda:N, instead of the experiment's
        #[arg(long)]
        device: Option<DeviceChoice>,
    },
    /// Evaluate the encoder of a run directory
    Eval(commands::EvalArgs),
    /// Write a vector for each line of stdin: sentences, or paths of images
    Embed(commands::EmbedArgs),
    /// Write the features of a run's frozen encoder, and the labels
    Features(commands::FeaturesArgs),
    /// Write a run's backbone, for PyTorch
    Export(commands::ExportArgs),
    /// Convert a PyTorch checkpoint's weights to safetensors, for `init`
    Convert(commands::ConvertArgs),
    /// Train every experiment of a grid and write its table
    Sweep(sweep::Options),
    /// Compute what the paper claims, with every registered divergence
    Verify {
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// List the registered parts, their options and where they come from
    List {
        /// Only this kind of part, such as divergence
        kind: Option<String>,
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// Where the datasets are looked for, and how to get them
    #[command(subcommand)]
    Data(commands::Data),
    /// Check all of an experiment that can be known before training
    Check {
        #[command(flatten)]
        experiment: ExperimentArgs,
        /// Read every sample too, and name those that cannot be read
        #[arg(long)]
        files: bool,
    },
}

/// An experiment and what the command line changes about it.
#[derive(Debug, Args)]
pub(crate) struct ExperimentArgs {
    /// The experiment file
    #[arg(value_name = "EXPERIMENT.toml")]
    pub path: PathBuf,
    #[command(flatten)]
    changes: ChangeArgs,
}

/// What the command line changes about an experiment.
#[derive(Debug, Args)]
pub(crate) struct ChangeArgs {
    /// Change a value, such as train.lr=0.1 or objective.divergence=js; may be repeated
    #[arg(long = "set", value_name = "KEY=VALUE")]
    sets: Vec<String>,
    /// auto, cpu or cuda:N; short for --set device=...
    #[arg(long)]
    device: Option<DeviceChoice>,
    /// Short for --set seed=...
    #[arg(long)]
    seed: Option<u64>,
}

impl ExperimentArgs {
    /// The experiment, or everything that is wrong with it.
    pub fn load(&self) -> Result<Experiment, Vec<fmicl_core::Error>> {
        self.changes.load(&self.path)
    }
}

impl ChangeArgs {
    fn load(&self, path: &Path) -> Result<Experiment, Vec<fmicl_core::Error>> {
        let (device, seed) = (
            self.device.map(|device| device.to_string()),
            self.seed.map(|seed| seed.to_string()),
        );
        for (key, short) in [("device", &device), ("seed", &seed)] {
            commands::refuse_both(&self.sets, key, short.clone()).map_err(|error| vec![error])?;
        }
        let device = device.map(|device| format!("device={device}"));
        let seed = seed.map(|seed| format!("seed={seed}"));
        let sets: Vec<_> = self.sets.iter().cloned().chain(device).chain(seed).collect();
        config::load_all(path, &sets).map_err(|errors| match sweep::is_at(path) {
            true => {
                let message = format!(
                    "{}: is a sweep, not an experiment; run it by `fmicl sweep`",
                    path.display()
                );
                vec![fmicl_core::Error::config(message)]
            }
            false => errors,
        })
    }
}

/// Everything that the command found wrong, at least one.
pub(crate) type Outcome = Result<(), Vec<anyhow::Error>>;

/// Runs the command line of the process: its exit code is 0, 1 where the run failed, 2 where the command line or the
/// config is at fault, or 128 and the number of the signal that stopped a training run. Errors go to stderr, a line each.
///
/// A binary with parts of its own is `use my_plugin as _; fn main() -> ExitCode { fmicl_runner::cli() }`.
pub fn cli() -> ExitCode {
    cli_of(std::env::args_os())
}

/// [`cli`] of other arguments than the process's; the first is the program's name.
pub fn cli_of(args: impl IntoIterator<Item = impl Into<OsString> + Clone>) -> ExitCode {
    panics::install();
    train::survive_large_files();
    provenance::take_name();
    let args = match home::arguments(args) {
        Ok(args) => args,
        Err(why) => {
            log::end("error: ", &why);
            return ExitCode::from(2);
        }
    };
    // What is no terminal gets whole lines.
    let command = Cli::command().term_width(wrap::width(io::stdout()).unwrap_or(0));
    let cli = Cli::from_arg_matches(&command.get_matches_from(args)).unwrap_or_else(|error| error.exit());
    log::init(matches!(cli.command, Command::Train { .. }) && !train::can_be_shown());
    // The panic's line is printed by then.
    let Ok(outcome) = std::panic::catch_unwind(|| cli.command.run()) else {
        return ExitCode::FAILURE;
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        // Whoever read our output has had enough of it (`fmicl list | head -1`).
        Err(errors) if errors.iter().all(is_broken_pipe) => ExitCode::SUCCESS,
        Err(errors) => {
            if let Some(stopped) = errors.iter().find_map(|error| error.downcast_ref::<Stopped>()) {
                log::end("", &stopped.to_string());
                return ExitCode::from(stopped.signal.exit_code());
            }
            for error in &errors {
                log::end("error: ", &one_line(error));
            }
            if errors.iter().any(is_usage) {
                ExitCode::from(2)
            } else {
                ExitCode::FAILURE
            }
        }
    }
}

impl Command {
    fn run(self) -> Outcome {
        match self {
            Command::Train {
                path,
                changes,
                out,
                resume,
                stop_after,
            } => start(path, &changes, out, resume, stop_after),
            Command::Replay {
                run,
                step,
                sets,
                device,
            } => train::replay(&run, step, &sets, device).map_err(one),
            Command::Eval(args) => commands::evaluate(args),
            Command::Embed(args) => commands::embed(&args).map_err(one),
            Command::Features(args) => commands::features(&args).map_err(one),
            Command::Export(args) => commands::export(&args).map_err(one),
            Command::Convert(args) => commands::convert(&args).map_err(one),
            Command::Sweep(options) => sweep::run(&options),
            Command::Verify { json } => verify::run(json).map_err(one),
            Command::List { kind, json } => commands::list(kind.as_deref(), json).map_err(one),
            Command::Data(command) => command.run(),
            Command::Check { experiment, files } => commands::check(&experiment, files).map_err(all),
        }
    }
}

/// `fmicl train`.
fn start(
    path: Option<PathBuf>,
    changes: &ChangeArgs,
    out: Option<PathBuf>,
    resume: Option<PathBuf>,
    stop_after: Option<u64>,
) -> Outcome {
    let usage = |message: &str| vec![fmicl_core::Error::config(message).into()];
    let resume = match resume {
        None => Resume::Never,
        Some(auto) if auto.as_os_str() == "auto" => Resume::Auto,
        Some(run) => Resume::Run(run),
    };
    let path = match (path, &resume) {
        (_, Resume::Auto) if out.is_none() => {
            return Err(usage("--resume auto looks for a run in --out DIR: name it"));
        }
        (_, Resume::Run(run)) if out.as_ref().is_some_and(|out| out != run) => {
            return Err(usage(
                "--resume RUN goes on in RUN: leave --out away, or say --resume auto",
            ));
        }
        (Some(path), _) => path,
        (None, Resume::Run(run)) if !run.join("config.toml").exists() => {
            return Err(usage(&format!(
                "--resume: {} is no run directory, it has no config.toml; name one that `train` wrote",
                run.display()
            )));
        }
        (None, Resume::Run(run)) => run.join("config.toml"),
        (None, _) => {
            return Err(usage(
                "--resume auto begins a run where there is none: name its EXPERIMENT.toml",
            ));
        }
    };
    let name = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
    let experiment = changes.load(&path).map_err(all)?;
    let options = TrainOptions {
        out,
        name,
        resume,
        stop_after,
        interrupt: Interrupt::by_signals(),
    };
    train::run(experiment, &options).map_err(one)
}

pub(crate) fn one(error: anyhow::Error) -> Vec<anyhow::Error> {
    vec![error]
}

pub(crate) fn all(errors: Vec<fmicl_core::Error>) -> Vec<anyhow::Error> {
    errors.into_iter().map(Into::into).collect()
}

fn is_usage(error: &anyhow::Error) -> bool {
    error
        .chain()
        .filter_map(|cause| cause.downcast_ref::<fmicl_core::Error>())
        .any(fmicl_core::Error::is_usage)
}

fn is_broken_pipe(error: &anyhow::Error) -> bool {
    let causes = error.chain().filter_map(|cause| cause.downcast_ref::<io::Error>());
    causes
        .into_iter()
        .any(|cause| cause.kind() == io::ErrorKind::BrokenPipe)
}

/// An error and its causes; behind a line end there is only a C++ stack trace.
fn one_line(error: &anyhow::Error) -> String {
    // Our own errors say their cause in their own words.
    let text = match error.downcast_ref::<fmicl_core::Error>() {
        Some(error) => error.to_string(),
        None => format!("{error:#}"),
    };
    text.lines().next().unwrap_or_default().to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_line_is_well_formed() {
        Cli::command().debug_assert();
    }

    #[test]
    fn only_faults_of_the_config_count_as_usage() {
        let config = anyhow::Error::from(fmicl_core::Error::config("no")).context("while loading");
        assert!(is_usage(&config));
        assert!(!is_usage(&fmicl_core::Error::Run("no".into()).into()));
    }
}
