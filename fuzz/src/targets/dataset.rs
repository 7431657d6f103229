//! The files of every registered dataset and evaluation.

use super::Make;
use crate::Target;
use crate::folder::Folder;
use fmicl_core::testing::{check_damaged_dataset, check_damaged_evaluation};
use fmicl_core::{Dataset, Evaluation, Part, registry, toml};
use std::path::Path;

/// A target for each dataset and evaluation that has an example with files.
pub(super) fn registered() -> Vec<Make> {
    // Without a default for every option, a dataset is made of others.
    let datasets = registry::list::<dyn Dataset>();
    let datasets = datasets
        .into_iter()
        .filter(|part| part.defaults.is_some() && !part.options.is_empty());
    let datasets = datasets.map(|part| {
        let make = move || dataset(part.name, part.name, toml::Table::new());
        (part.name.to_string(), Box::new(make) as Box<dyn FnOnce() -> Target>)
    });
    // Those by labels have no data of their own.
    let evaluations = registry::list::<dyn Evaluation>();
    let evaluations = evaluations.into_iter().filter(|part| {
        let evaluation = Part::<dyn Evaluation>::new(part.name, toml::Table::new());
        evaluation.is_ok_and(|evaluation| !evaluation.wants_labels())
    });
    let evaluations = evaluations.map(|part| {
        let make = move || evaluation(part.name);
        (part.name.to_string(), Box::new(make) as Box<dyn FnOnce() -> Target>)
    });
    datasets.chain(evaluations).collect()
}

/// The dataset `sentences`, of paragraphs.
pub(super) fn wikitext() -> Target {
    let format = toml::Table::from_iter([("format".to_string(), "wikitext".into())]);
    dataset("wikitext", "sentences", format)
}

/// CIFAR-10 as pickles, which its example is not.
pub(super) fn cifar10_python() -> Target {
    const BATCH: &[u8] = include_bytes!("../../../fmicl-data/golden/cifar/python2.pkl");
    const META: &[u8] = include_bytes!("../../../fmicl-data/golden/cifar/meta.pkl");
    let batches = (1..=5)
        .map(|batch| format!("data_batch_{batch}"))
        .chain(["test_batch".into()]);
    let folder = Folder::new(|folder| {
        for (name, content) in batches.map(|name| (name, BATCH)).chain([("batches.meta".into(), META)]) {
            std::fs::write(folder.join(&name), content).unwrap_or_else(|error| panic!("{name}: {error}"));
        }
    });
    let root = folder.path().to_string_lossy().into_owned();
    let options = toml::Table::from_iter([("root".to_string(), root.into())]);
    let dataset = Part::<dyn Dataset>::new("cifar10", options).unwrap_or_else(|error| panic!("cifar10: {error}"));
    Target::new("cifar10-python", folder.seeds(), move |input| {
        folder.with(input, || check_damaged_dataset(&*dataset, folder.path()));
    })
}

/// Every split of a dataset with a hostile file opens with sound samples, or is refused with a path of its folder.
fn dataset(target: &str, name: &'static str, more: toml::Table) -> Target {
    let part = |options| Part::<dyn Dataset>::new(name, options).unwrap_or_else(|error| panic!("{name}: {error}"));
    let mut options = toml::Table::new();
    let folder = Folder::new(|folder| options = example(name, part(toml::Table::new()).example(folder)));
    assert!(!folder.is_empty(), "the example of {name} has no files");
    options.extend(more);
    let dataset = part(options);
    Target::new(target, folder.seeds(), move |input| {
        folder.with(input, || check_damaged_dataset(&*dataset, folder.path()));
    })
}

/// A task with a hostile file opens and judges, or is refused with a path of its folder.
fn evaluation(name: &'static str) -> Target {
    let part = |options| Part::<dyn Evaluation>::new(name, options).unwrap_or_else(|error| panic!("{name}: {error}"));
    let mut options = toml::Table::new();
    let folder = Folder::new(|folder: &Path| options = example(name, part(toml::Table::new()).example(folder)));
    let evaluation = part(options);
    Target::new(name, folder.seeds(), move |input| {
        folder.with(input, || check_damaged_evaluation(&*evaluation, folder.path()));
    })
}

fn example(name: &str, written: fmicl_core::Result<toml::Table>) -> toml::Table {
    written.unwrap_or_else(|error| panic!("the example of {name}: {error}"))
}
