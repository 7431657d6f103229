//! The data of an experiment: the splits of its dataset, and what its evaluations bring.

use crate::config::Experiment;
use crate::left_out::{LeftOut, with_a_way_out};
use crate::together::processes_here;
use fmicl_core::{Error, Evaluation, Part, Portion, Result, Samples, Sizes, Split, Task, Views};
use fmicl_data::{OnError, Spread};
use std::collections::{HashMap, HashSet};
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::sync::Arc;

/// All data of an experiment, opened and checked.
pub struct Splits {
    /// Samples of pre-training, without labels; often the labelled training split.
    pub pretrain: Arc<dyn Samples>,
    /// Labelled splits, if the dataset has labels.
    pub labelled: Option<Labelled>,
    /// The experiment's evaluations; those that want labels where there are some.
    pub tasks: Vec<Opened>,
    /// Why there are no labels where the dataset might have some.
    pub no_labels: Option<&'static str>,
    /// Samples that were left out.
    pub left_out: Rc<LeftOut>,
    /// How many processes of this machine hold what an evaluation takes.
    pub processes_here: usize,
    /// Whether pre-training sees other samples than the labelled ones for training.
    own_pretrain: bool,
    views: Arc<dyn Views>,
    on_error: OnError,
}

/// An evaluation whose data are read.
pub struct Opened {
    /// Its name in the experiment.
    pub name: String,
    /// Its options.
    pub evaluation: Arc<dyn Evaluation>,
    /// Its data.
    pub task: Box<dyn Task>,
}

impl Opened {
    /// Reads the data of an evaluation.
    ///
    /// # Errors
    /// A fault of the data.
    pub fn open(name: &str, evaluation: &Part<dyn Evaluation>) -> Result<Self> {
        Ok(Opened {
            name: name.to_string(),
            evaluation: evaluation.share(),
            task: evaluation.open()?,
        })
    }
}

/// The labelled splits of a dataset.
pub struct Labelled {
    /// Labelled training samples.
    pub train: Arc<dyn Samples>,
    /// Test samples.
    pub test: Arc<dyn Samples>,
}

impl Splits {
    /// Returns true if there is an evaluation of the encoder.
    pub fn judge_encoders(&self) -> bool {
        !self.tasks.is_empty()
    }

    /// The evaluations that want labels, and the labelled splits.
    pub fn by_labels(&self) -> impl Iterator<Item = (&Opened, &Labelled)> {
        let labelled = self.labelled.as_ref();
        let tasks = self.tasks.iter().filter(|opened| opened.evaluation.wants_labels());
        tasks.filter_map(move |opened| Some((opened, labelled?)))
    }

    /// As [`open`](Splits::open), and checked against what is to be done with them after training: that is too late.
    ///
    /// # Errors
    /// As there, and those of [`Evaluation::validate_for`].
    pub fn open_to_train(experiment: &Experiment) -> Result<Self> {
        let splits = Splits::open(experiment)?;
        for (opened, labelled) in splits.by_labels() {
            let fits = opened.evaluation.validate_for(&labelled.sizes());
            fits.map_err(|error| error.at(&format!("evaluations.{}", opened.name)))?;
        }
        Ok(splits)
    }

    /// Opens every split, each once, and every evaluation.
    ///
    /// # Errors
    /// A fault of the first that does not open, as a config error at its key.
    pub fn open(experiment: &Experiment) -> Result<Self> {
        let tasks = experiment.evaluations.iter().map(|(name, part)| {
            let opened = Opened::open(name, part).map_err(|error| error.named_in_config());
            opened.map_err(|error| error.at(&format!("evaluations.{name}")))
        });
        let tasks = tasks.collect::<Result<Vec<_>>>()?;
        let mut splits = Splits::without_evaluations(experiment)?;
        let is_labelled = splits.labelled.is_some();
        splits.tasks = tasks
            .into_iter()
            .filter(|opened| is_labelled || !opened.evaluation.wants_labels())
            .collect();
        Ok(splits)
    }

