//! Squared distances of the pairs of a run's batches.

use fmicl_core::tch::{self, Device, Kind, Tensor};
use fmicl_core::{Error, Learner, Result, Samples, View, WithoutTf32};
use fmicl_runner::config::Experiment;
use fmicl_runner::run::{Model, Restored};
use fmicl_runner::{eval, train, with_a_way_out};
use std::sync::Arc;

/// Squared distances of pairs of projections, from 0 to 4.
#[derive(Debug, Default)]
pub struct Distances {
    /// Of the two views of a sample.
    pub positives: Vec<f64>,
    /// Of two samples, both in their first view.
    pub negatives: Vec<f64>,
}

/// Squared distances of the pairs of a run's batches.
#[derive(Debug)]
pub struct Pairs {
    /// The first batch, as the trained encoder sees it.
    pub trained: Distances,
    /// The same batch, as the encoder saw it before training.
    pub untrained: Distances,
    /// Name of that encoder.
    pub before: &'static str,
    /// All batches, as the trained encoder sees them.
    pub all: Distances,
    /// How the projections were made, to be added to a sentence.
    pub how: &'static str,
}

impl Pairs {
    /// The pairs of at least `count` samples, whole batches, but at most of all of them. Views are those that the run would
    /// draw in the epoch after its last.
    ///
    /// # Errors
    /// Fewer samples than a batch has, an architecture without positive pairs, a sample that cannot be read, projections
    /// that are not finite.
    pub fn of(it: &mut Restored, samples: Arc<dyn Samples>, count: usize) -> Result<Self> {
        let _no_grad = tch::no_grad_guard();
        let _exact = WithoutTf32::new();
        let experiment = &it.experiment;
        let (views, batch_size) = (it.model.learner.views(), experiment.train.batch_size);
        if views < 2 {
            return Err(Error::Run(format!(
                "the architecture `{}` takes one view of a sample, so there are no positive pairs",
                experiment.architecture.name()
            )));
        }
        if samples.len() < batch_size {
            return Err(Error::Run(format!(
                "the dataset has {} samples, fewer than a batch of the run, {batch_size}",
                samples.len()
            )));
        }
        let located = |error| experiment.locate(error);
        let (mut untrained, before) = eval::before_training(experiment, it.device)?;
        let (loader, _) = train::open_loader(experiment, samples, views).map_err(located)?;
        let batches = loader.epoch(experiment.train.epochs as u64, 0)?;
        let mut pairs = Pairs {
            trained: Distances::default(),
            untrained: Distances::default(),
            before,
            all: Distances::default(),
            how: "",
        };
        let mut unreadable = 0;
        for (number, batch) in batches.take(count.div_ceil(batch_size)).enumerate() {
            let batch = batch.map_err(with_a_way_out)?;
            unreadable += batch.unreadable.len();
            let views: Vec<View> = batch.views.iter().map(|view| view.to_device(it.device)).collect();
            // Sentences, whose views differ by the encoder's dropout alone.
            let are_same = views[0].input.equal(&views[1].input);
            let distances = |model: &mut Model| match are_same {
                true => with_dropout(&mut *model.learner, &views, experiment),
                false => Distances::between(&model.learner.project(&views[0]), &model.learner.project(&views[1])),
            };
            let of_batch = distances(&mut it.model)?;
            if number == 0 {
                pairs.untrained = distances(&mut untrained)?;
                pairs.how = if are_same {
                    ", in training mode: views differ by dropout alone"
                } else {
                    ""
                };
            }
            pairs.all.positives.extend(&of_batch.positives);
            pairs.all.negatives.extend(&of_batch.negatives);
            if number == 0 {
                pairs.trained = of_batch;
            }
        }
        if unreadable > 0 {
            tracing::warn!("{unreadable} samples cannot be read and are left out");
        }
        Ok(pairs)
    }
}

/// Distances in training mode, with the dropout of one seed.
fn with_dropout(learner: &mut dyn Learner, views: &[View], experiment: &Experiment) -> Result<Distances> {
    tch::manual_seed(experiment.seed as i64);
    let pairings = learner.pairings(views);
    let Some(pairing) = pairings.first() else {
        return Err(Error::Run("the architecture gives no pairing".into()));
    };
    Distances::between(&pairing.anchors, &pairing.positives)
}

impl Distances {
    /// The distances of the projections of two views, `[N, d]` each, of unit length.
    fn between(first: &Tensor, second: &Tensor) -> Result<Self> {
        let [x, y] = [first, second].map(|rows| rows.to_device(Device::Cpu).to_kind(Kind::Double));
        eval::require_finite(&x)?;
        eval::require_finite(&y)?;
        let positives = (&x - &y).square().sum_dim_intlist([1].as_slice(), false, Kind::Double);
        let cosines = x.matmul(&x.tr());
        let samples = x.size()[0];
        let above = Tensor::ones([samples, samples], (Kind::Bool, Device::Cpu)).triu(1);
        let negatives = (cosines.masked_select(&above) * -2.0 + 2.0).clamp(0.0, 4.0);
        Ok(Distances {
            positives: Vec::try_from(positives)?,
            negatives: Vec::try_from(negatives)?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn positive_pairs_are_of_two_views_and_negative_ones_of_the_first() {
        let first = Tensor::from_slice2(&[[1.0, 0.0], [0.0, 1.0], [-1.0, 0.0]]);
        let second = Tensor::from_slice2(&[[1.0, 0.0], [1.0, 0.0], [0.6, 0.8]]);
        let distances = Distances::between(&first, &second).unwrap();
        let rounded = |values: &[f64]| {
            values
                .iter()
                .map(|value| (value * 1e9).round() / 1e9)
                .collect::<Vec<_>>()
        };
        assert_eq!(rounded(&distances.positives), [0.0, 2.0, 3.2]);
        assert_eq!(rounded(&distances.negatives), [2.0, 4.0, 2.0]);
    }

    #[test]
    fn projections_that_are_not_finite_are_refused() {
        let rows = Tensor::from_slice2(&[[1.0, 0.0], [f64::NAN, 1.0]]);
        let error = Distances::between(&rows, &rows).unwrap_err().to_string();
        assert!(error.contains("not finite"), "{error}");
    }
}
