//! `knn`: weighted k-nearest-neighbours classification on frozen features.
//!
//! Each of the `k` training samples of highest cosine votes for its class with `exp(cosine / temperature)`.
//!
//! Beside the features it takes memory for a few tiles of cosines: both sets are taken a part at a time.
//!
//! Source: Wu et al., "Unsupervised Feature Learning via Non-Parametric Instance Discrimination", CVPR 2018,
//! arXiv 1805.01978, section 3.4; as in its code and MoCo's and SimSiam's kNN monitors.

use crate::Classifier;
use crate::accuracies::{HELD_OUT, accuracies, names};
use crate::few::{Few, FewLabels};
use crate::held_out;
use crate::one_or_more;
use crate::predicted::ACCURACY;
use crate::tiles::{self, tiles};
use fmicl_core::{
    Documented, Evaluation, Features, LabelledFeatures, Metric, MetricNames, Report, Representation, Result, Sizes,
    Task, normalize, register, require,
};
use serde::{Deserialize, Serialize};
use tch::{Kind, Tensor};

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

/// Number of neighbours that vote, and temperature of their votes.
type Setting = (usize, f64);

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

/// Test samples that are looked at together.
const CHUNK: i64 = 512;

impl Classifier for Knn {
    /// Scores are votes of the first setting; fewer than `k` training samples all vote.
    fn classify(&self, train: &Features, test: &Features, classes: usize, pick: &dyn Fn(&Tensor) -> Tensor) -> Tensor {
        voted(&self.settings()[..1], train, test, classes, Own::None, pick).remove(0)
    }
}

/// Whether queries are themselves among the training samples.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Own {
    /// They are others.
    None,
    /// They are the training samples in the same order, and have no vote for themselves.
    LeftOut,
}

/// `pick` of the votes `[Q, C]` of each setting, for some queries of `test` at a time, one below the other; the neighbours are
/// looked for once.
fn voted(
    settings: &[Setting],
    train: &Features,
    test: &Features,
    classes: usize,
    own: Own,
    pick: &dyn Fn(&Tensor) -> Tensor,
) -> Vec<Tensor> {
    let count = test.values.size()[0];
    let most = settings.iter().map(|(k, _)| *k as i64).max().unwrap_or(1);
    // Of unit length a query at a time; the neighbours' lengths divide their cosines.
    let lengths = train.lengths();
    let mut picked: Vec<Vec<Tensor>> = settings.iter().map(|_| Vec::new()).collect();
    for start in (0..count).step_by(CHUNK as usize) {
        let queries = test.rows(start, CHUNK.min(count - start));
        let own = (own == Own::LeftOut).then_some(start);
        let (cosines, labels) = nearest(most, &normalize(&queries), train, &lengths, own);
        for ((k, temperature), picked) in settings.iter().zip(&mut picked) {
            let k = (*k as i64).min(cosines.size()[1]);
            let (cosines, labels) = (cosines.narrow(1, 0, k), labels.narrow(1, 0, k));
            // Relative to the nearest one, so that no temperature overflows.
            let weights = ((&cosines - cosines.amax([1].as_slice(), true)) / *temperature).exp();
            let votes = Tensor::zeros([queries.size()[0], classes as i64], (Kind::Float, weights.device()));
            let votes = votes.scatter_add(1, &labels, &weights);
            // A class without a vote is no candidate.
            picked.push(pick(&votes.masked_fill(&votes.eq(0.0), f64::NEG_INFINITY)));
        }
    }
    picked.iter().map(|picked| Tensor::cat(picked, 0)).collect()
}

