//! Accuracies of a classifier of features: with every label and with few.

use crate::Classifier;
use crate::few::{Few, FewLabels, few};
use crate::held_out;
use crate::predicted::{ACCURACY, BALANCED, Learnt, TOP_5, likeliest};
use crate::score::{Largest, Score};
use fmicl_core::{LabelledFeatures, Metric, MetricNames, Report};

/// With few labels, as accuracy and balanced accuracy.
const FEW_LABELS: [&str; 2] = ["few-labels", "few-labels-balanced"];
/// On labels of the training split that were held out.
pub const HELD_OUT: &str = "held-out";

/// The names of the metrics of [`accuracies`], `accuracy` being the main one.
pub fn names(in_training: bool, held_out: f64) -> MetricNames {
    let few: &[&str] = if in_training { &[] } else { &FEW_LABELS };
    let held_out: &[&str] = if held_out > 0.0 { &[HELD_OUT] } else { &[] };
    MetricNames::new(ACCURACY, [TOP_5, BALANCED].iter().chain(few).chain(held_out).copied())
}

/// A report of the metrics of [`Learnt::report`], with every label of the training split; and, unless training waits for
/// them, `few-labels` and `few-labels-balanced`, the means over choices of a few labels; and `held-out`, with all but a
/// share `held_out` of the labels, on that share, if it is above 0. Its notes say how they were obtained.
pub fn accuracies(
    title: &str,
    it: &dyn Classifier,
    on: &LabelledFeatures,
    (held_out, few_labels): (f64, FewLabels),
    in_training: bool,
) -> Report {
    let LabelledFeatures {
        train,
        test,
        classes,
        class_names,
    } = on;
    let learnt = Learnt {
        classes: *classes,
        class_names,
        labels: &train.labels,
    };
    let found = it.classify(train, test, *classes, &likeliest);
    let mut report = learnt.report(title, &found, &test.labels, !in_training);
    let mut notes = Vec::new();
    if !in_training {
        let score = |predicted| Score::of(&predicted, &test.labels, *classes);
        let draws: Vec<_> = (0..few_labels.draws as u64)
            .map(|draw| score(it.predict(&train.select(&few(few_labels.few, &train.labels, draw)), test, *classes)))
            .collect();
        let mean = |value: fn(&Score) -> f64| draws.iter().map(value).sum::<f64>() / draws.len() as f64;
        let level = Largest::of(&train.labels, &test.labels, *classes).score;
        let [accuracy, balanced] = FEW_LABELS;
        report.metrics.extend([
            Metric::percent(accuracy, mean(|draw| draw.accuracy), Some(level.accuracy)),
            Metric::percent(balanced, mean(|draw| draw.balanced), Some(level.balanced)),
        ]);
        notes.push(Few::of(few_labels, &train.labels, *classes).note(*classes));
    }
    if held_out > 0.0 {
        let (left, out) = held_out::split(train, held_out);
        let score = Score::of(&it.predict(&left, &out, *classes), &out.labels, *classes);
        let level = Largest::of(&left.labels, &out.labels, *classes).score.accuracy;
        report
            .metrics
            .push(Metric::percent(HELD_OUT, score.accuracy, Some(level)));
        let (out, left) = (out.labels.numel(), left.labels.numel());
        notes.push(format!(
            "held-out: on {out} labelled training samples, of the other {left}."
        ));
    }
    report.notes.splice(0..0, notes);
    report
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Knn, Linear, LinearSgd, Retrieval};
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
            let Report { metrics, notes, .. } = accuracies("", &knn, &on, (0.2, FewLabels::DEFAULT), in_training);
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
        let Report { metrics, confusion, .. } = accuracies("", &knn, &on, (0.0, FewLabels::DEFAULT), false);
        assert!(metrics.iter().all(|metric| metric.name != "held-out"));
        assert!(metrics[0].hits.as_ref().is_some_and(|hits| hits.0 == [false; 60]));
        let top = metrics.iter().find(|metric| metric.name == TOP_5).unwrap();
        assert_eq!(top.value, 0.0, "no neighbour of theirs is of their class");
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
        let cached = LinearSgd {
            augment: false,
            epochs: 3,
            ..LinearSgd::default()
        };
        let all: [&dyn Evaluation; 4] = [&Knn::default(), &Linear::default(), &Retrieval::default(), &cached];
        for evaluation in all {
            assert_eq!(judged(evaluation, true), judged(evaluation, false));
        }
    }
}
