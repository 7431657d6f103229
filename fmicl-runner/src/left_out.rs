//! The samples that a command leaves out since they cannot be read.

use fmicl_core::Error;
use fmicl_data::Unreadable;
use serde::{Deserialize, Serialize};
use std::cell::RefCell;
use std::collections::BTreeSet;

/// Warnings of samples, a line each, that one pass gives; beyond that, a line for all.
const WARNINGS: usize = 10;

/// Purpose for which samples were read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Pass {
    /// Steps.
    Training,
    /// kNN and the linear probe.
    Evaluation,
}

/// A sample that a pass left out: a line of `skipped.jsonl`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Skip {
    /// Purpose for which it was read.
    pub pass: Pass,
    /// The split that it is of: `pretrain`, `train` or `test`.
    pub split: String,
    /// Its index, and why it cannot be read.
    #[serde(flatten)]
    pub unreadable: Unreadable,
}

/// Gathers the samples that are left out, whatever reads them how often: a warning for each file, and a [`Skip`] for each
/// sample of a pass.
#[derive(Debug, Default)]
pub struct LeftOut(RefCell<Gathered>);

#[derive(Debug, Default)]
struct Gathered {
    /// The errors that were told; a file's names its path.
    told: BTreeSet<String>,
    /// All samples left out so far.
    known: BTreeSet<(Pass, String, usize)>,
    /// Of that, what nobody has taken.
    new: Vec<Skip>,
}

impl LeftOut {
    /// Adds what a pass over a split left out.
    pub fn add(&self, pass: Pass, split: &str, unreadable: &[Unreadable]) {
        let mut gathered = self.0.borrow_mut();
        let mut told = Vec::new();
        for unreadable in unreadable {
            if gathered.told.insert(unreadable.error.clone()) {
                told.push(unreadable);
            }
            if gathered.known.insert((pass, split.into(), unreadable.sample)) {
                gathered.new.push(Skip {
                    pass,
                    split: split.into(),
                    unreadable: unreadable.clone(),
                });
            }
        }
        match &told[..] {
            [first, rest @ ..] if rest.len() >= WARNINGS => {
                let count = told.len();
                tracing::warn!("{count} samples of {split} are left out, the first: {}", first.error);
            }
            few => few.iter().for_each(|Unreadable { sample, error }| {
                tracing::warn!("sample {sample} of {split} is left out: {error}");
            }),
        }
    }

    /// Those that are on a list from before need no other line.
    pub fn know(&self, listed: &Skip) {
        let key = (listed.pass, listed.split.clone(), listed.unreadable.sample);
        self.0.borrow_mut().known.insert(key);
    }

    /// Takes what was gathered since the last time.
    pub fn take(&self) -> Vec<Skip> {
        std::mem::take(&mut self.0.borrow_mut().new)
    }
}

/// The error of a sample that cannot be read and may not be left out, with what would work; other errors as they are.
pub fn with_a_way_out(error: Error) -> Error {
    match error {
        Error::Data { .. } | Error::Io { .. } => Error::Run(format!(
            "{error}; train.on_error = \"skip\" leaves out what cannot be read (--set train.on_error=skip, also for eval and \
             train --resume), and `fmicl check --files` finds all of it"
        )),
        error => error,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn unreadable(samples: &[usize]) -> Vec<Unreadable> {
        let of = |&sample: &usize| Unreadable {
            sample,
            error: format!("{sample}.png: is empty"),
        };
        samples.iter().map(of).collect()
    }

    #[test]
    fn a_sample_is_gathered_once_in_each_pass_over_a_split() {
        let left_out = LeftOut::default();
        let keys = || -> Vec<_> {
            let taken = left_out.take().into_iter();
            taken
                .map(|skip| (skip.pass, skip.split, skip.unreadable.sample))
                .collect()
        };
        let key = |pass, split: &str, sample| (pass, split.to_string(), sample);
        left_out.add(Pass::Training, "train", &unreadable(&[3, 5]));
        left_out.add(Pass::Training, "train", &unreadable(&[5]));
        assert_eq!(
            keys(),
            [key(Pass::Training, "train", 3), key(Pass::Training, "train", 5)]
        );
        left_out.know(&Skip {
            pass: Pass::Evaluation,
            split: "test".into(),
            unreadable: unreadable(&[9]).remove(0),
        });
        left_out.add(Pass::Evaluation, "train", &unreadable(&[3]));
        left_out.add(Pass::Evaluation, "test", &unreadable(&[9]));
        assert_eq!(keys(), [key(Pass::Evaluation, "train", 3)]);
        assert_eq!(keys(), []);
    }
}
