//! Features of samples.

use crate::config::Experiment;
use fmicl_core::tch::{self, Device, Kind, Tensor};
use fmicl_core::{Error, Processes, Result, Samples, View, Views};
use fmicl_data::OnError;
use std::rc::Rc;
use std::sync::Arc;

/// Features of a split and its labels.
#[derive(Debug)]
pub struct Features {
    /// `[N, d]`, f32.
    pub values: Tensor,
    /// `[N]`, i64, each below the number of classes.
    pub labels: Tensor,
}

impl Features {
    /// The rows at `indices`.
    pub fn select(&self, indices: &Tensor) -> Features {
        Features {
            values: self.values.index_select(0, indices),
            labels: self.labels.index_select(0, indices),
        }
    }
}

/// That features are numbers; those of a run that diverged are not.
pub(crate) fn require_finite(features: &Tensor) -> Result<()> {
    if features.isfinite().all().int64_value(&[]) == 1 {
        return Ok(());
    }
    Err(Error::Run(
        "the encoder's features are not finite: training diverged; try a lower train.lr".into(),
    ))
}

/// From a view in evaluation form to features `[N, d]`.
pub(crate) type Encode<'a> = dyn Fn(&View) -> Tensor + 'a;

/// How samples are read for evaluation: without augmentation, `batch_size` at a time. Several processes deal the batches
/// out among themselves, and each has the features of all.
pub(crate) struct Reader {
    pub views: Arc<dyn Views>,
    pub batch_size: usize,
    pub device: Device,
    /// What is done with labelled samples that cannot be read.
    pub on_error: OnError,
    /// Those that evaluate together.
    pub processes: Rc<dyn Processes>,
}

impl Reader {
    /// As the experiment evaluates.
    pub fn of(experiment: &Experiment, device: Device, processes: &Rc<dyn Processes>) -> Self {
        Reader {
            views: experiment.views.share(),
            batch_size: experiment.eval.batch_size,
            device,
            on_error: experiment.train.on_error,
            processes: processes.clone(),
        }
    }

    /// The features of every sample in order, `[N, d]`, f32, without gradient.
    pub fn encode(&self, samples: &Arc<dyn Samples>, encode: &Encode) -> Result<Tensor> {
        Ok(self.encode_those(samples, encode, OnError::Fail)?.0)
    }

    /// The features in the order of the samples, and the labels; without samples that cannot be read, where they may be
    /// left out.
    pub fn features(&self, samples: &Arc<dyn Samples>, encode: &Encode) -> Result<Features> {
        let (values, indices) = self.encode_those(samples, encode, self.on_error)?;
        let labels: Vec<i64> = indices.into_iter().map(|index| samples.label(index) as i64).collect();
        Ok(Features {
            values,
            labels: Tensor::from_slice(&labels).to_device(self.device),
        })
    }

    /// The features of the samples that can be read, and which those are, in order.
    fn encode_those(
        &self,
        samples: &Arc<dyn Samples>,
        encode: &Encode,
        on_error: OnError,
    ) -> Result<(Tensor, Vec<usize>)> {
        let _no_grad = tch::no_grad_guard();
        let (mut values, mut order, mut left_out) = (Vec::new(), Vec::new(), Vec::new());
        let share = (self.processes.rank(), self.processes.size());
        let (all, views) = (samples.clone(), self.views.clone());
        let batches = fmicl_data::evaluation_batches(all, views, self.batch_size, on_error, share)?;
        for batch in batches {
            let batch = batch?;
            if let Some(view) = batch.view {
                values.push(encode(&view.to_device(self.device)).to_kind(Kind::Float));
            }
            order.extend(batch.indices);
            left_out.extend(batch.unreadable);
        }
        let error = left_out.first().map_or("", |first| &first.error);
        if !left_out.is_empty() && !values.is_empty() {
            let count = left_out.len();
            tracing::warn!("{count} samples cannot be read and are not evaluated, the first: {error}");
        }
        let values = match values.is_empty() {
            true => Tensor::zeros([0, 0], (Kind::Float, self.device)),
            false => Tensor::cat(&values, 0),
        };
        let (values, mut order) = self.gather(values, order, samples.len())?;
        if order.is_empty() {
            return Err(Error::Run(format!(
                "none of the {} samples can be read; {error}",
                samples.len()
            )));
        }
        require_finite(&values)?;
        if order.is_sorted() {
            return Ok((values, order));
        }
        let indices: Vec<_> = order.iter().map(|index| *index as i64).collect();
        let place = Tensor::from_slice(&indices).argsort(0, false).to_device(self.device);
        order.sort_unstable();
        Ok((values.index_select(0, &place), order))
    }

    /// The rows of all processes, of which each has another number, and which of `all` samples they are.
    fn gather(&self, values: Tensor, order: Vec<usize>, all: usize) -> Result<(Tensor, Vec<usize>)> {
        if !self.processes.are_many() {
            return Ok((values, order));
        }
        let (count, width) = values.size2()?;
        let all = all as i64;
        let [most, width, all, fewest] = self.processes.largest([count, width, all, -all])?;
        if all != -fewest {
            return Err(Error::Run(format!(
                "one process has {all} samples to evaluate and another {}: give all the same data",
                -fewest
            )));
        }
        let padded = Tensor::zeros([most, width], (Kind::Float, self.device));
        if count > 0 {
            padded.narrow(0, 0, count).copy_(&values);
        }
        let mut indices: Vec<_> = order.iter().map(|index| *index as i64).collect();
        indices.resize(most as usize, -1);
        let values = self.processes.all_gather(&padded)?.flatten(0, 1);
        let indices = self.processes.all_gather(&Tensor::from_slice(&indices))?.flatten(0, 1);
        let there = indices.ge(0).nonzero().flatten(0, 1);
        let order = Vec::<i64>::try_from(indices.index_select(0, &there))?;
        let values = values.index_select(0, &there.to_device(self.device));
        Ok((values, order.into_iter().map(|index| index as usize).collect()))
    }
}