/// The cosines and the labels `[Q, k]` of the nearest neighbours of queries `[Q, d]` of unit length, in falling order. Where the
/// queries are the training samples from `own` on, the cosine of each with itself is minus infinity.
fn nearest(k: i64, queries: &Tensor, train: &Features, lengths: &Tensor, own: Option<i64>) -> (Tensor, Tensor) {
    let mut found: Option<(Tensor, Tensor)> = None;
    let widest = CHUNK.max(train.values.size()[1]) as usize;
    for (start, count) in tiles(train.labels.size()[0], widest) {
        let mut cosines = queries.matmul(&train.rows(start, count).tr());
        cosines /= lengths.narrow(0, start, count);
        if let Some(own) = own {
            let (from, to) = (start.max(own), (start + count).min(own + queries.size()[0]));
            if from < to {
                let both = cosines
                    .narrow(0, from - own, to - from)
                    .narrow(1, from - start, to - from);
                let _ = both.diagonal(0, 0, 1).fill_(f64::NEG_INFINITY);
            }
        }
        let (cosines, indices) = cosines.topk(k.min(count), 1, true, false);
        let labels = train.labels.narrow(0, start, count);
        let labels = labels.index_select(0, &indices.flatten(0, -1)).view_as(&indices);
        found = Some(match found {
            None => (cosines, labels),
            Some((others, theirs)) => {
                let (cosines, labels) = (Tensor::cat(&[others, cosines], 1), Tensor::cat(&[theirs, labels], 1));
                let (cosines, places) = cosines.topk(k.min(cosines.size()[1]), 1, true, false);
                (cosines, labels.gather(1, &places, false))
            }
        });
    }
    let (cosines, labels) = found.unwrap_or_else(|| {
        (
            queries.narrow(1, 0, 0),
            train.labels.narrow(0, 0, 0).expand([queries.size()[0], 0], false),
        )
    });
    let (cosines, order) = cosines.sort(1, true);
    (cosines, labels.gather(1, &order, false))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Score;
    use fmicl_core::testing::unit_rows;
    use tch::Device;

    fn features(rows: &[[f32; 2]], labels: &[i64]) -> Features {
        Features {
            values: Tensor::from_slice2(rows),
            labels: Tensor::from_slice(labels),
        }
    }

    fn accuracy(options: &Knn, train: &Features, test: &Features) -> f64 {
        Score::of(&options.predict(train, test, 2), &test.labels, 2).accuracy
    }

    #[test]
    fn one_neighbour_is_the_nearest_by_angle() {
        let train = features(&[[10.0, 0.0], [0.0, 0.1]], &[0, 1]);
        let test = features(&[[0.1, 0.01], [1.0, 9.0], [9.0, 1.0]], &[0, 1, 1]);
        let one = Knn {
            k: vec![1],
            ..Knn::default()
        };
        assert!((accuracy(&one, &train, &test) - 2.0 / 3.0).abs() < 1e-12);
    }

    #[test]
    fn a_low_temperature_lets_one_near_neighbour_outvote_two_far_ones() {
        let train = features(&[[1.0, 0.0], [0.6, 0.8], [0.6, 0.8]], &[0, 1, 1]);
        let test = features(&[[1.0, 0.05]], &[0]);
        // Votes: 1 against 2 exp((0.6 - 1) / T), roughly.
        let with = |temperature| {
            accuracy(
                &Knn {
                    k: vec![3],
                    temperature: vec![temperature],
                    ..Knn::default()
                },
                &train,
                &test,
            )
        };
        assert_eq!((with(0.1), with(10.0)), (1.0, 0.0));
    }

    #[test]
    fn neighbours_of_many_tiles_are_those_of_the_whole_set() {
        let (rows, k) = (3 * (1 << 13) + 17, 40);
        // Of many lengths.
        let lengths = Tensor::arange(rows, (Kind::Float, Device::Cpu)).remainder(7) + 0.5;
        let train = Features {
            values: unit_rows(rows, 6, Kind::Float, 1) * lengths.unsqueeze(1),
            // Each its own number, so that it tells which neighbour it is.
            labels: Tensor::arange(rows, (Kind::Int64, Device::Cpu)),
        };
        let queries = unit_rows(5, 6, Kind::Float, 2);
        let lengths = train.lengths();
        let (cosines, labels) = nearest(k, &queries, &train, &lengths, None);
        let all = queries.matmul(&(&train.values / lengths.unsqueeze(1)).tr());
        let (expected, indices) = all.topk(k, 1, true, true);
        assert!(cosines.allclose(&expected, 1e-5, 1e-6, false));
        assert_eq!(labels, indices);
        // As queries of their own they are their nearest neighbours, unless they are left out.
        let own = normalize(&train.values.narrow(0, (1 << 13) - 2, 5));
        let firsts = |left_out: Option<i64>| nearest(k, &own, &train, &lengths, left_out).1.select(1, 0);
        let themselves = Tensor::arange(5, (Kind::Int64, Device::Cpu)) + ((1 << 13) - 2);
        assert_eq!(firsts(None), themselves);
        let seconds = nearest(2, &own, &train, &lengths, None).1.select(1, 1);
        assert_eq!(firsts(Some((1 << 13) - 2)), seconds);
    }

    #[test]
    fn lists_are_judged_as_their_values_are_alone_and_leaving_one_out_as_without_it() {
        let clusters = |count: i64, seed: i64| {
            let labels = Tensor::arange(count, (Kind::Int64, Device::Cpu)).remainder(3);
            let centres = unit_rows(3, 6, Kind::Float, 1).index_select(0, &labels);
            let values = centres + unit_rows(count, 6, Kind::Float, seed) * 1.2;
            Features { values, labels }
        };
        let on = LabelledFeatures {
            train: clusters(90, 2),
            test: clusters(60, 3),
            classes: 3,
            class_names: vec![],
        };
        let of = |k: &[usize], temperature: &[f64]| Knn {
            k: k.to_vec(),
            temperature: temperature.to_vec(),
            ..Knn::default()
        };
        let list = of(&[5, 1, 40], &[0.1, 2.0]);
        let others = list.others(ACCURACY, (&on.train, &on.test), 3);
        assert_eq!(others.len(), 5);
        for (metric, (k, temperature)) in others.iter().zip(&list.settings()[1..]) {
            assert_eq!(metric.name, format!("accuracy@k={k},t={temperature}"));
            let alone = Score::of(
                &of(&[*k], &[*temperature]).predict(&on.train, &on.test, 3),
                &on.test.labels,
                3,
            );
            assert_eq!(metric.value, 100.0 * alone.accuracy, "{}", metric.name);
        }
        assert_eq!(
            of(&[1, 5], &[0.1]).others(ACCURACY, (&on.train, &on.test), 3)[0].name,
            "accuracy@k=5"
        );

        let without = |index: i64| {
            let others: Vec<i64> = (0..90).filter(|&other| other != index).collect();
            let one = on.train.select(&Tensor::from_slice(&[index]));
            let predicted = list.predict(&on.train.select(&Tensor::from_slice(&others)), &one, 3);
            predicted == one.labels
        };
        let right = (0..90).filter(|&index| without(index)).count();
        assert_eq!(list.of_the_others(&on).value, 100.0 * right as f64 / 90.0);
    }

    #[test]
    fn an_option_may_be_a_list() {
        use fmicl_core::{Part, toml};
        let read = |text: &str| {
            let part = Part::<dyn Evaluation>::new("knn", text.parse::<toml::Table>().unwrap());
            part.map(|part| format!("{:?}", part.share()))
                .map_err(|error| error.to_string())
        };
        assert!(
            read("k = [1, 20]\ntemperature = 1")
                .unwrap()
                .contains("k: [1, 20], temperature: [1.0]")
        );
        assert_eq!(read("k = []").unwrap_err(), "k: has no number; 200 is the default");
        assert_eq!(read("k = [5, 5]").unwrap_err(), "k: 5 is there twice");
        assert_eq!(
            read("k = \"many\"").unwrap_err(),
            "k: invalid type: string \"many\", expected usize"
        );
    }

    #[test]
    fn it_obeys_the_laws() {
        for (held_out, leave_one_out) in [(0.0, true), (0.2, true)] {
            fmicl_core::testing::check_labelled_evaluation(&Knn {
                held_out,
                leave_one_out,
                k: vec![20, 5],
                ..Knn::default()
            });
        }
    }
}
