//! One run of a sweep and its directory.

use super::outcome::Outcome;
use fmicl_core::{Error, Result};
use fmicl_runner::config::{Base, Change, Experiment, leaves};
use fmicl_runner::run::{FAILED, RunDir};
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

/// One run of a sweep.
#[derive(Debug)]
pub struct Cell {
    /// Its value on each axis.
    pub labels: Vec<String>,
    /// Its seed.
    pub seed: u64,
    /// The experiment file that it begins with.
    pub experiment: PathBuf,
    /// The changes to it.
    changes: Vec<Change>,
    /// The file of weights that it begins with.
    init: Option<PathBuf>,
    /// The run's directory.
    pub dir: PathBuf,
    /// What the directory's `config.toml` says if the run is this one.
    pub config: String,
}

/// The lines of a config without those that say why its values were chosen.
fn values(config: &str) -> impl Iterator<Item = &str> {
    config.lines().filter(|line| !line.starts_with("# objective."))
}

/// The first difference between two configs, as a line of each; of a part its name comes first.
fn difference(there: &str, here: &str) -> (String, String) {
    let leaves = |config: &str| leaves(&config.parse().unwrap_or_default());
    let (was, is) = (leaves(there), leaves(here));
    let differ = was.keys().chain(is.keys()).filter(|key| was.get(*key) != is.get(*key));
    let first = differ.min_by_key(|key| (key.matches('.').count(), !key.ends_with(".name"), *key));
    let line = |values: &BTreeMap<String, toml::Value>, key: &String| match values.get(key) {
        Some(value) => format!("{key} = {value}"),
        None => format!("no {key}"),
    };
    match first {
        Some(key) => (line(&was, key), line(&is, key)),
        // Comments tell apart files of weights.
        None => {
            let lines = values(there).zip(values(here)).find(|(there, here)| there != here);
            let (was, is) = lines.unwrap_or(("shorter", "longer"));
            (was.into(), is.into())
        }
    }
}

impl Cell {
    /// The run of `base` after `changes`, with a seed or that of the experiment, below the sweep's directory `out` and named after its values.
    ///
    /// # Errors
    /// Everything that is wrong with its config.
    pub fn new(
        base: &Base,
        labels: Vec<String>,
        seed: Option<u64>,
        mut changes: Vec<Change>,
        out: &Path,
    ) -> Result<Self, Vec<Error>> {
        changes.extend(seed.map(|seed| Change::set("seed", seed as i64)));
        let experiment = base.changed(&changes)?;
        // What is for a part that another one replaces, or undoes, would be an error on the command line of the run.
        let all = changes.clone();
        let mut later = all.iter();
        changes.retain(|change| {
            later.next();
            change.is_kept_by(&experiment) && !later.clone().any(|later| change.is_undone_by(later))
        });
        let seed = experiment.seed;
        let name = labels
            .iter()
            .map(|label| format!("{}_", slug(label)))
            .collect::<String>();
        Ok(Cell {
            labels,
            seed,
            experiment: base.path().to_path_buf(),
            changes,
            dir: out.join("runs").join(format!("{name}seed-{seed}")),
            config: RunDir::config_of(&experiment).map_err(|error| vec![error])?,
            init: experiment.init,
        })
    }

    /// The changes as `--set` takes them.
    pub fn sets(&self) -> Vec<String> {
        let changes = self.changes.iter().map(|change| change.text().to_string());
        // In a file it is relative to that, among the sets to the working directory.
        let init = self.init.iter().map(|init| format!("init={}", init.display()));
        changes.chain(init).collect()
    }

    /// What is run; a sweep has too many to hold them all.
    ///
    /// # Errors
    /// Everything that is wrong with its config.
    pub fn resolved(&self) -> Result<Experiment, Vec<Error>> {
        let base = Base::read(&self.experiment).map_err(|error| vec![error])?;
        base.changed(&self.changes)
    }

    /// Its values and seed, for people.
    pub fn title(&self) -> String {
        let seed = format!("seed {}", self.seed);
        self.labels.iter().cloned().chain([seed]).collect::<Vec<_>>().join(", ")
    }

    /// Whether the directory holds this run, finished.
    ///
    /// # Errors
    /// A run under the same name whose config is another, or a result that cannot be read.
    pub fn is_done(&self) -> Result<bool> {
        let path = self.dir.join("config.toml");
        let Ok(there) = fs::read_to_string(&path) else {
            return Ok(false);
        };
        if there == self.config || self.is_alike() {
            return Ok(RunDir::open(&self.dir)?.result()?.is_some() && !self.dir.join(FAILED).exists());
        }
        let (was, is) = difference(&there, &self.config);
        Err(Error::Run(format!(
            "{}: holds a run of another config (`{was}`, now `{is}`); choose another --out, or move that run elsewhere",
            self.dir.display()
        )))
    }

    /// Returns true if the directory's config is this one in other digits, as an earlier version wrote it.
    fn is_alike(&self) -> bool {
        let stored = RunDir::open(&self.dir).and_then(|run| RunDir::config_of(&run.experiment()?));
        stored.is_ok_and(|stored| values(&stored).eq(values(&self.config)))
    }

    /// Makes the directory ready for the run to begin, or to go on from its last checkpoint where it was broken off; it is
    /// not done.
    ///
    /// # Errors
    /// The disk's.
    pub fn prepare(&self) -> Result<()> {
        let (path, removed) = match RunDir::is_at(&self.dir) {
            true => (self.dir.join(FAILED), fs::remove_file(self.dir.join(FAILED))),
            // What is there is no run yet.
            false => (self.dir.clone(), fs::remove_dir_all(&self.dir)),
        };
        match removed {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(Error::io(path, error)),
            _ => Ok(()),
        }
    }

    /// What the run gave, if it has finished or failed.
    ///
    /// # Errors
    /// A result that cannot be read.
    pub fn outcome(&self) -> Result<Outcome> {
        Outcome::read(&self.dir)
    }
}

/// The letters, digits and points of a label.
fn slug(label: &str) -> String {
    let kept = label
        .chars()
        .map(|c| if c.is_alphanumeric() || c == '.' { c } else { '-' });
    kept.collect::<String>()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_difference_is_a_parts_name_before_its_options_and_files_of_weights_are_told_apart() {
        let of = |part: &str| format!("seed = 0\n[architecture]\n{part}\n[train]\nlr = 0.1\n");
        let (was, is) = difference(
            &of("hidden = 64\nname = \"moco\""),
            &of("batch_norm = true\nname = \"simclr\""),
        );
        assert_eq!(
            (&*was, &*is),
            ("architecture.name = \"moco\"", "architecture.name = \"simclr\"")
        );
        let (was, is) = difference("[train]\nlr = 0.1\n", "[train]\nlr = 0.1\nclip = 1.0\n");
        assert_eq!((&*was, &*is), ("no train.clip", "train.clip = 1.0"));
        let [a, b] = ["a", "b"].map(|file| format!("# objective.alpha: why\n# init: {file}\ninit = \"copy\"\n"));
        assert_eq!(difference(&a, &b), ("# init: a".into(), "# init: b".into()));
        assert!(!values(&a).eq(values(&b)));
    }
}
