//! `fmicl check --files`: every sample is read before training does it.

use crate::config::Experiment;
use crate::data::Splits;
use fmicl_core::{Error, Result, Samples, Views};
use fmicl_data::OnError;
use std::collections::HashSet;
use std::num::NonZero;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;

/// Errors that are shown of a split.
const SHOWN: usize = 20;

/// Reads every sample of every split, and says how many there are; where some may be left out, which cannot be read.
///
/// # Errors
/// The samples that cannot be read, where none may be left out, or fewer: the first of them and their number.
pub(super) fn read_all(experiment: &Experiment, data: &Splits) -> Result<String, Vec<Error>> {
    let (mut count, mut problems, mut in_training) = (0, Vec::new(), 0);
    let mut named = HashSet::new();
    for (split, samples) in data.each() {
        count += samples.len();
        let unreadable = unreadable(&**samples, &*experiment.views);
        if Arc::ptr_eq(samples, &data.pretrain) {
            in_training = unreadable.len();
        }
        if !unreadable.is_empty() {
            let (broken, all) = (unreadable.len(), samples.len());
            // Splits may be of the same files.
            let new: Vec<_> = unreadable
                .into_iter()
                .filter(|error| named.insert(error.to_string()))
                .collect();
            let (before, more) = (broken - new.len(), new.len() > SHOWN);
            problems.extend(new.into_iter().take(SHOWN));
            let before = match before {
                0 => String::new(),
                count if count == broken => ", all of them from files that are also in another split".into(),
                count => format!(", {count} of them from files that are also in another split"),
            };
            let shown = if more {
                format!("; the first {SHOWN} are named")
            } else {
                String::new()
            };
            problems.push(Error::Run(format!(
                "{split}: {broken} of {all} samples cannot be read{before}{shown}"
            )));
        }
    }
    if problems.is_empty() {
        return Ok(match data.test_in_training() {
            0 => format!("all {count} can be read"),
            both => format!("all {} can be read, of which {both} are in both splits", count - both),
        });
    }
    let (skip, most) = (
        experiment.train.on_error == OnError::Skip,
        experiment.train.max_skipped_samples,
    );
    if skip && in_training > most {
        problems.push(Error::Run(format!(
            "{in_training} of the samples to train on cannot be read, and train.max_skipped_samples is {most}: replace or \
             remove them, or raise it"
        )));
        return Err(problems);
    }
    if skip {
        let problems: Vec<_> = problems.iter().map(ToString::to_string).collect();
        return Ok(format!(
            "some are left out, as train.on_error = \"skip\" allows: {}",
            problems.join("\n            ")
        ));
    }
    problems.push(Error::Run(
        "replace or remove what cannot be read, or leave it out: train.on_error = \"skip\"".into(),
    ));
    Err(problems)
}

