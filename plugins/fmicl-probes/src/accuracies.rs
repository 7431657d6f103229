//! Accuracies of a classifier of features: with every label and with few.

use crate::Classifier;
use crate::few::{DRAWS, Few, few};
use crate::held_out;
use crate::score::{Largest, Score};
use fmicl_core::{Confusion, LabelledFeatures, Metric, MetricNames, Report};
use tch::Tensor;

/// With every label: of all test samples, and of every class alike.
const ALL: [&str; 2] = ["accuracy", "balanced"];
/// With every label: whether the class is among the [`TOP`] likeliest.
const TOP_5: &str = "top-5";
const TOP: i64 = 5;
/// With few labels, as [`ALL`].
const FEW_LABELS: [&str; 2] = ["few-labels", "few-labels-balanced"];
/// On labels of the training split that were held out.
const HELD_OUT: &str = "held-out";

/// The names of the metrics of [`accuracies`], `accuracy` being the main one.
pub fn names(in_training: bool, held_out: f64) -> MetricNames {
    let slow: &[&str] = if in_training {
        &[]
    } else {
        &[TOP_5, FEW_LABELS[0], FEW_LABELS[1]]
    };
    let held_out: &[&str] = if held_out > 0.0 { &[HELD_OUT] } else { &[] };
    MetricNames::new(ALL[0], ALL[1..].iter().chain(slow).chain(held_out).copied())
}

