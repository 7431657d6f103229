//! `knn`: weighted k-nearest-neighbours classification on frozen features.
//!
//! Each of the `k` training samples of highest cosine votes for its class with `exp(cosine / temperature)`.
//!
//! Beside the features it takes memory for a few tiles of cosines: both sets are taken a part at a time.
//!
//! Source: Wu et al., "Unsupervised Feature Learning via Non-Parametric Instance Discrimination", CVPR 2018,
//! arXiv 1805.01978, section 3.4; as in its code and MoCo's and SimSiam's kNN monitors.

mod vote;

use crate::Classifier;
use crate::accuracies::{HELD_OUT, accuracies, names};
use crate::few::{Few, FewLabels};
use crate::held_out;
use crate::one_or_more;
use crate::predicted::ACCURACY;
use crate::tiles;
use fmicl_core::{
    Documented, Evaluation, Features, LabelledFeatures, Metric, MetricNames, Report, Representation, Result, Sizes,
    Task, register, require,
};
use serde::{Deserialize, Serialize};
use tch::{Kind, Tensor};
use vote::{Own, Setting, voted};

/// The weighted vote of the nearest training samples (Wu et al., CVPR 2018, arXiv 1805.01978).
#[derive(Debug, Documented, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Knn {
    /// Neighbours that vote, at least 1 and at most the labelled training samples; 200 by default, or all where there
    /// are fewer. A list is judged in one pass: its first is the one of all other metrics, and `accuracy@k=20` is that of 20 (`held-out@k=20` beside it).
    #[serde(with = "one_or_more")]
    pub k: Vec<usize>,
    /// A neighbour's vote is `exp(cosine / temperature)`; above 0, 0.1 by default. It may be a list, like `k`; `accuracy@t=0.07`, or with
    /// both, `accuracy@k=20,t=0.07`.
    #[serde(with = "one_or_more")]
    pub temperature: Vec<f64>,
    /// Judges each labelled training sample by all the others, too: metric `leave-one-out`, which needs no test split; false by
    /// default.
    pub leave_one_out: bool,
    /// Labels of each class of the metrics `few-labels`, at least 1; 10 by default. A smaller class gives all that it has.
    pub few: usize,
    /// Random choices of these labels that are averaged, at least 1, the same in every run; 5 by default.
    pub draws: usize,
    /// Share of the labelled training samples, 0 to 0.5, on which the rest is judged as well: metric `held-out`, to choose
    /// settings by (a sweep's `report.best`, `eval.best`) without a look at the test split; 0, none, by default.
    pub held_out: f64,
}

register!(
    Evaluation,
    "knn",
    Knn,
    "accuracy of a weighted vote of the nearest labelled samples, with all labels and with few"
);

/// Neighbours by default.
const K: usize = 200;

impl Default for Knn {
    fn default() -> Self {
        Knn {
            k: vec![K],
            temperature: vec![0.1],
            leave_one_out: false,
            few: FewLabels::DEFAULT.few,
            draws: FewLabels::DEFAULT.draws,
            held_out: 0.0,
        }
    }
}

impl Evaluation for Knn {
    fn validate(&self) -> Result<()> {
        require(!self.k.is_empty(), "k", || "has no number; 200 is the default".into())?;
        for (index, k) in self.k.iter().enumerate() {
            require(*k >= 1, "k", || format!("{k} is not at least 1"))?;
            require(!self.k[..index].contains(k), "k", || format!("{k} is there twice"))?;
        }
        let temperatures = &self.temperature;
        require(!temperatures.is_empty(), "temperature", || {
            "has no number; 0.1 is the default".into()
        })?;
        for (index, temperature) in temperatures.iter().enumerate() {
            require((1e-12..=1e9).contains(temperature), "temperature", || {
                format!("{temperature} is not from 1e-12 to 1e9")
            })?;
            require(!temperatures[..index].contains(temperature), "temperature", || {
                format!("{temperature} is there twice")
            })?;
        }
        self.few_labels().validate()?;
        held_out::validate(self.held_out)
    }

    fn wants_labels(&self) -> bool {
        true
    }

    fn is_default(&self) -> bool {
        true
    }

    fn validate_for(&self, sizes: &Sizes) -> Result<()> {
        let (k, samples) = (self.most(), sizes.train);
        // Nobody asked for the default: of fewer samples it takes all.
        require(k <= samples || self.k == [K], "k", || {
            format!("{k} is more than the dataset's {samples} labelled samples to train on; take at most that many")
        })
    }

    fn doubts(&self, name: &str, sizes: &Sizes) -> Vec<String> {
        let (k, samples) = (self.k[0], sizes.train);
        let all = (k >= samples).then(|| {
            format!(
                "{name} with k = {k}: all {samples} labelled training samples vote for each test sample, near or far; a \
                 smaller evaluations.{name}.k tells more"
            )
        });
        all.into_iter().collect()
    }

