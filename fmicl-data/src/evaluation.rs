//! Batches for evaluation.

use crate::Views;
use crate::prefetch::Prefetch;
use crate::render::render_all;
use fmicl_core::{Result, Samples, require};
use std::sync::Arc;
use tch::Tensor;

/// All samples in order, `batch_size` (at least 1) at a time and the rest at last: images `[N, 3, size, size]`,
/// normalised floats, and labels `[N]`, whole numbers. Made in the background by one thread a core.
///
/// # Errors
/// [`fmicl_core::Error::Config`] at `batch_size` or a key below `views`; [`fmicl_core::Error::Run`] where the system
/// refuses a thread. An item is an error where a sample cannot be read; it is the last one.
pub fn evaluation_batches(
    samples: Arc<dyn Samples>,
    views: &Views,
    batch_size: usize,
) -> Result<Prefetch<(Tensor, Tensor)>> {
    views.validate().map_err(|error| error.at("views"))?;
    require(batch_size >= 1, "batch_size", || "0 is no batch; at least 1".into())?;
    let views = views.clone();
    Prefetch::new(0..samples.len().div_ceil(batch_size), move |batch, stop| {
        let start = batch * batch_size;
        let indices: Vec<usize> = (start..samples.len().min(start + batch_size)).collect();
        let mut tensors = render_all(&indices, 1, &views, stop, |sample, slots| {
            let image = samples.image(sample)?;
            slots.iter_mut().for_each(|slot| views.evaluate(&image, slot));
            Ok(())
        })?;
        let labels: Vec<i64> = indices.iter().map(|&sample| samples.label(sample) as i64).collect();
        Ok((tensors.remove(0), Tensor::from_slice(&labels)))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::datasets::Digits;
    use fmicl_core::{Dataset, Split};

    #[test]
    fn batches_come_in_order_with_the_last_partial_one() {
        let samples: Arc<dyn Samples> = Digits {}.open(Split::Test).unwrap().into();
        let views = Views {
            size: 8,
            ..Views::default()
        };
        let batches: Vec<_> = evaluation_batches(samples.clone(), &views, 100)
            .unwrap()
            .map(Result::unwrap)
            .collect();
        let sizes: Vec<_> = batches
            .iter()
            .map(|(images, labels)| (images.size(), labels.size()))
            .collect();
        let size = |count: i64| (vec![count, 3, 8, 8], vec![count]);
        assert_eq!(sizes, [size(100), size(100), size(100), size(60)]);
        let (images, labels) = &batches[3];
        let mut expected = vec![0.0; views.numel()];
        views.evaluate(&samples.image(359).unwrap(), &mut expected);
        assert!(images.get(59).flatten(0, -1).equal(&Tensor::from_slice(&expected)));
        assert_eq!(labels.int64_value(&[59]), samples.label(359) as i64);
    }

    #[test]
    fn an_empty_batch_is_an_error() {
        let samples: Arc<dyn Samples> = Digits {}.open(Split::Test).unwrap().into();
        let error = evaluation_batches(samples, &Views::default(), 0).err().unwrap();
        assert_eq!(error.to_string(), "batch_size: 0 is no batch; at least 1");
    }
}
