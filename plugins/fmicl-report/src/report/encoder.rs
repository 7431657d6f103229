//! A run's encoder, and what it makes of samples.

use crate::figures::pairs::Pairs;
use crate::pictures::{self, Pictures};
use fmicl_core::tch::{Device, Kind, Tensor};
use fmicl_core::{Draw, Error, Modality, Portion, Result, Rng, Samples, Split, Stop, View, WithoutTf32, normalize};
use fmicl_data::{Chosen, OnError};
use fmicl_runner::config::Experiment;
use fmicl_runner::data::{open_split, trained_on};
use fmicl_runner::eval::{self, Reader, test_crc32};
use fmicl_runner::run::{Restored, RunDir};
use serde_json::Value;
use std::sync::Arc;

/// The most samples among which neighbours are looked for.
const GALLERY: usize = 5_000;

/// A run's experiment with the samples that it reads.
pub struct Source {
    /// The experiment.
    pub experiment: Experiment,
    /// What training sees.
    pub pretrain: Arc<dyn Samples>,
    labelled: bool,
}

/// Features of some samples of a split.
pub struct Encoded {
    /// The split's name.
    pub split: &'static str,
    /// All samples of the split.
    pub samples: Arc<dyn Samples>,
    /// Which of them, in no order: any first ones are spread over all.
    pub indices: Vec<usize>,
    /// `[N, d]`, f32, on the CPU.
    pub features: Tensor,
}

impl Source {
    /// Opens the data of a run's experiment.
    ///
    /// # Errors
    /// Data that cannot be read.
    pub fn open(experiment: Experiment) -> Result<Self> {
        let opened = trained_on(&experiment.dataset);
        let (pretrain, labelled) = opened.map_err(|error| experiment.locate(error))?;
        Ok(Source {
            experiment,
            pretrain,
            labelled,
        })
    }

    /// How the data differs from what a run was trained on.
    ///
    /// # Errors
    /// A record of it that is not there or damaged.
    pub fn differs(&self, run: &RunDir) -> Result<Option<String>> {
        Ok(Portion::difference(&self.pretrain.portions(), &run.portions()?))
    }

    /// Kind of the samples.
    pub fn modality(&self) -> Modality {
        self.experiment.dataset.modality()
    }

    /// The samples that a map shows: of the test split, or of those that training sees where there are no labels. `labels` is what
    /// the run's result says of its labelled samples.
    ///
    /// # Errors
    /// A split that cannot be opened, or is not the one of the result.
    pub fn shown(&self, labels: Option<&Value>) -> Result<(&'static str, Arc<dyn Samples>)> {
        if !self.labelled {
            return Ok(("pre-training", self.pretrain.clone()));
        }
        let test = open_split(&self.experiment.dataset, Split::Test);
        let test: Arc<dyn Samples> = test.map_err(|error| self.experiment.locate(error))?;
        match labels.and_then(|labels| other_test(labels, &*test)) {
            None => Ok(("test", test)),
            Some(differs) => Err(Error::Run(format!(
                "the test split is not the one that the run was evaluated on: {differs}"
            ))),
        }
    }

    /// The samples among which neighbours are looked for: the labelled ones for training, where there are some.
    ///
    /// # Errors
    /// A split that cannot be opened.
    pub fn gallery(&self) -> Result<(&'static str, Arc<dyn Samples>)> {
        match self.labelled {
            true => {
                let train = open_split(&self.experiment.dataset, Split::Train);
                Ok(("training", train.map_err(|error| self.experiment.locate(error))?))
            }
            false => Ok(("pre-training", self.pretrain.clone())),
        }
    }

    /// Pictures of samples as evaluation sees them; nothing if they are no images.
    ///
    /// # Errors
    /// A sample that cannot be read.
    pub fn pictures(&self, samples: &dyn Samples, indices: &[usize]) -> Result<Option<Pictures>> {
        let view = self.experiment.views.evaluation(samples, indices, &Stop::default())?;
        Ok(pictures::of_view(&*self.experiment.views, &view))
    }

    /// The pairs of the paper's figures, of about so many samples.
    ///
    /// # Errors
    /// Those of [`Pairs::of`].
    pub fn pairs(&self, it: &mut Restored, count: usize) -> Result<Pairs> {
        Pairs::of(it, self.pretrain.clone(), count.max(1))
    }

    /// The random views of samples in an epoch, as training draws them.
    ///
    /// # Errors
    /// A sample that cannot be read.
    pub fn views(&self, draw: &Draw) -> Result<Vec<View>> {
        self.experiment.views.random(&*self.pretrain, draw, &Stop::default())
    }
}

/// How a test split differs from the one that a result's labels are of, as far as they tell.
fn other_test(labels: &Value, test: &dyn Samples) -> Option<String> {
    let count = |key: &str| labels[key].as_u64().unwrap_or(0) as usize;
    let (before, now) = (count("test"), test.len());
    let names: Option<Vec<String>> = serde_json::from_value(labels["class_names"].clone()).ok();
    let crc32 = labels["test_crc32"].as_str().filter(|crc32| !crc32.is_empty());
    // Of those that could not be read it is not known of which split they are.
    if now < before || now > before + count("unreadable") {
        return Some(format!("it has {now} samples and had {before}"));
    }
    if names.is_some_and(|names| names != test.class_names()) {
        return Some("its classes have other names".into());
    }
    (crc32? != test_crc32(test)).then(|| "it has other samples or another order".into())
}