    fn memory(&self, sizes: &Sizes, width: usize) -> u64 {
        tiles::BYTES + held_out::bytes(sizes, width, self.held_out > 0.0)
    }

    fn open(&self) -> Result<Box<dyn Task>> {
        Ok(Box::new(self.clone()))
    }
}

impl Task for Knn {
    fn metrics(&self, in_training: bool) -> MetricNames {
        let mut names = names(in_training, self.held_out);
        if !in_training {
            names
                .all
                .extend(self.settings()[1..].iter().map(|setting| self.name(ACCURACY, *setting)));
            if self.held_out > 0.0 {
                names
                    .all
                    .extend(self.settings()[1..].iter().map(|setting| self.name(HELD_OUT, *setting)));
            }
            names.all.extend(self.leave_one_out.then(|| LEAVE_ONE_OUT.to_string()));
        }
        names
    }

    fn judge(&self, it: &dyn Representation) -> Result<Report> {
        let (on, in_training) = (it.labelled()?, it.is_in_training());
        let title = "test accuracy of the nearest neighbours' vote";
        let mut report = accuracies(title, self, on, (self.held_out, self.few_labels()), in_training);
        if !in_training {
            report
                .metrics
                .extend(self.others(ACCURACY, (&on.train, &on.test), on.classes));
            if self.held_out > 0.0 && self.settings().len() > 1 {
                let (left, out) = held_out::split(&on.train, self.held_out);
                report.metrics.extend(self.others(HELD_OUT, (&left, &out), on.classes));
            }
            report
                .metrics
                .extend(self.leave_one_out.then(|| self.of_the_others(on)));
        }
        let voters = |labels: usize| match self.k[0].min(labels) {
            k if k == labels => format!("{k}, which are all"),
            k => k.to_string(),
        };
        let all = voters(on.train.labels.numel());
        let few = match in_training {
            true => String::new(),
            false => format!(
                " (few labels: {})",
                voters(Few::of(self.few_labels(), &on.train.labels, on.classes).labels)
            ),
        };
        let vote = format!(
            "kNN: weighted vote of k = {all}{few}, temperature {}.",
            self.temperature[0]
        );
        report.notes.insert(0, vote);
        Ok(report)
    }
}

/// Accuracy of the labelled training samples, each by all the others.
const LEAVE_ONE_OUT: &str = "leave-one-out";

impl Knn {
    fn few_labels(&self) -> FewLabels {
        FewLabels {
            few: self.few,
            draws: self.draws,
        }
    }

    /// The most neighbours of its settings.
    fn most(&self) -> usize {
        self.k.iter().copied().max().unwrap_or(K)
    }

    /// Each `k` with each temperature; the first one is that of all metrics that do not name theirs.
    fn settings(&self) -> Vec<Setting> {
        let with = |&k: &usize| self.temperature.iter().map(move |&temperature| (k, temperature));
        self.k.iter().flat_map(with).collect()
    }

    /// `accuracy@k=20,t=0.07`, with what differs between settings.
    fn name(&self, metric: &str, (k, temperature): Setting) -> String {
        let k = (self.k.len() > 1).then(|| format!("k={k}"));
        let temperature = (self.temperature.len() > 1).then(|| format!("t={temperature}"));
        let parts: Vec<_> = k.into_iter().chain(temperature).collect();
        format!("{metric}@{}", parts.join(","))
    }

    /// The metric, an accuracy on `test`, of the settings behind the first one.
    fn others(&self, metric: &str, (train, test): (&Features, &Features), classes: usize) -> Vec<Metric> {
        let settings = &self.settings()[1..];
        if settings.is_empty() {
            return Vec::new();
        }
        let votes = |votes: &Tensor| votes.argmax(1, false);
        let predicted = voted(settings, train, test, classes, Own::None, &votes);
        let of =
            |(setting, predicted): (&Setting, Tensor)| share(&self.name(metric, *setting), &predicted, &test.labels);
        settings.iter().zip(predicted).map(of).collect()
    }

    fn of_the_others(&self, on: &LabelledFeatures) -> Metric {
        let votes = |votes: &Tensor| votes.argmax(1, false);
        let first = &self.settings()[..1];
        let mut predicted = voted(first, &on.train, &on.train, on.classes, Own::LeftOut, &votes);
        share(LEAVE_ONE_OUT, &predicted.remove(0), &on.train.labels)
    }
}

fn share(name: &str, predicted: &Tensor, labels: &Tensor) -> Metric {
    let right = predicted.eq_tensor(labels);
    let share = right.to_kind(Kind::Double).mean(Kind::Double).double_value(&[]);
    Metric::percent(name, share, None).counting(&right)
}

impl Classifier for Knn {
    /// Scores are votes of the first setting; fewer than `k` training samples all vote.
    fn classify(&self, train: &Features, test: &Features, classes: usize, pick: &dyn Fn(&Tensor) -> Tensor) -> Tensor {
        voted(&self.settings()[..1], train, test, classes, Own::None, pick).remove(0)
    }
}

#[cfg(test)]
mod tests;
