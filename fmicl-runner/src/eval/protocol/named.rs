//! The labelled data that a command line names, or that runs were trained on.

use crate::config::{self, Change, Experiment, Origin as Written};
use crate::eval::Origin;
use crate::run::RunDir;
use fmicl_core::{Dataset, Error, Result, registry};
use std::path::Path;

/// The place of what `--data` says.
pub(super) fn as_given(data: &str) -> Written {
    Written::File(Path::new(&format!("--data {data}")).into())
}

/// The changes that name a dataset: of its registered name, of an experiment or a run, of photos that a list names, or of photos in a
/// folder a class.
pub(super) fn named(data: &str) -> Result<Vec<Change>> {
    let unknown = match registry::find::<dyn Dataset>(data) {
        Ok(_) => return Ok(vec![Change::set("dataset", data).written_at(as_given(data))]),
        Err(unknown) => unknown,
    };
    let path = Path::new(data);
    if RunDir::is_at(path) {
        let run = RunDir::open(path)?;
        return of_experiment(&run.experiment()?, Written::File(run.config_path().into()));
    }
    if path.is_file() && is_list(path) {
        return Ok(vec![of_options("manifest", "file", data)]);
    }
    if path.is_file() {
        let experiment = config::load(path, &[])?;
        return of_experiment(&experiment, Written::File(path.into()));
    }
    if path.is_dir() {
        return Ok(vec![of_options("image-folder", "root", data)]);
    }
    Err(Error::config(format!(
        "--data {data}: {unknown}; nor is there an experiment, a list of photos, a run or a folder of that name"
    )))
}

/// What a list of photos ends in.
const LISTS: [&str; 5] = ["csv", "tsv", "tab", "jsonl", "ndjson"];

fn is_list(path: &Path) -> bool {
    let name = path.file_name().unwrap_or_default().to_string_lossy().to_lowercase();
    let extension = Path::new(name.trim_end_matches(".gz")).extension();
    extension.is_some_and(|own| LISTS.iter().any(|known| own == *known))
}

/// The dataset `name` of which `option` is the data.
fn of_options(name: &str, option: &str, data: &str) -> Change {
    let options = [("name", name), (option, data)];
    let options = options.map(|(key, value)| (key.to_string(), toml::Value::from(value)));
    Change::set("dataset", toml::Table::from_iter(options)).written_at(as_given(data))
}

/// The dataset of an experiment, and how it is read.
fn of_experiment(experiment: &Experiment, place: Written) -> Result<Vec<Change>> {
    let table = registry::write_options(&experiment.dataset)?;
    let on_error =
        toml::Value::try_from(experiment.train.on_error).map_err(|error| Error::config(error.to_string()))?;
    let samples = experiment.eval.train_samples;
    let samples = samples.map(|samples| Change::set("eval.train_samples", samples as i64));
    let half = Change::set("eval.half", experiment.eval.half);
    let changes = [
        Change::set("dataset", table),
        Change::set("train.on_error", on_error),
        half,
    ];
    Ok(changes
        .into_iter()
        .chain(samples)
        .map(|change| change.written_at(place.clone()))
        .collect())
}

/// A dataset as a config, with the content of the files that it reads in place of their names: each run has a copy of its own.
fn about(experiment: &Experiment) -> Result<(toml::Table, Vec<Option<Vec<u8>>>)> {
    let mut table = registry::write_options(&experiment.dataset)?;
    let mut contents = Vec::new();
    for reads in experiment.dataset.reads() {
        contents.push(std::fs::read(&reads.path).ok());
        let mut keys: Vec<&str> = reads.option.split('.').collect();
        let last = keys.pop().unwrap_or_default();
        let inner = keys
            .into_iter()
            .try_fold(&mut table, |table, key| table.get_mut(key)?.as_table_mut());
        inner.and_then(|inner| inner.remove(last));
    }
    Ok((table, contents))
}

/// The dataset of the encoders' runs, which must be one; `wanting` is an evaluation that needs it.
pub(super) fn of_runs(origins: &[Origin], wanting: &str) -> Result<Vec<Change>> {
    let mut found: Option<(&RunDir, &Experiment)> = None;
    for origin in origins {
        let Some((run, experiment)) = origin.experiment() else {
            continue;
        };
        let Some((other, theirs)) = found else {
            found = Some((run, experiment));
            continue;
        };
        if about(experiment)? != about(theirs)? {
            return Err(Error::config(format!(
                "{} and {} were trained on different datasets, `{}` and `{}`, or with different options of it: say with --data \
                 which one judges all",
                other.path().display(),
                run.path().display(),
                theirs.dataset.name(),
                experiment.dataset.name()
            )));
        }
    }
    let Some((run, experiment)) = found else {
        return Err(Error::config(format!(
            "`{wanting}` needs labelled data, which published weights do not have: name a dataset, an experiment, a run or a \
             folder with --data"
        )));
    };
    of_experiment(experiment, Written::File(run.config_path().into()))
}
