//! Accuracies of a classifier of features: with every label and with few.

use crate::Classifier;
use crate::few::{DRAWS, Few, few};
use crate::held_out;
use crate::score::{Largest, Score};
use fmicl_core::{LabelledFeatures, Metric, MetricNames};

/// With every label: of all test samples, and of every class alike.
const ALL: [&str; 2] = ["accuracy", "balanced"];
/// The same with few labels.
const FEW_LABELS: [&str; 2] = ["few-labels", "few-labels-balanced"];

/// On labels of the training split that were held out.
const HELD_OUT: &str = "held-out";

/// The names of the metrics of [`accuracies`], `accuracy` being the main one.
pub fn names(in_training: bool, held_out: f64) -> MetricNames {
    let few: &[&str] = if in_training { &[] } else { &FEW_LABELS };
    let held_out: &[&str] = if held_out > 0.0 { &[HELD_OUT] } else { &[] };
    MetricNames::new(ALL[0], ALL[1..].iter().chain(few).chain(held_out).copied())
}

/// The metrics `accuracy` and `balanced`, with every label of the training split; and, unless training waits for them,
/// `few-labels` and `few-labels-balanced`, the means over [`DRAWS`] choices of a few labels; and `held-out`, with all but a
/// share `held_out` of the labels, on that share, if it is above 0. Beside them, how they were obtained.
pub fn accuracies(
    it: &dyn Classifier,
    on: &LabelledFeatures,
    held_out: f64,
    in_training: bool,
) -> (Vec<Metric>, Vec<String>) {
    let LabelledFeatures {
        train,
        test,
        classes,
        class_names,
    } = on;
    let largest = Largest::of(&train.labels, &test.labels, *classes);
    let level = largest.score;
    let pair = |names: [&str; 2], score: Score| {
        [
            Metric::percent(names[0], score.accuracy, Some(level.accuracy)),
            Metric::percent(names[1], score.balanced, Some(level.balanced)),
        ]
    };
    let score = |predicted| Score::of(&predicted, &test.labels, *classes);
    let predicted = it.predict(train, test, *classes);
    let mut metrics = pair(ALL, score(predicted.shallow_clone())).to_vec();
    let mut notes = Vec::new();
    if !in_training {
        let draws: Vec<_> = (0..DRAWS)
            .map(|draw| score(it.predict(&train.select(&few(&train.labels, draw)), test, *classes)))
            .collect();
        let mean = |value: fn(&Score) -> f64| draws.iter().map(value).sum::<f64>() / draws.len() as f64;
        let few = Score {
            accuracy: mean(|draw| draw.accuracy),
            balanced: mean(|draw| draw.balanced),
        };
        metrics.extend(pair(FEW_LABELS, few));
        notes.push(Few::of(&train.labels, *classes).note(*classes));
        metrics[0] = metrics[0].clone().counting(&predicted.eq_tensor(&test.labels));
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
    let name = match class_names.get(largest.class) {
        Some(name) => format!("{name:?}"),
        None => largest.class.to_string(),
    };
    notes.push(format!(
        "largest class: always answering {name}; balanced: every class counts alike, whatever its size."
    ));
    (metrics, notes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Knn;
    use fmicl_core::Features;
    use fmicl_core::tch::{Kind, Tensor};

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
        let knn = Knn { k: 5, ..Knn::default() };
        for in_training in [false, true] {
            let (metrics, notes) = accuracies(&knn, &on, 0.2, in_training);
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
        let (metrics, _) = accuracies(&knn, &on, 0.0, false);
        assert!(metrics.iter().all(|metric| metric.name != "held-out"));
        assert!(metrics[0].hits.as_ref().is_some_and(|hits| hits.0 == [false; 60]));
    }
}
