//! Judging encoders apart from their runs, on any data, side by side.

use super::judging::Judging;
use super::kept::Kept;
use super::memory::require_room_alone;
use super::protocol::{Asked, Protocol};
use super::supervised::require_alone_of;
use super::{Evaluated, Origin, Subject};
use crate::DeviceChoice;
use crate::run::{CheckpointChoice, RunDir};
use crate::together::require_alike;
use fmicl_core::{Error, Interval, Metric, Result, View, difference};
use serde::Serialize;
use serde_json::json;
use std::collections::BTreeSet;
use std::fmt;
use std::io::Write;
use std::path::PathBuf;

/// Options of the command line beside what is judged.
#[derive(Debug, Clone, Default)]
pub struct ApartOptions {
    /// Changes, each a `key=value`, of published weights' `views` and `backbone`.
    pub of_folders: Vec<String>,
    /// Checkpoint of the runs.
    pub checkpoint: CheckpointChoice,
    /// Prints JSON rather than a table.
    pub json: bool,
    /// Device; by default the first run's.
    pub device: Option<DeviceChoice>,
    /// A folder in which features are kept, and from which they are taken.
    pub keep_features: Option<PathBuf>,
}

/// Judges encoders, of runs, files and folders of published weights, by evaluations of their own choice, and prints one table.
/// Where there are several processes, they divide the work, and the first one prints.
///
/// # Errors
/// Whatever stops an evaluation.
pub fn apart(encoders: &[PathBuf], asked: &Asked, options: &ApartOptions) -> anyhow::Result<()> {
    let runs = encoders.iter().filter(|path| RunDir::is_at(path)).count();
    if let (CheckpointChoice::Path(path), true) = (&options.checkpoint, runs > 1) {
        let message = format!("{}: is one checkpoint, and there are {runs} runs", path.display());
        return Err(Error::config(message).at("--checkpoint").into());
    }
    // Changes of published weights are not for the runs beside them, unless there are runs alone.
    let are_runs = runs == encoders.len();
    let find = |path: &PathBuf| match RunDir::is_at(path) && !are_runs {
        true => Origin::find(path, &[], &options.checkpoint),
        false => Origin::find(path, &options.of_folders, &options.checkpoint),
    };
    let origins = encoders.iter().map(find).collect::<Result<Vec<_>>>()?;
    let protocol = Protocol::read(&origins, asked)?;
    for (index, path) in encoders.iter().enumerate() {
        if encoders[..index].contains(path) {
            return Err(Error::config(format!("{}: is there twice; name each encoder once", path.display())).into());
        }
    }
    let names = names(encoders);
    let Some(first) = origins.first() else {
        return Ok(());
    };
    first.meet(options.device)?.run(|device, processes| {
        let mut table = protocol.table()?;
        for (name, origin) in names.iter().zip(&origins) {
            table.insert(format!("encoder {name}"), origin.table()?.into());
        }
        require_alike(&**processes, &table)?;
        let tasks = protocol.tasks()?;
        require_alone_of(tasks.iter(), &**processes).map_err(|error| protocol.locate(error))?;
        let (dataset, data) = protocol.data(&origins[0], &tasks)?.unzip();
        let mut found = Apart::default();
        for (name, origin) in names.iter().zip(origins) {
            let mut about = protocol.about_data()?;
            about.insert("encoder".into(), origin.table()?.into());
            let mut subject = origin.open(device, processes)?;
            require(&protocol, &tasks, &subject)?;
            protocol.adjust(&mut subject.reader);
            for opened in &tasks {
                if let (Some(data), true) = (&data, opened.evaluation.wants_labels()) {
                    require_room_alone(data, opened, subject.width(), device)?;
                }
            }
            let encode = |view: &View| subject.encode(view);
            let labelled = data.as_ref().and_then(|data| data.labelled.as_ref());
            let kept = options.keep_features.as_ref().zip(labelled);
            let kept = kept
                .map(|(folder, on)| Kept::new(folder, &subject.weights, &about, on))
                .transpose()?;
            let copy = || subject.trainable();
            let it = Judging::new(&subject.reader, &encode, data.as_ref());
            let it = it.keeping(kept).copied_by(&copy);
            let tasks = (data.as_ref(), tasks.iter());
            found.evaluated.add(dataset.unwrap_or_default(), (name, &it), tasks)?;
            found.weights.push(Weights {
                name: name.clone(),
                path: subject.weights,
                taken: subject.taken,
            });
        }
        found.compare();
        match processes.rank() {
            0 => found.print(options.json),
            _ => Ok(()),
        }
    })
}

