//! The comparison as a table and as JSON.

use super::judge::{DRAWS, FEW, Judged};
use crate::config::Experiment;
use crate::data::Labelled;
use serde::Serialize;
use std::fmt;

/// Representations side by side, and how the numbers were obtained.
#[derive(Debug, Clone, Serialize)]
pub struct Comparison {
    /// The dataset's name.
    pub dataset: String,
    /// How every number was obtained.
    pub protocol: Protocol,
    /// Raw pixels, the untrained encoder, the trained one.
    pub rows: Vec<Row>,
}

/// How every number of a [`Comparison`] was obtained.
#[derive(Debug, Clone, Serialize)]
pub struct Protocol {
    /// Test accuracy, offline: from frozen features, after training.
    pub when: &'static str,
    /// Labelled images of the train split.
    pub train_images: usize,
    /// Images of the test split.
    pub test_images: usize,
    /// Classes; 1 / classes is the accuracy of chance.
    pub classes: usize,
    /// kNN's neighbours, at most as many as there are labels.
    pub k: usize,
    /// The same with few labels.
    pub k_few: usize,
    /// kNN's temperature.
    pub temperature: f64,
    /// The linear probe's weight decay.
    pub l2: f64,
    /// Labels a class in the column of few labels.
    pub few_labels: usize,
    /// Random choices of them that are averaged.
    pub draws: u64,
}

/// One representation.
#[derive(Debug, Clone, Serialize)]
pub struct Row {
    /// What the features are.
    pub representation: &'static str,
    /// Its accuracies.
    #[serde(flatten)]
    pub judged: Judged,
}

impl Comparison {
    /// A table of `rows` under the experiment's protocol.
    pub fn new(experiment: &Experiment, data: &Labelled, rows: Vec<(&'static str, Judged)>) -> Self {
        let eval = &experiment.eval;
        let (train, classes) = (data.train.len(), data.train.classes());
        let protocol = Protocol {
            when: "offline, frozen features, test split",
            train_images: train,
            test_images: data.test.len(),
            classes,
            k: eval.knn.k.min(train),
            k_few: eval.knn.k.min(FEW * classes).min(train),
            temperature: eval.knn.temperature,
            l2: eval.linear.l2,
            few_labels: FEW,
            draws: DRAWS,
        };
        let rows = rows
            .into_iter()
            .map(|(representation, judged)| Row { representation, judged })
            .collect();
        Comparison {
            dataset: experiment.dataset.name().to_string(),
            protocol,
            rows,
        }
    }
}

impl fmt::Display for Comparison {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        let p = &self.protocol;
        let few = format!("{} labels a class", p.few_labels);
        writeln!(f, "{}: accuracy in % on {} test images", self.dataset, p.test_images)?;
        writeln!(
            f,
            "{:19}{few:^17}   {:^17}",
            "",
            format!("all {} labels", p.train_images)
        )?;
        writeln!(
            f,
            "{:19}{:>8} {:>8}   {:>8} {:>8}",
            "", "kNN", "linear", "kNN", "linear"
        )?;
        for row in &self.rows {
            let accuracies = [row.judged.few_labels, row.judged.all_labels];
            let [few, all] = accuracies.map(|a| format!("{:8.1} {:8.1}", 100.0 * a.knn, 100.0 * a.linear));
            writeln!(f, "{:19}{few}   {all}", row.representation)?;
        }
        writeln!(
            f,
            "kNN: weighted vote of k = {} (few labels: {}), temperature {}.",
            p.k, p.k_few, p.temperature
        )?;
        writeln!(
            f,
            "linear: logistic regression on standardised features, l2 = {}.",
            p.l2
        )?;
        writeln!(
            f,
            "Frozen features of unaugmented images; few labels: mean of {} random choices.",
            p.draws
        )
    }
}
