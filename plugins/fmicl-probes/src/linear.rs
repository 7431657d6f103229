//! `linear`: the linear probe, multinomial logistic regression on frozen features.
//!
//! Features are standardised by the training features' mean and deviation; then the mean cross entropy plus
//! `l2 / 2` times the squared norm of the weights (not of the biases) is minimised over the full batch by L-BFGS,
//! from zero. It is convex: there is no seed, schedule or augmentation in it.
//!
//! Of `N` features `[N, d]` and `C` classes it takes memory, beside the features, for about [`STATE`] times `d C` numbers;
//! features are standardised and logits made a tile of rows at a time.
//!
//! Source: the protocol of Kornblith et al., CVPR 2019, arXiv 1805.08974, that SimCLR (section 7 and appendix B.8)
//! uses for frozen features.

use crate::accuracies::{accuracies, names};
use crate::few::FewLabels;
use crate::select::{L2, Selecting};
use crate::tiles::{self, tiles};
use crate::{Classifier, held_out, lbfgs};
use fmicl_core::{
    Documented, Evaluation, Features, MetricNames, Report, Representation, Result, Sizes, Task, register, require,
};
use serde::{Deserialize, Serialize};
use tch::{Kind, Tensor};

/// Multinomial logistic regression on the features.
#[derive(Debug, Documented, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Linear {
    /// The weight of half the squared norm of the weights beside the mean loss, 0 or above; 1e-4 by default. `select`: of 1e-6,
    /// 1e-5, ..., 1e5 the one that is best on a tenth of the labelled training samples, chosen anew for each set of labels; the
    /// probe then learns from all of them.
    pub l2: L2,
    /// The most iterations, at least 1; 200 by default.
    pub max_iter: usize,
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
    "linear",
    Linear,
    "accuracy of a linear probe, logistic regression on the features, with all labels and with few"
);

impl Default for Linear {
    fn default() -> Self {
        Linear {
            l2: L2::Number(1e-4),
            max_iter: 200,
            few: FewLabels::DEFAULT.few,
            draws: FewLabels::DEFAULT.draws,
            held_out: 0.0,
        }
    }
}

impl Evaluation for Linear {
    fn validate(&self) -> Result<()> {
        if let L2::Number(l2) = self.l2 {
            require((0.0..=1e9).contains(&l2), "l2", || format!("{l2} is not from 0 to 1e9"))?;
        }
        require(self.max_iter >= 1, "max_iter", || {
            format!("{} is not at least 1", self.max_iter)
        })?;
        self.few_labels().validate()?;
        held_out::validate(self.held_out)
    }

    fn wants_labels(&self) -> bool {
        true
    }

    fn is_default(&self) -> bool {
        true
    }

    fn memory(&self, sizes: &Sizes, width: usize) -> u64 {
        let chooses = self.held_out > 0.0 || self.l2 == L2::Select;
        let copies = held_out::bytes(sizes, width, chooses);
        4 * STATE * (width as u64 + 1) * sizes.classes as u64 + tiles::BYTES + copies
    }

    fn open(&self) -> Result<Box<dyn Task>> {
        Ok(Box::new(self.clone()))
    }
}

impl Task for Linear {
    fn metrics(&self, in_training: bool) -> MetricNames {
        names(in_training, self.held_out)
    }

    fn judge(&self, it: &dyn Representation) -> Result<Report> {
        let (on, in_training) = (it.labelled()?, it.is_in_training());
        let title = "test accuracy of a linear probe";
        let measured = |classifier: &dyn Classifier| {
            accuracies(title, classifier, on, (self.held_out, self.few_labels()), in_training)
        };
        let (mut report, probe) = match self.l2 {
            L2::Number(l2) => {
                let probe = format!("linear: logistic regression on standardised features, l2 = {l2}.");
                (measured(self), probe)
            }
            L2::Select => {
                let selecting = self.selecting();
                (measured(&selecting), selecting.note())
            }
        };
        report.notes.insert(0, probe);
        Ok(report)
    }
}

/// Copies of the weights that the search holds at most: its history, and point, gradient and direction of a step.
const STATE: u64 = 2 * lbfgs::HISTORY as u64 + 8;

/// Rows, a tile at a time, of which each column has mean 0 and deviation 1 over the training features.
struct Standardised<'a> {
    of: &'a Features,
    mean: &'a Tensor,
    scale: &'a Tensor,
    /// All of them, where they are one tile.
    whole: Option<Tensor>,
}