/// Why samples cannot be read, in their order; all cores read.
fn unreadable(samples: &dyn Samples, views: &dyn Views) -> Vec<Error> {
    let (next, found) = (AtomicUsize::new(0), Mutex::new(Vec::new()));
    let work = || {
        loop {
            let index = next.fetch_add(1, Ordering::Relaxed);
            if index >= samples.len() {
                return;
            }
            if let (Err(error), Ok(mut found)) = (views.read(samples, index), found.lock()) {
                found.push((index, error));
            }
        }
    };
    thread::scope(|scope| {
        for _ in 1..thread::available_parallelism().map_or(1, NonZero::get) {
            scope.spawn(work);
        }
        work();
    });
    let mut found = found.into_inner().unwrap_or_default();
    found.sort_by_key(|(index, _)| *index);
    found.into_iter().map(|(_, error)| error).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::load;
    use fmicl_core::{Dataset, Part};
    use std::path::Path;

    /// What is said of `image-folder`'s example with these bytes in files of it.
    fn check(broken: &[&str], options: &[&str]) -> Result<String, Vec<String>> {
        let folder = tempfile::tempdir().unwrap();
        let dataset: Part<dyn Dataset> = Part::new("image-folder", Default::default()).unwrap();
        dataset.example(folder.path()).unwrap();
        for path in broken {
            std::fs::write(folder.path().join(path), "").unwrap();
        }
        let root: &Path = folder.path();
        let path = root.join("x.toml");
        let text = format!(
            "dataset = {{ name = 'image-folder', root = {root:?} }}
            backbone = 'resnet'
            architecture = 'simclr'
            objective = 'infonce'
            optimizer = 'sgd'
            train = {{ epochs = 1, batch_size = 8, lr = 0.5 }}"
        );
        std::fs::write(&path, text).unwrap();
        let sets: Vec<_> = options.iter().map(ToString::to_string).collect();
        let experiment = load(&path, &sets).unwrap();
        let shown = format!("{}/", root.display());
        let without = |text: &dyn ToString| text.to_string().replace(&shown, "");
        let read = read_all(&experiment, &Splits::open(&experiment).unwrap());
        read.map(|read| without(&read))
            .map_err(|errors| errors.iter().map(|error| without(error)).collect())
    }

    const BROKEN: [&str; 3] = ["train/two/3.png", "train/one/7.png", "test/one/0.png"];

    #[test]
    fn every_file_that_cannot_be_read_is_found_before_training() {
        assert_eq!(check(&[], &[]).unwrap(), "all 28 can be read");
        assert_eq!(
            check(&BROKEN, &[]).unwrap_err(),
            [
                "train/one/7.png: is empty",
                "train/two/3.png: is empty",
                "train: 2 of 20 samples cannot be read",
                "test/one/0.png: is empty",
                "test: 1 of 8 samples cannot be read",
                "replace or remove what cannot be read, or leave it out: train.on_error = \"skip\"",
            ]
        );
    }

    #[test]
    fn a_file_of_both_splits_is_named_and_counted_once_and_more_than_are_named_are_counted() {
        let same = ["dataset.test=train"];
        assert_eq!(
            check(&[], &same).unwrap(),
            "all 20 can be read, of which 20 are in both splits"
        );
        let found = check(&BROKEN[..1], &same).unwrap_err();
        let expected = [
            "train/two/3.png: is empty",
            "train: 1 of 20 samples cannot be read",
            "test: 1 of 20 samples cannot be read, all of them from files that are also in another split",
        ];
        assert_eq!(found[..3], expected);
        let many: Vec<_> = (0..25).map(|number| format!("train/one/x{number:02}.png")).collect();
        let found = check(&many.iter().map(String::as_str).collect::<Vec<_>>(), &[]).unwrap_err();
        assert_eq!(
            found[SHOWN],
            "train: 25 of 45 samples cannot be read; the first 20 are named"
        );
        assert_eq!(found.len(), SHOWN + 2);
    }

    #[test]
    fn what_may_be_left_out_is_no_error_but_said() {
        let said = check(&BROKEN, &["train.on_error=skip"]).unwrap();
        assert!(
            said.starts_with("some are left out, as train.on_error = \"skip\" allows: train/one/7.png: is empty\n")
        );
        assert!(said.ends_with(" test: 1 of 8 samples cannot be read"), "{said}");
        // As many as an epoch may leave out; what is tested on is no part of it.
        let most = |most: &str| {
            check(
                &BROKEN,
                &["train.on_error=skip", &format!("train.max_skipped_samples={most}")],
            )
        };
        assert_eq!(most("2").unwrap(), said);
        assert_eq!(
            most("1").unwrap_err().last().unwrap(),
            "2 of the samples to train on cannot be read, and train.max_skipped_samples is 1: replace or remove them, or \
             raise it"
        );
        // Each is read once, however many labels are used.
        assert_eq!(check(&[], &["eval.train_samples=9"]).unwrap(), "all 28 can be read");
    }
}
