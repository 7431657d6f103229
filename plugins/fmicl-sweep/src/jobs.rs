//! Runs the cells of a sweep, each as a process of its own: one that fails takes no other with it, and libtorch's one
//! random generator belongs to one run.

use super::cell::Cell;
use super::outcome::Outcome;
use fmicl_core::{Error, Result};
use fmicl_runner::run::{FAILED, provenance};
use std::collections::VecDeque;
use std::fs::{self, File};
use std::io::Write;
use std::os::unix::process::CommandExt;
use std::process::{Command, Stdio};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// Runs the `waiting` of the `cells`, `most` at a time, and calls `after` behind each. The number of runs that failed.
///
/// # Errors
/// What stops the sweep as a whole, such as a full disk.
pub fn run(
    cells: &[Cell],
    waiting: &[usize],
    most: usize,
    lock: &File,
    after: impl Fn() -> Result<()> + Sync,
) -> anyhow::Result<usize> {
    let jobs = most.min(waiting.len().max(1));
    let queue = Mutex::new(waiting.iter().copied().collect::<VecDeque<_>>());
    let counts = Mutex::new((0, 0));
    let started = Instant::now();
    let empty = || queue.lock().unwrap_or_else(PoisonError::into_inner).clear();
    let work = || -> anyhow::Result<()> {
        loop {
            let next = queue.lock().unwrap_or_else(PoisonError::into_inner).pop_front();
            let Some(index) = next else { return Ok(()) };
            let outcome = train(&cells[index], jobs, lock)?;
            // One report at a time.
            let mut counts = counts.lock().unwrap_or_else(PoisonError::into_inner);
            after()?;
            counts.0 += 1;
            counts.1 += usize::from(matches!(outcome, Outcome::Failed(_)));
            let left = started
                .elapsed()
                .mul_f64((waiting.len() - counts.0) as f64 / counts.0 as f64);
            writeln!(
                std::io::stdout(),
                "[{}/{}] {}: {outcome} ({} left)",
                counts.0,
                waiting.len(),
                cells[index].title(),
                rounded(left)
            )?;
        }
    };
    // What stops one worker, such as a full disk, stops them all.
    let worker = || work().inspect_err(|_| empty());
    if !waiting.is_empty() {
        let done = cells.len() - waiting.len();
        writeln!(
            std::io::stdout(),
            "{} runs, {done} of them done; {jobs} at a time",
            cells.len()
        )?;
    }
    std::thread::scope(|scope| {
        let workers: Vec<_> = (0..jobs).map(|_| scope.spawn(worker)).collect();
        for worker in workers {
            worker
                .join()
                .unwrap_or_else(|_| Err(anyhow::anyhow!("a worker of the sweep panicked")))?;
        }
        let failed = counts.lock().unwrap_or_else(PoisonError::into_inner).1;
        Ok(failed)
    })
}

fn train(cell: &Cell, jobs: usize, lock: &File) -> anyhow::Result<Outcome> {
    // Since it was looked at, another sweep may have come and gone.
    if cell.is_done()? {
        return Ok(cell.outcome()?);
    }
    cell.prepare()?;
    // Every run is of the program that began the sweep, whatever is built meanwhile.
    let program = provenance::path()?;
    let mut command = Command::new(&program);
    command.arg0(std::env::args_os().next().unwrap_or("fmicl".into()));
    command.arg("train").arg(&cell.experiment).arg("--out").arg(&cell.dir);
    command.args(["--resume", "auto"]);
    cell.sets().iter().for_each(|set| {
        command.args(["--set", set]);
    });
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    if jobs > 1 && std::env::var_os("OMP_NUM_THREADS").is_none() {
        command.env("OMP_NUM_THREADS", (cores / jobs).max(1).to_string());
    }
    // A run that outlives the sweep holds the lock through its stdin, which it does not read.
    command.stdin(lock.try_clone()?).stdout(Stdio::null());
    let output = command.output().map_err(|error| Error::io(&program, error))?;
    let outcome = cell.outcome()?;
    if !output.status.success() || matches!(outcome, Outcome::Waiting) {
        let stderr = String::from_utf8_lossy(&output.stderr);
        let last = stderr.lines().rev().find(|line| line.starts_with("error:"));
        let reason = match last {
            Some(line) => line.trim_start_matches("error:").trim().to_string(),
            None => format!("the process ended with {}", output.status),
        };
        fs::create_dir_all(&cell.dir).map_err(|error| Error::io(&cell.dir, error))?;
        let path = cell.dir.join(FAILED);
        fs::write(&path, format!("{reason}\n")).map_err(|error| Error::io(path, error))?;
    }
    Ok(cell.outcome()?)
}

/// In minutes, or seconds below two of them.
fn rounded(time: Duration) -> String {
    match time.as_secs() {
        seconds @ 0..120 => format!("{seconds} s"),
        seconds => format!("{} min", seconds.div_ceil(60)),
    }
}
