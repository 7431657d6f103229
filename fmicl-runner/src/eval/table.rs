//! The comparison as a table and as JSON.

use super::Features;
use super::judge::{Accuracy, Balanced, DRAWS, FEW, Judged};
use super::score::{Largest, counts};
use crate::config::Experiment;
use crate::data::{Labelled, Splits};
use fmicl_core::tch::{Kind, Tensor};
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
    /// Images of the two splits that could not be read, and are not among those.
    #[serde(skip_serializing_if = "is_none")]
    pub unreadable_images: usize,
    /// Images of the test split whose files are in the train split, too: numbers of such images say nothing of others.
    pub test_images_in_training: usize,
    /// Classes; 1 / classes is the accuracy of chance.
    pub classes: usize,
    /// Their names by number, where the dataset has some.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub class_names: Vec<String>,
    /// What always predicting the largest class is worth.
    pub largest_class: Largest,
    /// kNN's neighbours, at most as many as there are labels.
    pub k: usize,
    /// The same with few labels.
    pub k_few: usize,
    /// kNN's temperature.
    pub temperature: f64,
    /// The linear probe's weight decay.
    pub l2: f64,
    /// Labels a class in the column of few labels; of a class with fewer, all that it has.
    pub few_labels: usize,
    /// Classes with fewer labelled images of the train split.
    pub classes_with_fewer: usize,
    /// The labels of such a choice, of all classes.
    pub few_images: usize,
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

fn is_none(count: &usize) -> bool {
    *count == 0
}

impl Protocol {
    /// Of features of the labelled splits that an experiment judges.
    pub fn new(
        experiment: &Experiment,
        (data, labelled): (&Splits, &Labelled),
        unreadable_images: usize,
        train: &Features,
        test: &Features,
    ) -> Self {
        let (eval, classes) = (&experiment.eval, labelled.train.classes());
        let [train_images, test_images] = [train, test].map(|features| features.labels.numel());
        let (few_images, classes_with_fewer) = few(&train.labels, classes);
        Protocol {
            when: "offline, frozen features, test split",
            train_images,
            test_images,
            unreadable_images,
            test_images_in_training: data.test_in_training(),
            classes,
            class_names: labelled.train.class_names(),
            largest_class: Largest::of(&train.labels, &test.labels, classes),
            k: eval.knn.k.min(train_images),
            k_few: eval.knn.k.min(few_images),
            temperature: eval.knn.temperature,
            l2: eval.linear.l2,
            few_labels: FEW,
            classes_with_fewer,
            few_images,
            draws: DRAWS,
        }
    }

    /// ` (3 more could not be read), of which 12 are training images`, as far as it is so.
    fn about_test_images(&self) -> String {
        let unreadable = match self.unreadable_images {
            0 => String::new(),
            count => format!(" ({count} images of both splits could not be read)"),
        };
        let seen = match self.test_images_in_training {
            0 => String::new(),
            count if count >= self.test_images => ", all of which are training images".into(),
            count => format!(", of which {count} are training images"),
        };
        unreadable + &seen
    }
}

/// The labels of a choice of [`FEW`] of each class, and the number of classes that have fewer.
fn few(labels: &Tensor, classes: usize) -> (usize, usize) {
    let counts = counts(labels, classes);
    let value = |tensor: Tensor| tensor.sum(Kind::Double).double_value(&[]) as usize;
    (value(counts.clamp_max(FEW as f64)), value(counts.lt(FEW as f64)))
}

/// Pairs of kNN and linear probe, in %: with few labels, with all, and balanced.
fn columns(judged: &Judged) -> String {
    let Judged { few_labels, all_labels } = judged;
    let Balanced { knn, linear } = all_labels.balanced;
    [
        (few_labels.knn, few_labels.linear),
        (all_labels.knn, all_labels.linear),
        (knn, linear),
    ]
    .map(|(knn, linear)| format!("{:8.1} {:8.1}", 100.0 * knn, 100.0 * linear))
    .join("   ")
}

/// What is said of `k` neighbours where they are all that there are.
fn all_of(k: usize, images: usize) -> &'static str {
    if k == images { ", which are all" } else { "" }
}

impl fmt::Display for Comparison {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        let p = &self.protocol;
        let few = match p.classes_with_fewer {
            0 => format!("{} labels a class", p.few_labels),
            _ => format!("up to {} a class", p.few_labels),
        };
        writeln!(
            f,
            "{}: accuracy in % on {} test images{}",
            self.dataset,
            p.test_images,
            p.about_test_images()
        )?;
        writeln!(
            f,
            "{:19}{few:^17}   {:^17}   {:^17}",
            "",
            format!("all {} labels", p.train_images),
            "the same, balanced"
        )?;
        let pair = format!("{:>8} {:>8}", "kNN", "linear");
        writeln!(f, "{:19}{pair}   {pair}   {pair}", "")?;
        let Largest { accuracy, balanced, .. } = p.largest_class;
        let always = Accuracy {
            knn: accuracy,
            linear: accuracy,
            balanced: Balanced {
                knn: balanced,
                linear: balanced,
            },
        };
        let always = Judged {
            few_labels: always,
            all_labels: always,
        };
        let rows = self.rows.iter().map(|row| (row.representation, &row.judged));
        for (representation, judged) in [("largest class", &always)].into_iter().chain(rows) {
            writeln!(f, "{representation:19}{}", columns(judged))?;
        }
        let largest = match p.class_names.get(p.largest_class.class) {
            Some(name) => format!("{name:?}"),
            None => format!("{}", p.largest_class.class),
        };
        writeln!(
            f,
            "largest class: always answering {largest}; balanced: every class counts alike, whatever its size."
        )?;
        writeln!(
            f,
            "kNN: weighted vote of k = {}{} (few labels: {}{}), temperature {}.",
            p.k,
            all_of(p.k, p.train_images),
            p.k_few,
            all_of(p.k_few, p.few_images),
            p.temperature
        )?;
        writeln!(
            f,
            "linear: logistic regression on standardised features, l2 = {}.",
            p.l2
        )?;
        writeln!(
            f,
            "Frozen features of unaugmented images; few labels: mean of {} random choices{}.",
            p.draws,
            match p.classes_with_fewer {
                0 => String::new(),
                fewer => format!(
                    " of {} images, as {fewer} of {} classes have fewer than {}",
                    p.few_images, p.classes, p.few_labels
                ),
            }
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn few_labels_are_counted_as_they_are_there() {
        let labels: Vec<i64> = [(0, 12), (1, 3), (2, 10)]
            .into_iter()
            .flat_map(|(class, count)| std::iter::repeat_n(class, count))
            .collect();
        assert_eq!(few(&Tensor::from_slice(&labels), 3), (23, 1));
        // A class without any, as of few `eval.train_samples`.
        assert_eq!(few(&Tensor::from_slice(&labels), 4), (23, 2));
    }
}