/// Checks that an encoder reads what it is to be judged on.
fn require(protocol: &Protocol, tasks: &[super::Opened], subject: &Subject) -> Result<()> {
    for opened in tasks {
        if let Some(modality) = opened.evaluation.modality() {
            subject.require(&opened.name, modality)?;
        }
    }
    match protocol.dataset() {
        Some(dataset) => subject.require(dataset.name(), dataset.modality()),
        None => Ok(()),
    }
}

/// Names of encoders: what their paths end in, or where two end alike, the paths; one alone is `encoder`.
fn names(encoders: &[PathBuf]) -> Vec<String> {
    if let [_] = encoders {
        return vec!["encoder".into()];
    }
    let end = |path: &PathBuf| path.file_name().map(|name| name.to_string_lossy().into_owned());
    let ends: Option<BTreeSet<String>> = encoders.iter().map(end).collect();
    let are_many = ends.is_some_and(|ends| ends.len() == encoders.len());
    let name = |path: &PathBuf| end(path).filter(|_| are_many).unwrap_or(path.display().to_string());
    encoders.iter().map(name).collect()
}

/// Everything that was found out about encoders.
#[derive(Debug, Default, Serialize)]
struct Apart {
    #[serde(flatten)]
    evaluated: Evaluated,
    /// Differences to the first encoder.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    differences: Vec<Differing>,
    /// Each encoder.
    #[serde(skip)]
    weights: Vec<Weights>,
}

/// The weights of an encoder.
#[derive(Debug)]
struct Weights {
    name: String,
    path: PathBuf,
    /// Which of another program's file were taken.
    taken: Option<String>,
}

/// The difference of an encoder to the first one in a metric, in %.
#[derive(Debug, Serialize)]
struct Differing {
    encoder: String,
    against: String,
    metric: String,
    #[serde(flatten)]
    difference: Interval,
}

impl Apart {
    /// Compares each encoder with the first one, where a metric counts test samples.
    fn compare(&mut self) {
        let Some((Weights { name: first, .. }, others)) = self.weights.split_first() else {
            return;
        };
        let reports = &self.evaluated.reports;
        for Weights { name: encoder, .. } in others {
            for (own, other) in reports.of(encoder).zip(reports.of(first)) {
                let pairs = own.report.metrics.iter().zip(&other.report.metrics);
                let both = |(own, other): (&Metric, &Metric)| difference(&[(own.hits.as_ref()?, other.hits.as_ref()?)]);
                let each = pairs.filter_map(|pair| Some((&pair.0.name, both(pair)?)));
                self.differences.extend(each.map(|(metric, difference)| Differing {
                    encoder: encoder.clone(),
                    against: first.clone(),
                    metric: format!("{}.{metric}", own.evaluation),
                    difference,
                }));
            }
        }
    }

    /// Prints it as JSON with all digits, or as text.
    fn print(&self, as_json: bool) -> anyhow::Result<()> {
        let mut stdout = std::io::stdout();
        if !as_json {
            return Ok(write!(stdout, "{self}")?);
        }
        let mut json = json!(self);
        let path = |path: &PathBuf| json!(path.display().to_string());
        json["weights"] = match &self.weights[..] {
            [one] => path(&one.path),
            several => several.iter().map(|it| (it.name.clone(), path(&it.path))).collect(),
        };
        Ok(writeln!(stdout, "{json:#}")?)
    }
}

impl fmt::Display for Apart {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        write!(f, "{}", self.evaluated)?;
        if let Some(Differing { against, .. }) = self.differences.first() {
            writeln!(
                f,
                "difference to {against} in %, with the 95 % interval of a paired bootstrap over the test samples:"
            )?;
        }
        for it in &self.differences {
            let told = match it.difference.is_distinguishable() {
                true => "",
                false => ", not distinguishable",
            };
            writeln!(f, "  {} {}: {}{told}", it.encoder, it.metric, it.difference)?;
        }
        for Weights { name, path, taken } in &self.weights {
            let path = path.display().to_string();
            let of = if self.weights.len() > 1 {
                format!(" of {name}")
            } else {
                String::new()
            };
            writeln!(f, "weights{of}: {}", taken.as_ref().unwrap_or(&path))?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn encoders_are_named_by_the_ends_of_their_paths_where_these_differ() {
        let of = |paths: &[&str]| names(&paths.iter().map(PathBuf::from).collect::<Vec<_>>());
        assert_eq!(of(&["runs/a", "runs/b/"]), ["a", "b"]);
        assert_eq!(of(&["x/a", "y/a"]), ["x/a", "y/a"]);
        assert_eq!(of(&["runs/a"]), ["encoder"]);
        assert_eq!(of(&["..", "runs/a"]), ["..", "runs/a"]);
    }
}