/// Features of at most `most` samples, spread over all.
///
/// # Errors
/// None that can be read, or features that are not finite.
pub fn encode(it: &Restored, (split, samples): (&'static str, Arc<dyn Samples>), most: usize) -> Result<Encoded> {
    let _exact = WithoutTf32::new();
    let count = samples.len().min(most.max(2));
    let spread = |index: usize| (index as u128 * samples.len() as u128 / count as u128) as usize;
    let mut chosen: Vec<usize> = (0..count).map(spread).collect();
    // In the dataset's order the first ones might all be of one class.
    Rng::new(&[0]).shuffle(&mut chosen);
    let some: Arc<dyn Samples> = Arc::new(Chosen::these(chosen.clone(), samples.clone()));
    let reader = Reader::of(&it.experiment, it.device, &eval::alone());
    let encoder = |view: &View| it.model.learner.encoder().forward(view, false);
    let encoded = reader.encode_those(&some, &encoder, OnError::Skip)?;
    Ok(Encoded {
        split,
        samples,
        indices: encoded.indices.into_iter().map(|index| chosen[index]).collect(),
        features: encoded.values.to_device(Device::Cpu).to_kind(Kind::Float),
    })
}

/// Features of the gallery.
///
/// # Errors
/// As [`encode`].
pub fn encode_gallery(it: &Restored, source: &Source) -> Result<Encoded> {
    encode(it, source.gallery()?, GALLERY)
}

/// A neighbour of a sample.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Neighbour {
    /// Its place in the gallery's split.
    pub sample: usize,
    /// Cosine of the features.
    pub cosine: f64,
}

impl Encoded {
    /// The `count` nearest samples of a gallery, in descending order of their cosines, of the points at `rows`; a sample of the same
    /// split is no neighbour of itself.
    pub fn neighbours(&self, rows: &[usize], gallery: &Encoded, count: usize) -> Vec<Vec<Neighbour>> {
        let unit = |features: &Tensor| normalize(&features.to_kind(Kind::Double));
        let places: Vec<i64> = rows.iter().map(|&row| row as i64).collect();
        let queries = unit(&self.features.index_select(0, &Tensor::from_slice(&places)));
        let cosines = queries.matmul(&unit(&gallery.features).tr());
        // One more, for the sample itself.
        let most = (count as i64 + 1).min(gallery.indices.len() as i64);
        let (values, found) = cosines.topk(most, 1, true, true);
        let values = Vec::<Vec<f64>>::try_from(values).unwrap_or_default();
        let found = Vec::<Vec<i64>>::try_from(found).unwrap_or_default();
        let is_same = self.split == gallery.split;
        let of_row = |((&row, values), found): ((&usize, Vec<f64>), Vec<i64>)| {
            let neighbours = values.into_iter().zip(found).map(|(cosine, at)| Neighbour {
                sample: gallery.indices[at as usize],
                cosine,
            });
            let others = neighbours.filter(|it| !(is_same && it.sample == self.indices[row]));
            others.take(count).collect()
        };
        rows.iter().zip(values).zip(found).map(of_row).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use fmicl_core::Dataset;
    use fmicl_data::datasets::Digits;
    use serde_json::json;

    fn encoded(split: &'static str, rows: &[[f32; 2]]) -> Encoded {
        Encoded {
            split,
            samples: Digits {}.open(Split::Test).unwrap().into(),
            indices: (0..rows.len()).map(|index| 10 + index).collect(),
            features: Tensor::from_slice2(rows),
        }
    }

    #[test]
    fn another_test_split_is_told_by_its_size_its_classes_and_its_content() {
        let test: Arc<dyn Samples> = Digits {}.open(Split::Test).unwrap().into();
        let labels = |test_samples: usize, unreadable: usize, names: Option<Vec<String>>, crc32: &str| {
            let mut labels = json!({"test": test_samples, "unreadable": unreadable, "test_crc32": crc32});
            if let Some(names) = names {
                labels["class_names"] = json!(names);
            }
            other_test(&labels, &*test)
        };
        let (count, names, own) = (test.len(), test.class_names(), test_crc32(&*test));
        assert_eq!(labels(count, 0, Some(names.clone()), &own), None);
        // A result of before has no fingerprint, and one of unreadable samples fewer.
        assert_eq!(labels(count - 2, 2, None, ""), None);
        assert_eq!(
            labels(count - 2, 1, None, ""),
            Some(format!("it has {count} samples and had {}", count - 2))
        );
        assert!(labels(count + 1, 0, None, "").is_some());
        assert!(
            labels(count, 0, Some(vec!["one".into()]), &own)
                .unwrap()
                .contains("other names")
        );
        assert!(
            labels(count, 0, Some(names), "00000000")
                .unwrap()
                .contains("other samples")
        );
    }

    #[test]
    fn neighbours_are_the_nearest_by_cosine_and_never_the_sample_itself() {
        let own = encoded("test", &[[1.0, 0.0], [0.0, 2.0], [3.0, 3.0]]);
        let other = encoded("training", &[[0.0, 1.0], [5.0, 0.1], [1.0, 1.0]]);
        let samples = |found: Vec<Vec<Neighbour>>| -> Vec<Vec<usize>> {
            found
                .iter()
                .map(|row| row.iter().map(|it| it.sample).collect())
                .collect()
        };
        assert_eq!(samples(own.neighbours(&[0, 1], &other, 2)), [[11, 12], [10, 12]]);
        assert_eq!(samples(own.neighbours(&[0, 2], &own, 1)), [[12], [10]]);
        assert_eq!(samples(own.neighbours(&[1], &own, 9)), [[12, 10]]);
        let nearest = own.neighbours(&[2], &other, 1)[0][0];
        assert!((nearest.cosine - 1.0).abs() < 1e-12 && nearest.sample == 12);
    }
}
