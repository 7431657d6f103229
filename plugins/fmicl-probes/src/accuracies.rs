//! Accuracies of a classifier of features: with every label and with few.

use crate::Classifier;
use crate::few::{DRAWS, Few, few};
use crate::score::{Largest, Score};
use fmicl_core::{LabelledFeatures, Metric, MetricNames};

/// With every label: of all test samples, and of every class alike.
const ALL: [&str; 2] = ["accuracy", "balanced"];
/// The same with few labels.
const FEW_LABELS: [&str; 2] = ["few-labels", "few-labels-balanced"];

/// The names of the metrics of [`accuracies`], `accuracy` being the main one.
pub fn names(in_training: bool) -> MetricNames {
    let few: &[&str] = if in_training { &[] } else { &FEW_LABELS };
    MetricNames::new(ALL[0], ALL[1..].iter().chain(few).copied())
}

/// The metrics `accuracy` and `balanced`, with every label of the training split; and, unless training waits for them,
/// `few-labels` and `few-labels-balanced`, the means over [`DRAWS`] choices of a few labels. Beside them, how they were obtained.
pub fn accuracies(it: &dyn Classifier, on: &LabelledFeatures, in_training: bool) -> (Vec<Metric>, Vec<String>) {
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
    let all = score(it.predict(train, test, *classes));
    let mut metrics = pair(ALL, all).to_vec();
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
