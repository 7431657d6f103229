//! `fmicl report`: a run, several runs or a sweep on one page.

mod axis;
mod chart;
mod checkpoint;
mod config;
mod confusion;
mod curves;
mod details;
mod drawn;
mod encoder;
mod html;
mod layout;
mod map;
mod markdown;
mod neighbours;
mod page;
mod projections;
mod room;
mod run;
mod sections;
mod sweep;
mod table;
#[cfg(test)]
mod tests;

use clap::Args;
use details::Asked;
use fmicl_core::{Error, Result, disk};
use fmicl_runner::command::{Command, Group, ModelArgs, Outcome};
use fmicl_runner::out;
use fmicl_runner::run::CheckpointChoice;
use page::Page;
use run::RunFiles;
use std::io::Write;
use std::path::{Path, PathBuf};

#[derive(Debug, Args)]
struct Report {
    /// The run directories that `train` wrote, or the folder of a sweep
    #[arg(required = true, value_name = "RUN")]
    runs: Vec<PathBuf>,
    /// The file [default: report.html, in the run where there is one alone]
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
    /// The most samples of a map, and about as many for the pairs of projections
    #[arg(long, value_name = "COUNT", default_value_t = 2000)]
    samples: usize,
    /// Read the run's files alone, neither its encoder nor its data
    #[arg(long, conflicts_with_all = ["checkpoint", "sets", "device"])]
    files_only: bool,
    #[command(flatten)]
    model: ModelArgs,
}

fmicl_runner::command!(
    "report",
    Report,
    Group::Evaluate,
    "Write a page on a run, on several runs or on a sweep: results, curves, maps, images, config"
);

impl Command for Report {
    fn run(self) -> Outcome {
        // A run that is not there is told as such, and not as the lack of a place for its page.
        self.validate()?;
        let out = self.place();
        let names = run::names(&self.runs);
        if let ([folder], [name]) = (&self.runs[..], &names[..])
            && sweep::is_at(folder)
        {
            self.refuse_model()?;
            return write(&sweep::page(folder, name)?, &out);
        }
        if let Some(sweep) = self.runs.iter().find(|path| sweep::is_at(path)) {
            let message = format!(
                "{}: is a sweep, which has a page of its own: name it alone, or runs of it, in {}",
                sweep.display(),
                sweep.join("runs").display()
            );
            return Err(Error::config(message).into());
        }
        let paths = self.runs.iter().zip(names);
        let runs: Vec<_> = paths
            .map(|(path, name)| RunFiles::read(path, name))
            .collect::<Result<_>>()?;
        let asked = Asked {
            model: &self.model,
            samples: self.samples,
        };
        let page = of_runs(&runs, (!self.files_only).then_some(&asked))?;
        write(&page, &out)
    }
}

impl Report {
    fn validate(&self) -> Result<()> {
        if self.samples < 2 {
            return Err(Error::config(format!("{} is no map; take at least 2", self.samples)).at("--samples"));
        }
        let Some(out) = &self.out else { return Ok(()) };
        let extension = out
            .extension()
            .map(|extension| extension.to_string_lossy().to_lowercase());
        if !matches!(extension.as_deref(), Some("html" | "htm")) {
            let message = format!(
                "{}: the page is an HTML file; name one that ends in .html",
                out.display()
            );
            return Err(Error::config(message).at("--out"));
        }
        out::require_file_place(out)
    }

    /// Of a sweep nothing is encoded.
    fn refuse_model(&self) -> Result<()> {
        let model = &self.model;
        let given = [
            ("--checkpoint", model.checkpoint != CheckpointChoice::Last),
            ("--set", !model.sets.is_empty()),
            ("--device", model.device.is_some()),
        ];
        match given.into_iter().find(|(_, is_given)| *is_given) {
            None => Ok(()),
            Some((option, _)) => {
                let message = "the page of a sweep is of its files alone; name one of its runs, in its folder runs, for its encoder";
                Err(Error::config(message).at(option))
            }
        }
    }

    fn place(&self) -> PathBuf {
        match (&self.out, &self.runs[..]) {
            (Some(out), _) => out.clone(),
            (None, [run]) => run.join("report.html"),
            (None, _) => "report.html".into(),
        }
    }
}

/// The page of runs, from their files alone where nothing is `asked` of their encoders.
///
/// # Errors
/// A checkpoint, a change or a device that was asked for and cannot be had.
fn of_runs(runs: &[RunFiles], asked: Option<&Asked>) -> Result<Page> {
    let all: Vec<&RunFiles> = runs.iter().collect();
    let mut page = Page::default();
    sections::head(&mut page, &all);
    sections::results(&mut page, &all);
    sections::curves(&mut page, &all);
    sections::scatters(&mut page, &all);
    details::add(&mut page, &all, asked)?;
    sections::configs(&mut page, &all);
    Ok(page)
}

/// Writes the page and prints its place, and what it lacks as warnings.
fn write(page: &Page, out: &Path) -> Outcome {
    let html = page.html();
    disk::replace(out, html.as_bytes())?;
    page.left_out().iter().for_each(|line| tracing::warn!("{line}"));
    writeln!(
        std::io::stdout(),
        "report: {} ({:.1} MB)",
        out.display(),
        html.len() as f64 / 1e6
    )?;
    Ok(())
}
