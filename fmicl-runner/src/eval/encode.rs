//! Features of samples.

use crate::config::Experiment;
use fmicl_core::tch::{self, Device, Kind, Tensor};
use fmicl_core::{Error, Result, Samples, View, Views};
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

/// How samples are read for evaluation: without augmentation, `batch_size` at a time.
pub(crate) struct Reader {
    pub views: Arc<dyn Views>,
    pub batch_size: usize,
    pub device: Device,
}

impl Reader {
    /// As the experiment evaluates.
    pub fn of(experiment: &Experiment, device: Device) -> Self {
        Reader {
            views: experiment.views.share(),
            batch_size: experiment.eval.batch_size,
            device,
        }
    }

    /// The features of every sample in order, `[N, d]`, f32, without gradient.
    pub fn encode(&self, samples: &Arc<dyn Samples>, encode: &Encode) -> Result<Tensor> {
        let _no_grad = tch::no_grad_guard();
        let (mut values, mut order) = (Vec::new(), Vec::new());
        for batch in fmicl_data::evaluation_batches(samples.clone(), self.views.clone(), self.batch_size)? {
            let (indices, view) = batch?;
            values.push(encode(&view.to_device(self.device)).to_kind(Kind::Float));
            order.extend(indices.into_iter().map(|index| index as i64));
        }
        let values = Tensor::cat(&values, 0);
        require_finite(&values)?;
        if order.is_sorted() {
            return Ok(values);
        }
        let place = Tensor::from_slice(&order).argsort(0, false).to_device(self.device);
        Ok(values.index_select(0, &place))
    }

    /// The features of every sample in order, and the labels.
    pub fn features(&self, samples: &Arc<dyn Samples>, encode: &Encode) -> Result<Features> {
        let labels: Vec<i64> = (0..samples.len()).map(|index| samples.label(index) as i64).collect();
        Ok(Features {
            values: self.encode(samples, encode)?,
            labels: Tensor::from_slice(&labels).to_device(self.device),
        })
    }
}