    /// Opens every split, each once.
    ///
    /// # Errors
    /// A fault of the first that does not open, as a config error at its key.
    pub fn without_evaluations(experiment: &Experiment) -> Result<Self> {
        let dataset = &experiment.dataset;
        let splits = |pretrain, labelled, no_labels| -> Result<Self> {
            Ok(Splits {
                pretrain,
                labelled,
                tasks: Vec::new(),
                no_labels,
                left_out: Rc::default(),
                processes_here: processes_here(experiment)?,
                own_pretrain: dataset.has_unlabelled(),
                views: experiment.views.share(),
                on_error: experiment.train.on_error,
            })
        };
        if !dataset.is_labelled() {
            return splits(open_split(experiment, Split::Pretrain)?, None, None);
        }
        let train = open_split(experiment, Split::Train)?;
        let pretrain = match dataset.has_unlabelled() {
            true => open_split(experiment, Split::Pretrain)?,
            false => train.clone(),
        };
        if !has_labels(&*train) {
            let one = (train.classes() == 1).then_some("all images are of one class, so they have no labels");
            return splits(pretrain, None, one);
        }
        let test = open_split(experiment, Split::Test)?;
        let train: Arc<dyn Samples> = match experiment.eval.train_samples {
            Some(most) if most < train.len() => Arc::new(Spread::new(most, train)),
            _ => train,
        };
        splits(pretrain, Some(Labelled { train, test }), None)
    }

    /// How many test samples are of files that training has, too: by folder, whatever path or link leads there, and name.
    /// Of training is all that the encoder may have seen, and all whose labels are used.
    pub fn test_in_training(&self) -> usize {
        let Some(labelled) = &self.labelled else { return 0 };
        let mut folders = HashMap::new();
        let mut file = |path: PathBuf| -> Option<(PathBuf, OsString)> {
            let (folder, name) = (path.parent()?, path.file_name()?);
            let real = |folder: &Path| folder.canonicalize().unwrap_or_else(|_| folder.into());
            let known = folders.entry(folder.to_path_buf()).or_insert_with(|| real(folder));
            Some((known.clone(), name.to_owned()))
        };
        // There are millions in training, so those of the test split are held.
        let test: Vec<_> = paths(&*labelled.test).filter_map(&mut file).collect();
        if test.is_empty() {
            return 0;
        }
        let distinct: HashSet<_> = test.iter().collect();
        let mut found = HashSet::new();
        let own = self.own_pretrain.then(|| paths(&*labelled.train));
        for path in paths(&*self.pretrain).chain(own.into_iter().flatten()) {
            if let Some(file) = file(path)
                && let Some(file) = distinct.get(&file)
            {
                found.insert(*file);
            }
        }
        test.iter().filter(|file| found.contains(file)).count()
    }

    /// The numbers of a sample of the labelled training split as it is, without an encoder; nothing where there are no labels,
    /// or samples mean nothing without an encoder.
    ///
    /// # Errors
    /// A sample that cannot be read and may not be left out.
    pub fn raw_width(&self) -> Result<Option<usize>> {
        let Some(labelled) = &self.labelled else {
            return Ok(None);
        };
        let view = |index| self.views.evaluation(&*labelled.train, &[index], &Default::default());
        let first = match self.on_error {
            OnError::Fail => view(0).map_err(with_a_way_out)?,
            OnError::Skip => match (0..labelled.train.len()).find_map(|index| view(index).ok()) {
                Some(first) => first,
                None => return Ok(None),
            },
        };
        Ok(self.views.raw(&first).map(|raw| raw.numel()))
    }

