//! The data of an experiment: the splits of its dataset, and what its evaluations bring.

use crate::config::{Experiment, Knn};
use fmicl_core::{Result, Samples, Split, Task, require};
use fmicl_data::Spread;
use std::collections::{HashMap, HashSet};
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// All data of an experiment, opened and checked.
pub struct Splits {
    /// What pre-training sees, without labels; often the labelled training split.
    pub pretrain: Arc<dyn Samples>,
    /// Where the dataset has labels.
    pub labelled: Option<Labelled>,
    /// The experiment's evaluations by their names.
    pub tasks: Vec<(&'static str, Box<dyn Task>)>,
}

/// The labelled splits of a dataset.
pub struct Labelled {
    /// The labels of kNN and the linear probe.
    pub train: Arc<dyn Samples>,
    /// What accuracy is measured on.
    pub test: Arc<dyn Samples>,
}

impl Labelled {
    /// How many test samples are of files that training has, too: by folder, whatever path or link leads there, and name.
    pub fn test_in_training(&self) -> usize {
        let mut folders = HashMap::new();
        let mut file = |path: PathBuf| -> Option<(PathBuf, OsString)> {
            let (folder, name) = (path.parent()?, path.file_name()?);
            let real = |folder: &Path| folder.canonicalize().unwrap_or_else(|_| folder.into());
            let known = folders.entry(folder.to_path_buf()).or_insert_with(|| real(folder));
            Some((known.clone(), name.to_owned()))
        };
        let mut of = |samples: &dyn Samples| -> Vec<_> {
            let paths = (0..samples.len()).map_while(|index| samples.path(index));
            paths.filter_map(&mut file).collect()
        };
        // There are millions in training, so those of the test split are held.
        let test = of(&*self.test);
        if test.is_empty() {
            return 0;
        }
        let distinct: HashSet<_> = test.iter().collect();
        let mut found = HashSet::new();
        for path in (0..self.train.len()).map_while(|index| self.train.path(index)) {
            if let Some(file) = file(path)
                && let Some(file) = distinct.get(&file)
            {
                found.insert(*file);
            }
        }
        test.iter().filter(|file| found.contains(file)).count()
    }
}

impl Splits {
    /// Whether anything says what an encoder is worth.
    pub fn judge_encoders(&self) -> bool {
        self.labelled.is_some() || !self.tasks.is_empty()
    }

    /// As [`open`](Splits::open), and checked against what is to be done with them after training: that is too late.
    ///
    /// # Errors
    /// As there, and one at `eval.knn.k` where there are not that many samples.
    pub fn open_to_train(experiment: &Experiment) -> Result<Self> {
        let splits = Splits::open(experiment)?;
        let (k, default) = (experiment.eval.knn.k, Knn::default().k);
        let samples = splits
            .labelled
            .as_ref()
            .map_or(usize::MAX, |labelled| labelled.train.len());
        // Nobody asked for the default: of fewer samples it takes all.
        require(k <= samples || k == default, "eval.knn.k", || {
            format!("{k} is more than the dataset's {samples} labelled samples to train on; take at most that many")
        })?;
        Ok(splits)
    }

    /// Opens every split, each once, and every evaluation.
    ///
    /// # Errors
    /// What is wrong with the first that does not open, as a config error at its key.
    pub fn open(experiment: &Experiment) -> Result<Self> {
        let tasks = experiment.evaluations.iter().enumerate().map(|(index, part)| {
            let opened = part.open().map_err(|error| error.named_in_config());
            let task = opened.map_err(|error| error.at(&format!("evaluations[{index}]")))?;
            Ok((part.name(), task))
        });
        let tasks = tasks.collect::<Result<_>>()?;
        if !experiment.dataset.is_labelled() {
            return Ok(Splits {
                pretrain: open_split(experiment, Split::Pretrain)?,
                labelled: None,
                tasks,
            });
        }
        let train = open_split(experiment, Split::Train)?;
        Ok(Splits {
            pretrain: match experiment.dataset.has_unlabelled() {
                true => open_split(experiment, Split::Pretrain)?,
                false => train.clone(),
            },
            labelled: Some(Labelled {
                train: match experiment.eval.train_samples {
                    Some(most) if most < train.len() => Arc::new(Spread::new(most, train)),
                    _ => train,
                },
                test: open_split(experiment, Split::Test)?,
            }),
            tasks,
        })
    }
}

/// Opens one split.
///
/// # Errors
/// What is wrong with it, as a config error at `dataset`.
pub fn open_split(experiment: &Experiment, split: Split) -> Result<Arc<dyn Samples>> {
    let opened = experiment.dataset.open(split).map(Arc::from);
    opened.map_err(|error| error.named_in_config().at("dataset"))
}