impl<'a> Standardised<'a> {
    fn new(of: &'a Features, (mean, scale): (&'a Tensor, &'a Tensor), one_tile: bool) -> Self {
        let whole = one_tile.then(|| (of.rows(0, of.values.size()[0]) - mean) * scale);
        Standardised { of, mean, scale, whole }
    }

    fn tile(&self, (start, count): (i64, i64)) -> Tensor {
        match &self.whole {
            Some(whole) => whole.narrow(0, start, count),
            None => {
                let mut rows = self.of.rows(start, count) - self.mean;
                rows *= self.scale;
                rows
            }
        }
    }
}

/// The mean `[1, d]` and one over the deviation `[1, d]` of the columns of features `[N, d]`.
fn mean_and_scale(of: &Features, tiles: impl Iterator<Item = (i64, i64)> + Clone) -> (Tensor, Tensor) {
    let (count, width) = (of.values.size()[0], of.values.size()[1]);
    let sum = |each: &dyn Fn(Tensor) -> Tensor| {
        let mut sum = Tensor::zeros([1, width], (Kind::Double, of.values.device()));
        for (start, count) in tiles.clone() {
            sum += each(of.rows(start, count)).sum_dim_intlist([0].as_slice(), true, Kind::Double);
        }
        sum
    };
    let mean = (sum(&|rows| rows) / count as f64).to_kind(Kind::Float);
    let squares = sum(&|rows| (rows - &mean).square());
    // A feature that never varies says nothing; it stays 0.
    let scale = ((squares / count as f64).sqrt().to_kind(Kind::Float) + 1e-6).reciprocal();
    (mean, scale)
}

impl Classifier for Linear {
    /// Scores are logits.
    fn classify(&self, train: &Features, test: &Features, classes: usize, pick: &dyn Fn(&Tensor) -> Tensor) -> Tensor {
        match self.l2 {
            L2::Number(l2) => self.fit(l2, train, test, classes, pick),
            L2::Select => self.selecting().classify(train, test, classes, pick),
        }
    }
}

impl Linear {
    fn few_labels(&self) -> FewLabels {
        FewLabels {
            few: self.few,
            draws: self.draws,
        }
    }

