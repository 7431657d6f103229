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
    /// Why there are no labels where the dataset might have some.
    pub no_labels: Option<&'static str>,
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
        let dataset = &experiment.dataset;
        let unlabelled = |pretrain, tasks, no_labels| Splits {
            pretrain,
            labelled: None,
            tasks,
            no_labels,
        };
        if !dataset.is_labelled() {
            return Ok(unlabelled(open_split(experiment, Split::Pretrain)?, tasks, None));
        }
        let train = open_split(experiment, Split::Train)?;
        let pretrain = match dataset.has_unlabelled() {
            true => open_split(experiment, Split::Pretrain)?,
            false => train.clone(),
        };
        // Of one class every accuracy is 100 %.
        if train.classes() < 2 {
            let one = (train.classes() == 1).then_some("all images are of one class: it is not taken for a label");
            return Ok(unlabelled(pretrain, tasks, one));
        }
        let test = open_split(experiment, Split::Test)?;
        Ok(Splits {
            pretrain,
            labelled: Some(Labelled {
                train: match experiment.eval.train_samples {
                    Some(most) if most < train.len() => Arc::new(Spread::new(most, train)),
                    _ => train,
                },
                test,
            }),
            tasks,
            no_labels: None,
        })
    }

    /// The splits, each once, with their names.
    pub fn each(&self) -> Vec<(&'static str, &Arc<dyn Samples>)> {
        let mut splits = vec![("pretrain", &self.pretrain)];
        if let Some(Labelled { train, test }) = &self.labelled {
            match Arc::ptr_eq(train, &self.pretrain) {
                true => splits[0].0 = "train",
                false => splits.push(("train", train)),
            }
            splits.push(("test", test));
        }
        splits
    }

    /// Facts that the numbers of samples do not show, a line each: the files that were left out, views that look as if they
    /// were meant for other data. It may read some samples.
    pub fn notes(&self, experiment: &Experiment) -> Vec<String> {
        let mut notes: Vec<String> = self.no_labels.map(String::from).into_iter().collect();
        for (_, samples) in self.each() {
            // Two splits may be of the same files.
            let more = samples.notes().into_iter().filter(|note| !notes.contains(note));
            notes.extend(more.collect::<Vec<_>>());
        }
        notes.extend(experiment.views.doubts(&*self.pretrain));
        notes
    }
}

/// Whether the dataset has labels that tell samples apart: [`Splits::labelled`].
///
/// # Errors
/// As [`open_split`].
pub fn has_labels(experiment: &Experiment) -> Result<bool> {
    Ok(experiment.dataset.is_labelled() && open_split(experiment, Split::Train)?.classes() >= 2)
}

/// Opens one split.
///
/// # Errors
/// What is wrong with it, as a config error at `dataset`.
pub fn open_split(experiment: &Experiment, split: Split) -> Result<Arc<dyn Samples>> {
    let opened = experiment.dataset.open(split).map(Arc::from);
    opened.map_err(|error| error.named_in_config().at("dataset"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::load;
    use fmicl_core::{Dataset, Part};
    use std::path::Path;

    /// An experiment on the photos below `folder`, of `image-folder`'s example: a line each for where to and from where.
    fn splits(folder: &Path, moves: &[(&str, &str)]) -> (Splits, Vec<String>) {
        let dataset: Part<dyn Dataset> = Part::new("image-folder", Default::default()).unwrap();
        let root = folder.join("photos");
        dataset.example(&root).unwrap();
        for (from, to) in moves {
            std::fs::create_dir_all(root.join(to).parent().unwrap()).unwrap();
            std::fs::rename(root.join(from), root.join(to)).unwrap();
        }
        let path = folder.join("x.toml");
        let text = format!(
            "dataset = {{ name = 'image-folder', root = {root:?} }}
            backbone = {{ name = 'resnet', stem = 'cifar', width = 8 }}
            architecture = 'simclr'
            objective = 'infonce'
            optimizer = 'sgd'
            train = {{ epochs = 1, batch_size = 8, lr = 0.5 }}"
        );
        std::fs::write(&path, text).unwrap();
        let experiment = load(&path, &[]).unwrap();
        let splits = Splits::open_to_train(&experiment).unwrap();
        let notes = splits.notes(&experiment);
        let shown = format!("{}/", root.display());
        (splits, notes.iter().map(|note| note.replace(&shown, "")).collect())
    }

    #[test]
    fn one_class_is_no_label_and_needs_no_test_split() {
        let folder = tempfile::tempdir().unwrap();
        let (splits, notes) = splits(
            folder.path(),
            &[("train/two", "elsewhere/two"), ("test", "elsewhere/test")],
        );
        assert_eq!((splits.pretrain.len(), splits.judge_encoders()), (10, false));
        assert_eq!(notes, ["all images are of one class: it is not taken for a label"]);
    }

    #[test]
    fn photos_without_class_folders_train_without_labels() {
        let folder = tempfile::tempdir().unwrap();
        let (splits, notes) = splits(
            folder.path(),
            &[("train/two", "flat"), ("train", "old"), ("flat", "train")],
        );
        assert_eq!((splits.pretrain.len(), splits.judge_encoders()), (10, false));
        assert_eq!(notes, ["train: photos without class folders have no labels"]);
    }

    #[test]
    fn the_notes_of_both_splits_are_there_once() {
        let folder = tempfile::tempdir().unwrap();
        let moves = [
            ("test", "val"),
            ("train/one/0.png", "test/0.png"),
            ("train/one/1.png", "train/one/1.gif"),
            ("val/two/3.png", "val/two/3"),
        ];
        let (splits, notes) = splits(folder.path(), &moves);
        let labelled = splits.labelled.as_ref().unwrap();
        assert_eq!((labelled.train.len(), labelled.test.len()), (18, 7));
        assert_eq!(
            splits.each().iter().map(|(name, _)| *name).collect::<Vec<_>>(),
            ["train", "test"]
        );
        let read = " (read are .jpg .jpeg .png .ppm .bmp .pgm .tif .tiff .webp)";
        let expected = [
            format!("train: 1 left out: 1 .gif{read}"),
            "test: holds no class of training; the test split is `val`".to_string(),
            format!("val: 1 left out: 1 without an extension{read}"),
        ];
        assert_eq!(notes, expected);
    }
}
