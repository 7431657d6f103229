//! `fmicl checkpoints`: the checkpoints of a run, a path each.

use clap::Args;
use fmicl_runner::command::{Command, Group, Outcome};
use fmicl_runner::run::RunDir;
use std::io::{Write, stdout};
use std::path::PathBuf;

#[derive(Debug, Args)]
struct Checkpoints {
    /// The run directory that `train` wrote
    run: PathBuf,
    /// Print the last one alone
    #[arg(long)]
    last: bool,
}

fmicl_runner::command!(
    "checkpoints",
    Checkpoints,
    Group::Inspect,
    "List the checkpoints of a run"
);

impl Command for Checkpoints {
    fn run(self) -> Outcome {
        let run = RunDir::open(&self.run)?;
        if self.last {
            writeln!(stdout(), "{}", run.last_checkpoint()?.display())?;
            return Ok(());
        }
        for path in std::fs::read_dir(run.path().join("checkpoints"))? {
            writeln!(stdout(), "{}", path?.path().display())?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_verb_obeys_the_laws() {
        fmicl_runner::testing::check_command("checkpoints");
    }

    #[test]
    fn a_folder_that_is_no_run_is_an_error_of_one_line() {
        let run = std::env::temp_dir();
        let errors = Checkpoints { run, last: true }.run().unwrap_err();
        assert!(errors.all()[0].to_string().contains("is not a run directory"));
    }
}
