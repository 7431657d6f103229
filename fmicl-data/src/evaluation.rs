//! Batches for evaluation.

use crate::prefetch::Prefetch;
use fmicl_core::{Result, Samples, View, Views, require};
use std::sync::Arc;

/// All samples, `batch_size` (at least 1) at a time and the rest at last, in the order that the views
/// [want](Views::order): their indices and their view. Made in the background by one thread a core.
///
/// # Errors
/// [`fmicl_core::Error::Config`] at `batch_size`; [`fmicl_core::Error::Run`] where the system refuses a thread. An item is
/// an error where a sample cannot be read; it is the last one.
pub fn evaluation_batches(
    samples: Arc<dyn Samples>,
    views: Arc<dyn Views>,
    batch_size: usize,
) -> Result<Prefetch<(Vec<usize>, View)>> {
    require(batch_size >= 1, "batch_size", || "0 is no batch; at least 1".into())?;
    let order = Arc::new(views.order(&*samples));
    Prefetch::new(0..order.len().div_ceil(batch_size), move |batch, stop| {
        let indices: Vec<usize> = order
            .iter()
            .skip(batch * batch_size)
            .take(batch_size)
            .copied()
            .collect();
        let view = views.evaluation(&*samples, &indices, stop)?;
        Ok((indices, view))
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
        let views = ImageViews {
            size: 8,
            ..ImageViews::default()
        };
        let batches: Vec<_> = evaluation_batches(samples.clone(), Arc::new(views.clone()), 100)
            .unwrap()
            .map(Result::unwrap)
            .collect();
        let sizes: Vec<_> = batches
            .iter()
            .map(|(indices, view)| (indices.len(), view.input.size()))
            .collect();
        let size = |count: i64| (count as usize, vec![count, 3, 8, 8]);
        assert_eq!(sizes, [size(100), size(100), size(100), size(60)]);
        let (indices, view) = &batches[3];
        let mut expected = vec![0.0; views.numel()];
        views.evaluate(&samples.image(359).unwrap(), &mut expected);
        assert!(view.input.get(59).flatten(0, -1).equal(&Tensor::from_slice(&expected)));
        assert_eq!(indices[59], 359);
    }

    #[test]
    fn an_empty_batch_is_an_error() {
        let samples: Arc<dyn Samples> = Digits {}.open(Split::Test).unwrap().into();
        let error = evaluation_batches(samples, Arc::new(ImageViews::default()), 0)
            .err()
            .unwrap();
        assert_eq!(error.to_string(), "batch_size: 0 is no batch; at least 1");
    }
}
