//! Batches for evaluation.

use super::{OnError, Prefetch, Unreadable};
use fmicl_core::{Result, Samples, View, Views, require};
use std::sync::Arc;

/// A batch for evaluation.
#[derive(Debug)]
pub struct EvaluationBatch {
    /// Which samples.
    pub indices: Vec<usize>,
    /// Their view; nothing where none can be read.
    pub view: Option<View>,
    /// Samples that the batch is short of.
    pub unreadable: Vec<Unreadable>,
}

/// All samples, `batch_size` (at least 1) at a time and the rest at last, in the order that the views
/// [want](Views::order): of the batches those that fall to the process `share.0` of `share.1`, in turns. Made in the
/// background by one thread a core.
///
/// # Errors
/// [`fmicl_core::Error::Config`] at `batch_size`; [`fmicl_core::Error::Run`] where the system refuses a thread. An item is
/// an error where a sample cannot be read and may not be left out; it is the last one.
pub fn evaluation_batches(
    samples: Arc<dyn Samples>,
    views: Arc<dyn Views>,
    batch_size: usize,
    on_error: OnError,
    share: (usize, usize),
) -> Result<Prefetch<EvaluationBatch>> {
    require(batch_size >= 1, "batch_size", || {
        "0 is not a batch size; use at least 1".into()
    })?;
    let order = Arc::new(views.order(&*samples));
    let (rank, size) = share;
    let batches = order.len().div_ceil(batch_size);
    Prefetch::new(0..batches.saturating_sub(rank).div_ceil(size), move |number, stop| {
        let indices: Vec<usize> = order
            .iter()
            .skip((rank + number * size) * batch_size)
            .take(batch_size)
            .copied()
            .collect();
        let read = on_error.read(indices, 1, |indices| views.evaluation(&*samples, indices, stop))?;
        Ok(EvaluationBatch {
            indices: read.indices,
            view: read.made,
            unreadable: read.unreadable,
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ImageViews;
    use crate::datasets::Digits;
    use fmicl_core::{Dataset, Split};
    use tch::Tensor;

    #[test]
    fn batches_come_in_order_with_the_last_partial_one() {
        let samples: Arc<dyn Samples> = Digits {}.open(Split::Test).unwrap().into();
        let views = ImageViews::new("size = 8".parse().unwrap()).unwrap();
        let of = |share| -> Vec<EvaluationBatch> {
            let batches = evaluation_batches(samples.clone(), Arc::new(views.clone()), 100, OnError::Fail, share);
            batches.unwrap().map(Result::unwrap).collect()
        };
        let batches = of((0, 1));
        let sizes: Vec<_> = batches
            .iter()
            .map(|batch| (batch.indices.len(), batch.view.as_ref().unwrap().input.size()))
            .collect();
        let size = |count: i64| (count as usize, vec![count, 3, 8, 8]);
        assert_eq!(sizes, [size(100), size(100), size(100), size(60)]);
        let (indices, view) = (&batches[3].indices, batches[3].view.as_ref().unwrap());
        let mut expected = vec![0.0; views.numel()];
        views.evaluate(&samples.image(359).unwrap(), &mut expected);
        assert!(view.input.get(59).flatten(0, -1).equal(&Tensor::from_slice(&expected)));
        assert_eq!(indices[59], 359);
        let shares = [of((0, 3)), of((1, 3)), of((2, 3))];
        assert_eq!(shares.each_ref().map(Vec::len), [2, 1, 1]);
        assert_eq!(shares[0][1].indices, batches[3].indices);
        assert_eq!(shares[2][0].indices, batches[2].indices);
        assert_eq!(of((4, 5)).len(), 0);
    }

    #[test]
    fn an_empty_batch_is_an_error() {
        let samples: Arc<dyn Samples> = Digits {}.open(Split::Test).unwrap().into();
        let error = evaluation_batches(samples, Arc::new(ImageViews::default()), 0, OnError::Fail, (0, 1))
            .err()
            .unwrap();
        assert_eq!(error.to_string(), "batch_size: 0 is not a batch size; use at least 1");
    }
}
