//! `confusion`: which classes a classifier of frozen features takes for which.

use fmicl_core::tch::{Kind, Tensor};
use fmicl_core::{
    Documented, Evaluation, LabelledFeatures, Metric, MetricNames, Report, Representation, Result, Task, register,
};
use fmicl_probes::{Classifier, Knn, Largest, Linear};
use serde::{Deserialize, Serialize};

/// Candidates of the accuracy `top-5`.
const TOP: i64 = 5;
/// The most classes whose matrix is shown.
const SHOWN: usize = 20;

/// The classifier.
#[derive(Debug, Clone, Copy, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum By {
    /// A linear probe.
    #[default]
    Linear,
    /// The nearest neighbours' vote.
    Knn,
}

/// The confusion matrix of a classifier of frozen features, its accuracy by class, and that of its five likeliest classes.
#[derive(Debug, Documented, Clone, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Confusion {
    /// `linear` (the default) or `knn`, with their default options.
    pub by: By,
}

register!(
    Evaluation,
    "confusion",
    Confusion,
    "confusion matrix, accuracy by class, balanced and top-5, of a linear probe or of kNN"
);

impl Evaluation for Confusion {
    fn wants_labels(&self) -> bool {
        true
    }

    fn open(&self) -> Result<Box<dyn Task>> {
        Ok(Box::new(self.clone()))
    }
}

impl Task for Confusion {
    /// Of a class without test samples there is no metric.
    fn metrics(&self, _in_training: bool) -> MetricNames {
        MetricNames::new("accuracy", ["balanced", "top-5", "class *"])
    }

    fn judge(&self, it: &dyn Representation) -> Result<Report> {
        let on = it.labelled()?;
        let classifier: Box<dyn Classifier> = match self.by {
            By::Linear => Box::new(Linear::default()),
            By::Knn => Box::new(Knn::default()),
        };
        let (classes, labels) = (on.classes as i64, &on.test.labels);
        let top = TOP.min(classes);
        // [M, top]
        let likeliest = classifier.classify(&on.train, &on.test, on.classes, &|scores| {
            scores.topk(top, 1, true, true).1
        });
        let share = |hits: Tensor| hits.sum(Kind::Double).double_value(&[]) / labels.numel() as f64;
        let is_there = likeliest.eq_tensor(&labels.unsqueeze(1));
        // [C, C]: of each class a row, the classes that its samples were taken for.
        let cells = (labels * classes + likeliest.select(1, 0)).bincount(None::<Tensor>, classes * classes);
        let matrix: Vec<i64> = Vec::try_from(cells)?;
        let rows: Vec<&[i64]> = matrix.chunks(on.classes).collect();
        let recall = |class: usize| match rows[class].iter().sum::<i64>() {
            0 => None,
            samples => Some(rows[class][class] as f64 / samples as f64),
        };
        let recalls: Vec<_> = (0..on.classes)
            .filter_map(|class| Some((class, recall(class)?)))
            .collect();
        let balanced = recalls.iter().map(|(_, recall)| recall).sum::<f64>() / recalls.len() as f64;
        let blind = Largest::of(&on.train.labels, labels, on.classes).score;
        let mut metrics = vec![
            Metric::percent("accuracy", share(is_there.select(1, 0)), Some(blind.accuracy)),
            Metric::percent("balanced", balanced, Some(blind.balanced)),
            Metric::percent("top-5", share(is_there), None),
        ];
        let by_class =
            |&(class, recall): &(usize, f64)| Metric::percent(&format!("class {}", name(on, class)), recall, None);
        metrics.extend(recalls.iter().map(by_class));
        let shown = rows
            .iter()
            .enumerate()
            .take(if on.classes <= SHOWN { SHOWN } else { 0 });
        Ok(Report {
            title: format!("the classes that test samples are taken for, by {:?}", self.by),
            metrics,
            main: "accuracy".into(),
            notes: shown
                .map(|(class, row)| format!("{} is taken for {row:?}", name(on, class)))
                .collect(),
            ..Report::default()
        })
    }
}

/// The class's name, or else its number.
fn name(on: &LabelledFeatures, class: usize) -> String {
    on.class_names.get(class).cloned().unwrap_or(class.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;
    use fmicl_core::testing::{Labelled, check_labelled_evaluation};

    #[test]
    fn it_obeys_the_laws() {
        for by in [By::Linear, By::Knn] {
            check_labelled_evaluation(&Confusion { by });
        }
    }

    #[test]
    fn each_class_has_its_share_and_its_row() {
        // Two clusters, and a test sample of each that lies in the other.
        let rows = |signs: &[f32]| Tensor::from_slice(signs).unsqueeze(1) * Tensor::from_slice(&[1f32, 2.0]);
        let labels = |labels: &[i64]| Tensor::from_slice(labels);
        let it = Labelled::new(
            (rows(&[1.0, 1.1, -1.0, -0.9]), labels(&[0, 0, 1, 1])),
            (rows(&[1.0, 0.9, 1.2, -1.0, -1.0, 1.0]), labels(&[0, 0, 0, 0, 1, 1])),
            &["up", "down"],
        );
        let report = Confusion::default().open().unwrap().judge(&it).unwrap();
        let value = |name: &str| report.metric(name).unwrap().shown();
        assert_eq!([value("class up"), value("class down")], ["75.0", "50.0"]);
        assert_eq!(
            [value("accuracy"), value("balanced"), value("top-5")],
            ["66.7", "62.5", "100.0"]
        );
        assert_eq!(report.notes, ["up is taken for [3, 1]", "down is taken for [1, 1]"]);
    }
}
