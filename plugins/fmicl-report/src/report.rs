//! `fmicl report`: a run, several runs or a sweep on one page.

mod chart;
mod config;
mod curves;
mod html;
mod page;
mod run;
mod sections;
mod table;

use clap::Args;
use fmicl_core::disk;
use fmicl_runner::command::{Command, Group, ModelArgs, Outcome};
use fmicl_runner::out;
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
        let out = self.place();
        out::require_file_place(&out)?;
        let names = run::names(&self.runs);
        let paths = self.runs.iter().zip(names);
        let runs: Vec<_> = paths
            .map(|(path, name)| RunFiles::read(path, name))
            .collect::<fmicl_core::Result<_>>()?;
        let page = of_runs(&runs);
        write(&page, &out)
    }
}

impl Report {
    fn place(&self) -> PathBuf {
        match (&self.out, &self.runs[..]) {
            (Some(out), _) => out.clone(),
            (None, [run]) => run.join("report.html"),
            (None, _) => "report.html".into(),
        }
    }
}

/// The page of runs, from their files alone.
fn of_runs(runs: &[RunFiles]) -> Page {
    let all: Vec<&RunFiles> = runs.iter().collect();
    let mut page = Page::default();
    sections::head(&mut page, &all);
    sections::results(&mut page, &all);
    sections::curves(&mut page, &all);
    sections::configs(&mut page, &all);
    page
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
