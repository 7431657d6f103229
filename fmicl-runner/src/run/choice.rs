//! Choice of one of a run's checkpoints.

use super::checkpoint::{Checkpoint, MODEL, Wanted};
use super::checkpoints::Checkpoints;
use fmicl_core::{Error, Result};
use std::convert::Infallible;
use std::path::{Path, PathBuf};
use std::str::FromStr;

/// Choice of one of a run's checkpoints.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum CheckpointChoice {
    /// The newest that is whole.
    #[default]
    Last,
    /// The one whose online evaluation has the highest score.
    Best,
    /// The one after so many steps.
    Step(u64),
    /// The one in this folder, of this run or of another one with the same model; or its file of weights.
    Path(PathBuf),
}

impl FromStr for CheckpointChoice {
    type Err = Infallible;

    fn from_str(text: &str) -> Result<Self, Infallible> {
        let step = text.strip_prefix("step-").and_then(|step| step.parse().ok());
        Ok(match (text, step) {
            ("last", _) => CheckpointChoice::Last,
            ("best", _) => CheckpointChoice::Best,
            (_, Some(step)) => CheckpointChoice::Step(step),
            _ => CheckpointChoice::Path(text.into()),
        })
    }
}

impl CheckpointChoice {
    /// Reads the checkpoint, of the run's; `None` where there is none at all. A damaged one is told to `report` and the one
    /// before is taken where the newest is asked for; where it is named, it is an error.
    ///
    /// # Errors
    /// One that is not there or damaged, with those that are there.
    pub fn read(&self, checkpoints: &Checkpoints, wanted: Wanted, report: impl Fn(&str)) -> Result<Option<Checkpoint>> {
        let steps = || -> Result<String> {
            let all = checkpoints.list()?;
            let names: Vec<_> = all.iter().map(|(step, _)| format!("step-{step}")).collect();
            Ok(match names.is_empty() {
                true => "the run has no checkpoint yet".into(),
                false => format!("the run has last, {}", names.join(", ")),
            })
        };
        let refused = |why: String| Err(Error::config(format!("{why}; {}", steps()?)).at("--checkpoint"));
        let folder = match self {
            CheckpointChoice::Last => return checkpoints.newest(u64::MAX, wanted, report),
            CheckpointChoice::Best => match checkpoints.best(report)? {
                Some(folder) => folder,
                None => {
                    return refused(
                        "none of the checkpoints was evaluated in training (eval.every), so none is the best".into(),
                    );
                }
            },
            CheckpointChoice::Step(step) => match checkpoints.list()?.into_iter().find(|(there, _)| there == step) {
                Some((_, folder)) => folder,
                None => return refused(format!("there is none of step {step}")),
            },
            CheckpointChoice::Path(path) => match path.file_name().is_some_and(|name| name == MODEL) {
                // Of a name alone the folder is empty.
                true => Path::new(".").join(path.with_file_name("")),
                false => path.clone(),
            },
        };
        if !folder.is_dir() {
            return refused(format!(
                "{} is not the folder of a checkpoint; use last, best, step-N, or a path",
                folder.display()
            ));
        }
        Checkpoint::read(&folder, wanted).map(Some)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_choice_is_a_word_a_step_or_a_path() {
        let read = |text: &str| text.parse::<CheckpointChoice>().unwrap();
        assert_eq!(read("last"), CheckpointChoice::default());
        assert_eq!(read("best"), CheckpointChoice::Best);
        assert_eq!(read("step-12"), CheckpointChoice::Step(12));
        assert_eq!(read("step-0000000012"), CheckpointChoice::Step(12));
        assert_eq!(read("./best"), CheckpointChoice::Path("./best".into()));
        assert_eq!(read("step-x"), CheckpointChoice::Path("step-x".into()));
    }
}
