//! The verb `fmicl sweep`, and what it checks before anything runs.

use crate::cell::Cell;
use crate::file::SweepFile;
use crate::metrics::Metrics;
use crate::report::Report;
use crate::{grid, jobs};
use clap::Args;
use fmicl_core::{Error, OUTPUT_MARK, disk, tch};
use fmicl_runner::command::{Command, Group, Outcome};
use fmicl_runner::train::Interrupt;
use fmicl_runner::{DeviceChoice, checked, log, out};
use std::collections::HashSet;
use std::fs::File;
use std::io::Write;
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};

/// What the command line says about a sweep.
#[derive(Debug, Clone, Args)]
struct Sweep {
    /// The sweep file
    #[arg(value_name = "SWEEP.toml")]
    path: PathBuf,
    /// Where the runs and the table go [default: sweeps/NAME, with -SCALE behind it]
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    /// Runs at a time; libtorch's threads are shared out among them
    #[arg(long, default_value_t = NonZeroUsize::MIN)]
    jobs: NonZeroUsize,
    /// A scale of the sweep file, such as laptop
    #[arg(long)]
    scale: Option<String>,
    /// Change a value in every run, such as train.epochs=2; may be repeated
    #[arg(long = "set", value_name = "KEY=VALUE")]
    sets: Vec<String>,
    /// auto, cpu or cuda:N; short for --set device=...
    #[arg(long)]
    device: Option<DeviceChoice>,
    /// Run one value of an axis, such as dataset=CIFAR-10; repeated for the same axis, all that are named
    #[arg(long, value_name = "AXIS=VALUE")]
    only: Vec<String>,
    /// Check and print the runs, and which are done, and run none
    #[arg(long)]
    dry_run: bool,
}

fmicl_runner::command!(
    "sweep",
    Sweep,
    Group::Train,
    "Train every experiment of a grid and write its table"
);

impl Command for Sweep {
    fn run(self) -> Outcome {
        run(&self)
    }

    fn takes(path: &Path) -> bool {
        SweepFile::read(path).is_ok()
    }
}

/// Runs what is not done yet, and writes `results.csv`, `table.md` and `plot.svg` anew after each run.
///
/// # Errors
/// Everything that is wrong with the file or with a run's config, before anything runs; a directory that another sweep
/// works on or that holds runs of another config; at the end, how many runs failed.
fn run(options: &Sweep) -> Outcome {
    let file = SweepFile::read(&options.path)?;
    let out = options.out.clone().unwrap_or_else(|| default_out(options));
    let device = options.device.map(|device| format!("device={device}"));
    let sets: Vec<String> = options.sets.iter().cloned().chain(device).collect();
    let cells = grid::cells(&file, options.scale.as_deref(), &sets, &options.only, &out)?;
    let report = Report::new(&options.path, &file, options.scale.as_deref(), &cells)?;
    if options.dry_run {
        list(&cells)?;
    }
    let mut waiting = Vec::new();
    let mut metrics = Metrics::default();
    for (index, cell) in cells.iter().enumerate() {
        if !cell.is_done()? {
            waiting.push(index);
        } else if let Some(run) = cell.outcome()?.finished() {
            metrics.add_finished(run);
        }
    }
    check(waiting.iter().map(|&index| &cells[index]), &mut metrics)?;
    // Of the runs that are left out some may have it.
    let missing = if options.only.is_empty() {
        metrics.missing(&file)
    } else {
        Vec::new()
    };
    if !missing.is_empty() {
        return Err(missing.into());
    }
    if options.dry_run {
        return Ok(());
    }

    out::make_folder(&out)?;
    let lock = lock(&out)?;
    // Of Ctrl-C a terminal tells the runs, too, and they save a checkpoint.
    let tell = |signal| {
        let next = "run the same command again once the active runs have ended";
        log::end("", &format!("stopped by {signal}; {next}"));
    };
    Interrupt::by_signals().end_at_once(tell)?;
    report.write(&out)?;
    let failed = jobs::run(&cells, &waiting, options.jobs.get(), &lock, || report.write(&out))?;
    let table = report.markdown()?;
    writeln!(std::io::stdout(), "\n{table}\nwritten to {}", out.display())?;
    if failed == 0 {
        return Ok(());
    }
    Err(Error::Run(format!(
        "{failed} of {} runs failed; the table says why, and the same command will try them again",
        cells.len()
    ))
    .into())
}

/// The titles of the sweep's runs in their order, at a scale or at full size: their configs are checked, but not whether
/// there are such data and models.
///
/// # Errors
/// Everything that is wrong with the file or with a run's config.
pub fn titles(path: &Path, scale: Option<&str>) -> Result<Vec<String>, Vec<Error>> {
    let file = SweepFile::read(path).map_err(|error| vec![error])?;
    let cells = grid::cells(&file, scale, &[], &[], Path::new("sweeps"))?;
    Ok(cells.iter().map(Cell::title).collect())
}

/// What `fmicl check` finds in any of the runs, whose metrics it adds: an hour into a sweep is too late for it.
fn check<'a>(cells: impl Iterator<Item = &'a Cell>, metrics: &mut Metrics) -> Result<(), Vec<Error>> {
    // Two images a run: threads would only wait for one another.
    tch::set_num_threads(1);
    let mut seen = HashSet::new();
    let mut problems = grid::Problems::default();
    for cell in cells {
        // The seed makes no difference here.
        let but_seed: Vec<&str> = cell
            .config
            .lines()
            .filter(|line| !line.starts_with("seed = "))
            .collect();
        if seen.insert(but_seed) {
            match cell.resolved().and_then(|experiment| checked(&experiment)) {
                Ok(run) => metrics.add(&run),
                Err(errors) => problems.add(errors),
            }
        }
    }
    problems.none()
}

fn default_out(options: &Sweep) -> PathBuf {
    let name = options.path.file_stem().unwrap_or_default().to_string_lossy();
    let scale = options.scale.iter().map(|scale| format!("-{scale}"));
    Path::new("sweeps").join(std::iter::once(name.into_owned()).chain(scale).collect::<String>())
}

fn list(cells: &[Cell]) -> std::io::Result<()> {
    let mut stdout = std::io::stdout();
    for cell in cells {
        let state = match cell.is_done() {
            Ok(true) => "done".to_string(),
            Ok(false) => "to run".to_string(),
            Err(error) => error.to_string(),
        };
        writeln!(
            stdout,
            "{}: {state}\n    --set {}",
            cell.title(),
            cell.sets().join(" --set ")
        )?;
    }
    Ok(())
}

/// Held while this sweep works on the directory, and by its runs, should they outlive it.
fn lock(out: &Path) -> fmicl_core::Result<File> {
    disk::lock(&out.join(OUTPUT_MARK))?.ok_or_else(|| {
        Error::Run(format!(
            "{}: another sweep, or a run that it left behind, is at work here; wait for it or choose another --out",
            out.display()
        ))
    })
}
