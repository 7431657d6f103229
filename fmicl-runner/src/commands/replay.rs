//! `fmicl replay`: a step of a run once more.

use crate::DeviceChoice;
use crate::command::{Command, Group, Outcome};
use crate::train;
use clap::Args;
use std::path::PathBuf;

#[derive(Debug, Args)]
struct Replay {
    /// The run directory
    run: PathBuf,
    /// Which step, counted from 1
    #[arg(long)]
    step: u64,
    /// Change a key of the run's experiment that may change, such as dataset.root=DIR; may be repeated
    #[arg(long = "set", value_name = "KEY=VALUE")]
    sets: Vec<String>,
    /// auto, cpu or cuda:N, instead of the experiment's
    #[arg(long)]
    device: Option<DeviceChoice>,
}

crate::command!(
    "replay",
    Replay,
    Group::Train,
    "Take a step of a run again and show every tensor on the way"
);

impl Command for Replay {
    fn run(self) -> Outcome {
        Ok(train::replay(&self.run, self.step, &self.sets, self.device)?)
    }
}