    /// The name of the split that pre-training sees.
    pub fn pretrain_name(&self) -> &'static str {
        match self.labelled.is_some() && !self.own_pretrain {
            true => "train",
            false => "pretrain",
        }
    }

    /// How many different files, or samples where they are no files, those are of the labelled splits at these indices.
    pub fn distinct(&self, train: &[usize], test: &[usize]) -> usize {
        let Some(labelled) = &self.labelled else { return 0 };
        let of = |samples: &Arc<dyn Samples>, split: usize, index: usize| match samples.path(index) {
            Some(path) => Ok(path.canonicalize().unwrap_or(path)),
            None => Err((split, index)),
        };
        let train = train.iter().map(|&index| of(&labelled.train, 0, index));
        let test = test.iter().map(|&index| of(&labelled.test, 1, index));
        train.chain(test).collect::<HashSet<_>>().len()
    }

    /// The splits, each once, with their names.
    pub fn each(&self) -> Vec<(&'static str, &Arc<dyn Samples>)> {
        let mut splits = vec![(self.pretrain_name(), &self.pretrain)];
        if let Some(Labelled { train, test }) = &self.labelled {
            // Else those whose labels are used may be fewer, but are among those of pre-training.
            if self.own_pretrain {
                splits.push(("train", train));
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
        if let Some(labelled) = &self.labelled {
            notes.extend(labelled.classes_apart());
        }
        for (opened, labelled) in self.by_labels() {
            notes.extend(opened.evaluation.doubts(&opened.name, &labelled.sizes()));
        }
        notes.extend(experiment.views.doubts(&*self.pretrain));
        notes
    }
}

/// The number of samples and the portions, a line each, for comparing those of several processes.
pub(crate) fn as_text(samples: usize, portions: &[Portion]) -> String {
    let line = |portion: &Portion| {
        let Portion { name, samples, crc32 } = portion;
        format!(
            "{samples} samples{}{name}, {crc32}\n",
            if name.is_empty() { "" } else { " of " }
        )
    };
    let count = format!("{samples} samples to train on\n");
    std::iter::once(count).chain(portions.iter().map(line)).collect()
}

impl Labelled {
    /// The numbers of samples and classes.
    pub fn sizes(&self) -> Sizes {
        Sizes {
            train: self.train.len(),
            test: self.test.len(),
            classes: self.train.classes(),
        }
    }

    /// A line for the classes that one split alone has samples of.
    fn classes_apart(&self) -> Vec<String> {
        let counts = |samples: &dyn Samples| {
            let mut counts = vec![0usize; self.train.classes()];
            (0..samples.len()).for_each(|index| {
                if let Some(count) = counts.get_mut(samples.label(index)) {
                    *count += 1;
                }
            });
            counts
        };
        let (train, test) = (counts(&*self.train), counts(&*self.test));
        let names = self.train.class_names();
        let name = |class: usize| names.get(class).map_or(class.to_string(), |name| format!("`{name}`"));
        let line = |own: &[usize], other: &[usize], which: &str, but: &str| {
            let apart = (0..own.len()).filter(|&class| own[class] == 0 && other[class] > 0);
            let apart: Vec<_> = apart.map(name).collect();
            let shown = apart.iter().take(MOST_NAMED).cloned().collect::<Vec<_>>().join(", ");
            let more = if apart.len() > MOST_NAMED { ", ..." } else { "" };
            let (count, of) = (apart.len(), own.len());
            (count > 0)
                .then(|| format!("the {which} has no sample of {count} of the {of} classes: {shown}{more}; {but}"))
        };
        let untested = line(&test, &train, "test split", "accuracies do not cover them");
        let unlabelled = line(
            &train,
            &test,
            "labelled training split",
            "their test samples are never classified correctly",
        );
        untested.into_iter().chain(unlabelled).collect()
    }
}

/// Classes that a line names.
const MOST_NAMED: usize = 5;

/// Returns true if a split's labels tell samples apart: of one class every accuracy is 100 %.
pub fn has_labels(train: &dyn Samples) -> bool {
    train.classes() >= 2
}

/// Samples of pre-training, and whether the dataset has [labels](has_labels).
///
/// # Errors
/// As [`open_split`].
pub fn trained_on(experiment: &Experiment) -> Result<(Arc<dyn Samples>, bool)> {
    let dataset = &experiment.dataset;
    match (dataset.is_labelled(), dataset.has_unlabelled()) {
        (false, _) => Ok((open_split(experiment, Split::Pretrain)?, false)),
        (true, false) => {
            let train = open_split(experiment, Split::Train)?;
            let labelled = has_labels(&*train);
            Ok((train, labelled))
        }
        (true, true) => {
            let labelled = has_labels(&*open_split(experiment, Split::Train)?);
            Ok((open_split(experiment, Split::Pretrain)?, labelled))
        }
    }
}

/// The files of samples, where they are files.
fn paths(samples: &dyn Samples) -> impl Iterator<Item = PathBuf> {
    (0..samples.len()).map_while(|index| samples.path(index))
}

/// Opens one split.
///
/// # Errors
/// What is wrong with it, as a config error at `dataset`.
pub fn open_split(experiment: &Experiment, split: Split) -> Result<Arc<dyn Samples>> {
    let opened = experiment.dataset.open(split).map(Arc::from);
    opened.map_err(|error| {
        let key = if is_of_the_root(experiment, &error) {
            "dataset.root"
        } else {
            "dataset"
        };
        error.named_in_config().at(key)
    })
}

/// Returns true if an error is about the folder that the dataset's option `root` names, which may be written elsewhere than
/// the rest.
fn is_of_the_root(experiment: &Experiment, error: &Error) -> bool {
    let Error::Data { path, .. } = error else { return false };
    let table = experiment.to_table().unwrap_or_default();
    let root = table.get("dataset").and_then(|dataset| dataset.get("root")?.as_str());
    root.is_some_and(|root| path == Path::new(root))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::load;
    use fmicl_core::{Dataset, Part};
    use std::path::Path;

    /// An experiment on the photos below `folder`, of `image-folder`'s example: a line each for where to and from where.
    fn splits(folder: &Path, moves: &[(&str, &str)]) -> (Splits, Vec<String>) {
        splits_with(folder, moves, &[])
    }

    /// The like, with changes of the experiment.
    fn splits_with(folder: &Path, moves: &[(&str, &str)], sets: &[&str]) -> (Splits, Vec<String>) {
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
        let sets: Vec<_> = sets.iter().map(ToString::to_string).collect();
        let experiment = load(&path, &sets).unwrap();
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
        assert_eq!(notes, ["all images are of one class, so they have no labels"]);
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
    fn fewer_labels_are_not_fewer_training_samples_and_no_sample_is_read_twice() {
        let folder = tempfile::tempdir().unwrap();
        let (whole, _) = splits(folder.path(), &[]);
        assert_eq!((whole.test_in_training(), whole.raw_width().unwrap()), (0, Some(3072)));
        let sets = ["dataset.test=train", "eval.train_samples=3", "evaluations.knn.k=1"];
        let folder = tempfile::tempdir().unwrap();
        let (few, _) = splits_with(folder.path(), &[], &sets);
        let names: Vec<_> = few
            .each()
            .iter()
            .map(|(name, samples)| (*name, samples.len()))
            .collect();
        assert_eq!(names, [("train", 20), ("test", 20)]);
        assert_eq!(few.labelled.as_ref().unwrap().train.len(), 3);
        assert_eq!(few.test_in_training(), 20);
    }

    #[test]
    fn a_root_that_is_not_there_is_an_error_of_the_line_that_names_it() {
        let folder = tempfile::tempdir().unwrap();
        drop(splits(folder.path(), &[]));
        let error = |sets: &[String]| {
            let experiment = load(&folder.path().join("x.toml"), sets).unwrap();
            let error = Splits::open(&experiment).map(|_| ()).unwrap_err();
            experiment.locate(error).to_string()
        };
        let found = error(&["dataset.root=/no/such".into()]);
        let expected =
            "--set dataset.root=/no/such: /no/such: there is no such folder; `root` (--set dataset.root=DIR) ";
        assert!(found.starts_with(expected), "{found}");
        let photos = folder.path().join("photos");
        std::fs::rename(&photos, folder.path().join("moved")).unwrap();
        let found = error(&[]);
        let expected = format!(
            "{}:1:36: dataset.root: {}: there is no such folder; ",
            folder.path().join("x.toml").display(),
            photos.display()
        );
        assert!(found.starts_with(&expected), "{found}");
    }

    #[test]
    fn a_file_of_both_splits_is_one() {
        let folder = tempfile::tempdir().unwrap();
        let (splits, _) = splits_with(folder.path(), &[], &["dataset.test=train"]);
        assert_eq!(splits.distinct(&[3, 4], &[4, 5]), 3);
        assert_eq!(splits.distinct(&[], &[]), 0);
    }

    #[test]
    fn a_class_that_one_split_alone_has_is_noted() {
        let folder = tempfile::tempdir().unwrap();
        let (_, notes) = splits(folder.path(), &[("test/two", "elsewhere/two")]);
        let untested = "the test split has no sample of 1 of the 2 classes: `two`; accuracies do not cover them";
        assert!(notes.iter().any(|note| note == untested), "{notes:?}");
        let folder = tempfile::tempdir().unwrap();
        let (_, notes) = splits_with(folder.path(), &[], &["eval.train_samples=1", "evaluations.knn.k=1"]);
        let unlabelled = "the labelled training split has no sample of 1 of the 2 classes: `two`; their test samples \
                          are never classified correctly";
        assert!(notes.iter().any(|note| note == unlabelled), "{notes:?}");
    }

    #[test]
    fn neighbours_that_are_all_there_are_are_noted() {
        let noted = |k: usize| {
            let folder = tempfile::tempdir().unwrap();
            let (_, notes) = splits_with(folder.path(), &[], &[&format!("evaluations.knn.k={k}")]);
            notes.into_iter().find(|note| note.starts_with("knn "))
        };
        assert_eq!(noted(19), None);
        for k in [20, 200] {
            let expected = format!(
                "knn with k = {k}: all 20 labelled training samples vote for each test sample, near or far; a smaller \
                 evaluations.knn.k tells more"
            );
            assert_eq!(noted(k), Some(expected));
        }
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
            "knn with k = 200: all 18 labelled training samples vote for each test sample, near or far; a smaller \
             evaluations.knn.k tells more"
                .to_string(),
        ];
        assert_eq!(notes, expected);
    }
}
