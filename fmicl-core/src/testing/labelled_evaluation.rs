//! The laws of an evaluation by the labels of the run's dataset.

use super::evaluation_files::{check_names, check_report};
use super::{holds_undisturbed, unit_rows};
use crate::{Error, Evaluation, Features, LabelledFeatures, Report, Representation, Result, Samples, Sizes};
use std::sync::Arc;
use tch::{Kind, Tensor};

/// Features that a test has made, as an evaluation sees them.
#[derive(Debug)]
pub struct Labelled {
    features: LabelledFeatures,
    is_in_training: bool,
}

impl Labelled {
    /// Features `[N, d]` with labels `[N]` of the two splits, and the names of the classes by number.
    pub fn new(train: (Tensor, Tensor), test: (Tensor, Tensor), class_names: &[&str]) -> Self {
        let of = |(values, labels)| Features { values, labels };
        Labelled {
            features: LabelledFeatures {
                train: of(train),
                test: of(test),
                classes: class_names.len(),
                class_names: class_names.iter().map(ToString::to_string).collect(),
            },
            is_in_training: false,
        }
    }

    fn convert(&mut self, kind: Kind) {
        for split in [&mut self.features.train, &mut self.features.test] {
            split.values = split.values.to_kind(kind);
        }
    }
}

impl Representation for Labelled {
    fn encode(&self, _: Arc<dyn Samples>) -> Result<Tensor> {
        Err(Error::Run(
            "there is no encoder, but features of labelled samples".into(),
        ))
    }

    fn labelled(&self) -> Result<&LabelledFeatures> {
        Ok(&self.features)
    }

    fn is_in_training(&self) -> bool {
        self.is_in_training
    }
}

/// A representation without labels.
struct Unlabelled;

impl Representation for Unlabelled {
    fn encode(&self, _: Arc<dyn Samples>) -> Result<Tensor> {
        Err(Error::Run("there is no encoder".into()))
    }

    fn labelled(&self) -> Result<&LabelledFeatures> {
        Err(Error::Run("there are no labels".into()))
    }
}

const CLASSES: [&str; 4] = ["a", "b", "c", "d"];

/// Classes of which the samples lie around a direction each, `noise` from it; of the last there is one sample for training,
/// and none for test.
fn clusters(noise: f64) -> Labelled {
    let split = |count: i64, seed: i64, more: &[i64]| {
        let labels: Vec<i64> = (0..count).map(|index| index % 3).chain(more.iter().copied()).collect();
        let labels = Tensor::from_slice(&labels);
        let centres = unit_rows(4, 8, Kind::Float, 1).index_select(0, &labels);
        (
            centres + unit_rows(labels.numel() as i64, 8, Kind::Float, seed) * noise,
            labels,
        )
    };
    Labelled::new(split(60, 2, &[3]), split(45, 3, &[]), &CLASSES)
}