/// A report of the metrics `accuracy` and `balanced`, with every label of the training split; and, unless training waits for
/// them, `top-5`, the confusion matrix, and `few-labels` and `few-labels-balanced`, the means over [`DRAWS`] choices of a few
/// labels; and `held-out`, with all but a share `held_out` of the labels, on that share, if it is above 0. Its notes say how
/// they were obtained.
pub fn accuracies(title: &str, it: &dyn Classifier, on: &LabelledFeatures, held_out: f64, in_training: bool) -> Report {
    let LabelledFeatures {
        train, test, classes, ..
    } = on;
    let largest = Largest::of(&train.labels, &test.labels, *classes);
    let level = largest.score;
    let pair = |names: [&str; 2], score: Score| {
        [
            Metric::percent(names[0], score.accuracy, Some(level.accuracy)),
            Metric::percent(names[1], score.balanced, Some(level.balanced)),
        ]
    };
    let score = |predicted: &Tensor| Score::of(predicted, &test.labels, *classes);
    let (predicted, top) = match in_training {
        true => (it.predict(train, test, *classes), None),
        false => {
            // The likeliest, and behind it those of the top: of equals `topk` may take another one first.
            let likeliest = |scores: &Tensor| {
                let top = scores.topk(TOP.min(*classes as i64), 1, true, true).1;
                Tensor::cat(&[scores.argmax(1, true), top], 1)
            };
            let likeliest = it.classify(train, test, *classes, &likeliest);
            (likeliest.select(1, 0), Some(likeliest))
        }
    };
    let right = predicted.eq_tensor(&test.labels);
    let mut metrics = pair(ALL, score(&predicted)).to_vec();
    let mut notes = Vec::new();
    let mut confusion = None;
    if let Some(top) = top {
        metrics[0] = metrics[0].clone().counting(&right);
        let right = top.eq_tensor(&test.labels.unsqueeze(1)).any_dim(1, false);
        let share = right
            .to_kind(tch::Kind::Double)
            .mean(tch::Kind::Double)
            .double_value(&[]);
        metrics.push(Metric::percent(TOP_5, share, None));
        confusion = Confusion::of(&predicted, &test.labels, *classes);
        let draws: Vec<_> = (0..DRAWS)
            .map(|draw| score(&it.predict(&train.select(&few(&train.labels, draw)), test, *classes)))
            .collect();
        let mean = |value: fn(&Score) -> f64| draws.iter().map(value).sum::<f64>() / draws.len() as f64;
        let few = Score {
            accuracy: mean(|draw| draw.accuracy),
            balanced: mean(|draw| draw.balanced),
        };
        metrics.extend(pair(FEW_LABELS, few));
        notes.push(Few::of(&train.labels, *classes).note(*classes));
    }
    if held_out > 0.0 {
        let (left, out) = held_out::split(train, held_out);
        let score = Score::of(&it.predict(&left, &out, *classes), &out.labels, *classes);
        let level = Largest::of(&left.labels, &out.labels, *classes).score.accuracy;
        metrics.push(Metric::percent(HELD_OUT, score.accuracy, Some(level)));
        let (out, left) = (out.labels.numel(), left.labels.numel());
        notes.push(format!(
            "held-out: on {out} labelled training samples, of the other {left}."
        ));
    }
    let name = match on.class_names.get(largest.class) {
        Some(name) => format!("{name:?}"),
        None => largest.class.to_string(),
    };
    notes.push(format!(
        "largest class: always answering {name}; balanced: every class counts alike, whatever its size."
    ));
    Report {
        title: title.into(),
        metrics,
        main: ALL[0].into(),
        notes,
        confusion,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Knn, Linear, Retrieval};
    use fmicl_core::tch::{Kind, Tensor};
    use fmicl_core::testing::{Labelled, unit_rows};
    use fmicl_core::{Evaluation, Features};

    #[test]
    fn held_out_labels_are_training_samples_and_the_test_split_has_no_share_in_them() {
        // Training features tell their class, those of the test split another one.
        let rows = |labels: &Tensor| Tensor::eye(3, (Kind::Float, labels.device())).index_select(0, labels);
        let labels = Tensor::arange(60, (Kind::Int64, tch::Device::Cpu)).remainder(3);
        let others = (&labels + 1).remainder(3);
        let on = LabelledFeatures {
            train: Features {
                values: rows(&labels),
                labels: labels.shallow_clone(),
            },
            test: Features {
                values: rows(&others),
                labels,
            },
            classes: 3,
            class_names: vec![],
        };
        let knn = Knn {
            k: vec![5],
            ..Knn::default()
        };
        for in_training in [false, true] {
            let Report { metrics, notes, .. } = accuracies("", &knn, &on, 0.2, in_training);
            let value = |name: &str| {
                metrics
                    .iter()
                    .find(|metric| metric.name == name)
                    .map(|metric| metric.value)
            };
            assert_eq!((value("accuracy"), value("held-out")), (Some(0.0), Some(100.0)));
            let said = "held-out: on 12 labelled training samples, of the other 48.";
            assert!(notes.iter().any(|note| note == said), "{notes:?}");
            assert_eq!(metrics[0].hits.is_some(), !in_training);
        }
        let Report { metrics, confusion, .. } = accuracies("", &knn, &on, 0.0, false);
        assert!(metrics.iter().all(|metric| metric.name != "held-out"));
        assert!(metrics[0].hits.as_ref().is_some_and(|hits| hits.0 == [false; 60]));
        // Of three classes each is among the five likeliest.
        let top = metrics.iter().find(|metric| metric.name == TOP_5).unwrap();
        assert_eq!(top.value, 100.0);
        let interval = metrics[0].interval.map(|it| (it.low, it.high));
        assert_eq!(interval, Some((0.0, 0.0)));
        assert_eq!(confusion.unwrap().0, [[0, 20, 0], [0, 0, 20], [20, 0, 0]]);
    }

    #[test]
    fn features_in_half_the_memory_are_judged_as_what_they_are_rounded_to() {
        let split = |count: i64, seed: i64, half: bool| {
            let labels = Tensor::arange(count, (Kind::Int64, tch::Device::Cpu)).remainder(3);
            let centres = unit_rows(3, 6, Kind::Float, 1).index_select(0, &labels);
            let values = (centres + unit_rows(count, 6, Kind::Float, seed) * 1.5).to_kind(Kind::Half);
            let values = if half { values } else { values.to_kind(Kind::Float) };
            (values, labels)
        };
        let judged = |evaluation: &dyn Evaluation, half: bool| {
            let on = Labelled::new(split(300, 2, half), split(200, 3, half), &["a", "b", "c"]);
            evaluation.open().unwrap().judge(&on).unwrap()
        };
        let all: [&dyn Evaluation; 3] = [&Knn::default(), &Linear::default(), &Retrieval::default()];
        for evaluation in all {
            assert_eq!(judged(evaluation, true), judged(evaluation, false));
        }
    }
}
