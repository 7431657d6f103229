//! `fmicl watch`: a run or a sweep on a terminal.

use crate::plain;
use crate::terminal;
use crate::watched::Watched;
use clap::Args;
use fmicl_runner::command::{Command, Group, Outcome};
use std::io::{IsTerminal, Write, stdout};
use std::path::PathBuf;
use std::time::SystemTime;

#[derive(Debug, Args)]
struct Watch {
    /// The directory of a run, or of a sweep
    #[arg(value_name = "RUN|SWEEP")]
    path: PathBuf,
    /// The curve that is shown first, such as f_mi or knn.accuracy
    #[arg(long, value_name = "NAME")]
    curve: Option<String>,
}

fmicl_runner::command!(
    "watch",
    Watch,
    Group::Inspect,
    "Watch a run or a sweep: curves, progress, log"
);

impl Command for Watch {
    fn run(self) -> Outcome {
        let watched = Watched::new(&self.path, self.curve.as_deref())?;
        if stdout().is_terminal() {
            return Ok(terminal::show(watched)?);
        }
        let text = plain::text(&watched, SystemTime::now());
        Ok(stdout().write_all(text.as_bytes())?)
    }
}