/// Checks an evaluation that [wants labels](Evaluation::wants_labels): that its report is one that columns and checkpoints can
/// be read from, and the same for the same features; that it leaves the features, which others share, and libtorch's generator, which
/// training draws from, as they were; that features of separate classes are better than noise; that features in f16 are judged as the same numbers in f32; that it can do without a class in
/// the test split; and that during training it has the same main metric.
///
/// # Panics
/// With the law that is broken.
pub fn check_labelled_evaluation(evaluation: &dyn Evaluation) {
    assert!(evaluation.wants_labels(), "{evaluation:?} does not want labels");
    let task = evaluation.open();
    let task = task.unwrap_or_else(|error| panic!("{evaluation:?} does not open: {error}"));
    let judge = |it: &dyn Representation| -> Report {
        let report = task.judge(it);
        report.unwrap_or_else(|error| panic!("{evaluation:?} cannot judge: {error}"))
    };
    let name = format!("{evaluation:?}");
    let mut clear = clusters(0.2);
    let sizes = Sizes {
        train: 61,
        test: 45,
        classes: 4,
    };
    evaluation
        .validate_for(&sizes)
        .unwrap_or_else(|error| panic!("{name}: {error}"));
    let larger = Sizes { train: 122, ..sizes };
    assert!(
        evaluation.memory(&larger, 8) >= evaluation.memory(&sizes, 8),
        "{name}: more samples take less memory"
    );

    let before = [&clear.features.train, &clear.features.test].map(|split| (split.values.copy(), split.labels.copy()));
    let report = judge(&clear);
    check_report(&name, &report, &task.metrics(false));
    let after = [&clear.features.train, &clear.features.test];
    for ((values, labels), split) in before.iter().zip(after) {
        assert!(
            *values == split.values && *labels == split.labels,
            "{name} changes features that other evaluations share"
        );
    }
    assert_eq!(judge(&clear), report, "{name} has other metrics of the same features");

    let score = |report: &Report| report.metric(&report.main).and_then(crate::Metric::score);
    let noise = judge(&clusters(1e6));
    assert!(
        score(&report) > score(&noise),
        "{name}: {:?} of separate classes is not better than {:?} of noise",
        score(&report),
        score(&noise)
    );

    let mut half = clusters(0.2);
    half.convert(Kind::Half);
    let of_half = judge(&half);
    half.convert(Kind::Float);
    assert_eq!(
        of_half,
        judge(&half),
        "{name} has other metrics of features in f16 than of the same numbers in f32: `Features::rows` converts them"
    );

    clear.is_in_training = true;
    let in_training = judge(&clear);
    check_names(&name, &in_training, &task.metrics(true));
    assert_eq!(
        score(&in_training),
        score(&report),
        "{name} has another main metric during training"
    );
    assert_eq!(
        in_training.main, report.main,
        "{name} has another main metric during training"
    );
    assert!(task.judge(&Unlabelled).is_err(), "{name} has a report without labels");

    let draws = |between: &dyn Fn()| {
        tch::manual_seed(1);
        between();
        Tensor::rand([4], (Kind::Float, tch::Device::Cpu))
    };
    assert!(
        holds_undisturbed(|| draws(&|| drop(judge(&clear))) == draws(&|| ())),
        "{name} draws from libtorch's generator, and so changes training"
    );
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Metric, MetricNames, Task};

    /// The share of test samples whose nearest training sample is of their class.
    #[derive(Debug, Clone, Default)]
    struct Nearest {
        changes: bool,
        draws: bool,
        is_blind: bool,
        adds_in_half: bool,
        misnames: bool,
    }

    impl Evaluation for Nearest {
        fn wants_labels(&self) -> bool {
            true
        }

        fn open(&self) -> Result<Box<dyn Task>> {
            Ok(Box::new(self.clone()))
        }
    }

    impl Task for Nearest {
        fn metrics(&self, _: bool) -> MetricNames {
            MetricNames::new(if self.misnames { "acc" } else { "accuracy" }, [""; 0])
        }

        fn judge(&self, it: &dyn Representation) -> Result<Report> {
            let LabelledFeatures { train, test, .. } = it.labelled()?;
            let rows = |features: &Features| features.rows(0, features.labels.numel() as i64);
            let nearest = rows(test).matmul(&rows(train).tr()).argmax(1, false);
            let right = train.labels.index_select(0, &nearest).eq_tensor(&test.labels);
            let share = if self.is_blind {
                0.5
            } else {
                right.mean(Kind::Double).double_value(&[])
            };
            if self.changes {
                let _ = train.values.shallow_clone().zero_();
            }
            if self.draws {
                let _ = Tensor::rand([1], (Kind::Float, tch::Device::Cpu));
            }
            let share = match self.adds_in_half {
                true => {
                    share
                        + 1e-4
                            * crate::normalize(&test.values)
                                .abs()
                                .sum(test.values.kind())
                                .double_value(&[])
                }
                false => share,
            };
            Ok(Report {
                title: "the nearest".into(),
                metrics: vec![Metric::percent("accuracy", share, None)],
                main: "accuracy".into(),
                ..Report::default()
            })
        }
    }

    #[test]
    fn a_sound_evaluation_obeys_the_laws() {
        check_labelled_evaluation(&Nearest::default());
    }

    #[test]
    #[should_panic(expected = "changes features that other evaluations share")]
    fn one_that_changes_the_features_is_refused() {
        check_labelled_evaluation(&Nearest {
            changes: true,
            ..Nearest::default()
        });
    }

    #[test]
    #[should_panic(expected = "draws from libtorch's generator")]
    fn one_that_draws_is_refused() {
        check_labelled_evaluation(&Nearest {
            draws: true,
            ..Nearest::default()
        });
    }

    #[test]
    #[should_panic(expected = "has another main metric than it says")]
    fn one_that_promises_other_metrics_than_it_has_is_refused() {
        check_labelled_evaluation(&Nearest {
            misnames: true,
            ..Nearest::default()
        });
    }

    #[test]
    #[should_panic(expected = "`Features::rows` converts them")]
    fn one_that_computes_in_half_is_refused() {
        check_labelled_evaluation(&Nearest {
            adds_in_half: true,
            ..Nearest::default()
        });
    }

    #[test]
    #[should_panic(expected = "is not better than")]
    fn one_that_does_not_look_at_the_features_is_refused() {
        check_labelled_evaluation(&Nearest {
            is_blind: true,
            ..Nearest::default()
        });
    }
}