    fn selecting(&self) -> Selecting<impl Fn(f64) -> Linear + '_> {
        Selecting::new(|l2| Linear {
            l2: L2::Number(l2),
            ..self.clone()
        })
    }

    /// `pick` of the logits of `test`, after a fit to `train` with the penalty `l2`.
    fn fit(
        &self,
        l2: f64,
        train: &Features,
        test: &Features,
        classes: usize,
        pick: &dyn Fn(&Tensor) -> Tensor,
    ) -> Tensor {
        let Features { values, labels } = train;
        let (rows, width) = (values.size()[0], values.size()[1]);
        let (device, float) = (values.device(), (Kind::Float, values.device()));
        let tiles_of = |rows| tiles(rows, classes.max(width as usize));
        let (mean, scale) = mean_and_scale(train, tiles_of(rows));
        let inputs = Standardised::new(train, (&mean, &scale), tiles_of(rows).count() == 1);

        let classes = classes as i64;
        // The weights `[d, C]`, and behind them the biases `[C]`.
        let parts = |flat: &Tensor| {
            let weights = flat.narrow(0, 0, width * classes).view([width, classes]);
            (weights, flat.narrow(0, width * classes, classes))
        };
        let minus_one = Tensor::full([1, 1], -1.0, float);
        let objective = |point: &Tensor| {
            let (weights, bias) = parts(point);
            let gradient = point.zeros_like();
            let (mut of_weights, mut of_bias) = parts(&gradient);
            let mut loss = Tensor::zeros([] as [i64; 0], (Kind::Double, device));
            for (start, count) in tiles_of(rows) {
                let inputs = inputs.tile((start, count));
                let labels = labels.narrow(0, start, count).unsqueeze(1);
                let mut logits = bias.addmm(&inputs, &weights);
                let normaliser = logits.logsumexp([1].as_slice(), true);
                loss += (&normaliser - logits.gather(1, &labels, false)).sum(Kind::Double);
                // Now the probabilities, and less the true class's 1 the gradient of the logits.
                logits -= normaliser;
                let mut logits = logits.exp_();
                let logits = logits.scatter_add_(1, &labels, &minus_one.expand([count, 1], false));
                of_weights += inputs.tr().matmul(&logits);
                of_bias += logits.sum_dim_intlist([0].as_slice(), false, Kind::Float);
            }
            let decay = weights.square().sum(Kind::Double) * (l2 / 2.0);
            let value = (loss / rows as f64 + decay).double_value(&[]);
            let gradient = gradient / rows as f64;
            let (mut of_weights, _) = parts(&gradient);
            of_weights += weights * l2;
            (value, gradient)
        };
        let start = Tensor::zeros([(width + 1) * classes], float);
        let point = lbfgs::minimise(objective, start, self.max_iter);
        let (weights, bias) = parts(&point);

        let inputs = Standardised::new(test, (&mean, &scale), false);
        let picked = tiles_of(test.values.size()[0]).map(|tile| pick(&bias.addmm(&inputs.tile(tile), &weights)));
        Tensor::cat(&picked.collect::<Vec<_>>(), 0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Score;
    use fmicl_core::testing::unit_rows;
    use tch::Device;

    /// Two classes on either side of a plane that misses the origin.
    fn plane(count: i64, seed: i64) -> Features {
        let values = unit_rows(count, 5, Kind::Float, seed) * 3.0 * 5f64.sqrt() + 1.0;
        let labels = (values.select(1, 0) * 2.0 - values.select(1, 3))
            .gt(4.0)
            .to_kind(Kind::Int64);
        Features { values, labels }
    }

    fn accuracy(options: &Linear, train: Features, test: &Features) -> f64 {
        Score::of(&options.predict(&train, test, 2), &test.labels, 2).accuracy
    }

    #[test]
    fn a_linear_boundary_is_found() {
        let options = Linear {
            l2: L2::Number(1e-5),
            max_iter: 200,
            ..Linear::default()
        };
        let accuracy = accuracy(&options, plane(2000, 1), &plane(1000, 2));
        assert!(accuracy > 0.985, "{accuracy}");
    }

    #[test]
    fn the_probe_sees_no_test_label() {
        let options = Linear {
            l2: L2::Number(1e-3),
            max_iter: 100,
            ..Linear::default()
        };
        let test = plane(500, 2);
        let flipped = Features {
            values: test.values.copy(),
            labels: -&test.labels + 1,
        };
        let (as_is, flipped) = (
            accuracy(&options, plane(500, 1), &test),
            accuracy(&options, plane(500, 1), &flipped),
        );
        assert!((as_is + flipped - 1.0).abs() < 1e-12);
    }

    #[test]
    fn a_constant_feature_does_no_harm() {
        let with_constant = |mut features: Features| {
            let ones = Tensor::ones([features.values.size()[0], 1], (Kind::Float, Device::Cpu)) * 7.0;
            features.values = Tensor::cat(&[&features.values, &ones], 1);
            features
        };
        let options = Linear {
            l2: L2::Number(1e-5),
            max_iter: 200,
            ..Linear::default()
        };
        let accuracy = accuracy(&options, with_constant(plane(2000, 1)), &with_constant(plane(1000, 2)));
        assert!(accuracy > 0.985, "{accuracy}");
    }

    #[test]
    fn the_probe_takes_little_more_than_the_features() {
        // ImageNet and a ResNet-50: 10.2 GiB of features.
        let sizes = Sizes {
            train: 1_281_167,
            test: 50_000,
            classes: 1000,
        };
        let features = 4 * 2048 * (1_281_167 + 50_000);
        let beside = Linear::default().memory(&sizes, 2048);
        assert!(beside < features / 20, "{beside}");
    }

    #[test]
    fn rows_are_standardised_alike_in_one_tile_and_in_many() {
        let train = plane(100, 3);
        let (mean, scale) = mean_and_scale(&train, tiles(100, 5));
        let [one, many] = [true, false].map(|one| {
            let rows = Standardised::new(&train, (&mean, &scale), one);
            Tensor::cat(&[rows.tile((0, 60)), rows.tile((60, 40))], 0)
        });
        assert_eq!(one, many);
    }

    #[test]
    fn it_obeys_the_laws() {
        for l2 in [Linear::default().l2, L2::Select] {
            fmicl_core::testing::check_labelled_evaluation(&Linear {
                l2,
                ..Linear::default()
            });
        }
    }
}
