//! Features of a whole split.

use crate::config::Experiment;
use fmicl_core::tch::{self, Device, Kind, Tensor};
use fmicl_core::{Error, Result, Samples, View};
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

/// From a view in evaluation form, `[N, 3, S, S]`, to features `[N, d]`.
pub(super) type Encode<'a> = dyn Fn(&View) -> Tensor + 'a;

/// The features of every sample in order, without augmentation or gradient.
pub(super) fn features(
    experiment: &Experiment,
    samples: &Arc<dyn Samples>,
    device: Device,
    encode: &Encode,
) -> Result<Features> {
    let _no_grad = tch::no_grad_guard();
    let (mut values, mut labels) = (Vec::new(), Vec::new());
    for batch in fmicl_data::evaluation_batches(samples.clone(), &experiment.views, experiment.eval.batch_size)? {
        let (images, classes) = batch?;
        values.push(encode(&View::from(images.to_device(device))).to_kind(Kind::Float));
        labels.push(classes.to_device(device));
    }
    let values = Tensor::cat(&values, 0);
    require_finite(&values)?;
    Ok(Features {
        values,
        labels: Tensor::cat(&labels, 0),
    })
}
