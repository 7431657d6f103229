//! `fmicl figures`: the paper's figures of a run.

pub mod assumption_2;
mod curves;
pub mod distances;
mod figure;
mod fit;
mod histograms;
#[cfg(test)]
pub mod made;
pub mod pairs;
mod plot;

pub use figure::Figure;

use clap::Args;
use fmicl_core::{Error, Result};
use fmicl_runner::command::{Command, Group, ModelArgs, Outcome, samples_of};
use fmicl_runner::out;
use fmicl_runner::run::{Restored, RunDir};
use pairs::Pairs;
use std::io::Write;
use std::path::{Path, PathBuf};

#[derive(Debug, Args)]
struct Figures {
    /// The run directory that `train` wrote
    run: PathBuf,
    /// The folder for the files [default: RUN/figures]
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    /// Samples of pre-training whose pairs `assumption-2` counts, in whole batches
    #[arg(long, value_name = "COUNT", default_value_t = 4096)]
    samples: usize,
    #[command(flatten)]
    model: ModelArgs,
}

fmicl_runner::command!(
    "figures",
    Figures,
    Group::Evaluate,
    "Draw the paper's figures of a run: distances of pairs, assumption 2, curves"
);

impl Command for Figures {
    fn run(self) -> Outcome {
        figures(&self)
    }
}

/// Writes every figure that the run has the data for, and prints their files.
///
/// # Errors
/// Whatever is wrong with the run or the disk; after everything else is written, a line on each figure that is not.
fn figures(args: &Figures) -> Outcome {
    if args.samples == 0 {
        return Err(Error::config("0 is no pair; take at least 1").at("--samples").into());
    }
    let (run, experiment, device) = args.model.open(&args.run, "figures")?;
    let folder = args.out.clone().unwrap_or_else(|| run.path().join("figures"));
    out::make_folder(&folder)?;
    let mut written = Written {
        folder: &folder,
        checkpoint: None,
        missing: Vec::new(),
    };
    let restored = run.restore(experiment, device, &args.model.checkpoint);
    match restored.and_then(|it| pairs(&run, it, args.samples)) {
        Ok((it, pairs)) => {
            written.add(distances::NAME, distances::figure(&pairs))?;
            let figure = assumption_2::figure(&pairs, &it.experiment, &it.model.learned);
            written.add_with(assumption_2::NAME, figure)?;
            written.checkpoint = Some(it.checkpoint);
        }
        Err(error) => written.miss(&format!("{} and {}", distances::NAME, assumption_2::NAME), &error),
    }
    written.add(curves::NAME, curves::figure(run.path()))?;
    if let Some(checkpoint) = &written.checkpoint {
        writeln!(std::io::stdout(), "checkpoint: {}", checkpoint.display())?;
    }
    match written.missing.is_empty() {
        true => Ok(()),
        false => Err(written.missing.into()),
    }
}

/// The pairs of the run's model, with what they are of.
fn pairs(run: &RunDir, mut it: Restored, samples: usize) -> Result<(Restored, Pairs)> {
    let (pretrain, _) = samples_of(run, &it.experiment)?;
    let pairs = Pairs::of(&mut it, pretrain, samples)?;
    Ok((it, pairs))
}

/// The figures so far.
struct Written<'a> {
    folder: &'a Path,
    /// File of the weights of those that show projections.
    checkpoint: Option<PathBuf>,
    /// A line on each that is not written.
    missing: Vec<Error>,
}

impl Written<'_> {
    fn add(&mut self, name: &str, figure: Result<Figure>) -> Result<()> {
        self.add_with(name, figure.map(|figure| (figure, String::new())))
    }

    /// Writes a figure and prints its files, and a line on it where there is one.
    fn add_with(&mut self, name: &str, figure: Result<(Figure, String)>) -> Result<()> {
        match figure {
            Ok((figure, line)) => {
                let mut lines = figure.write(self.folder)?.to_vec();
                lines.extend((!line.is_empty()).then_some(line));
                writeln!(std::io::stdout(), "{}", lines.join("\n")).map_err(|error| Error::io("stdout", error))
            }
            Err(error) => {
                self.miss(name, &error);
                Ok(())
            }
        }
    }

    fn miss(&mut self, name: &str, error: &Error) {
        self.missing.push(Error::Run(format!("{name} not written: {error}")));
    }
}
