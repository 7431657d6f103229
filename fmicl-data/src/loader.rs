//! Batches of views for pre-training.

use crate::prefetch::{Prefetch, Stop};
use crate::{Rng, ViewKey, Views};
use fmicl_core::{Error, Result, Samples, require};
use rayon::prelude::*;
use std::sync::Arc;
use tch::{Device, Kind, Tensor};

/// Makes the batches of an epoch in the background.
///
/// The order of samples is a pure function of seed and epoch, and a view is one of seed, epoch, sample and view, so
/// batches do not depend on the number of threads, and an epoch can be entered at any batch. Labels are never read.
pub struct Loader {
    samples: Arc<dyn Samples>,
    views: Arc<Views>,
    n_views: usize,
    batch_size: usize,
    seed: u64,
    pool: Arc<rayon::ThreadPool>,
}

/// A batch of `N` samples.
#[derive(Debug)]
pub struct Batch {
    /// Which samples, `N` indices in the dataset.
    pub indices: Vec<usize>,
    /// For each view, `[N, 3, size, size]`, normalised floats; row `i` of each is of the sample `indices[i]`.
    pub views: Vec<Tensor>,
}

impl Loader {
    /// A loader of `n_views` views (at least 1) of `batch_size` samples (at least 2), made by `threads` threads; 0 is
    /// one a core.
    ///
    /// # Errors
    /// [`Error::Config`] at `batch_size`, `n_views` or a key below `views`.
    pub fn new(
        samples: Arc<dyn Samples>,
        views: Views,
        n_views: usize,
        batch_size: usize,
        seed: u64,
        threads: usize,
    ) -> Result<Self> {
        views.validate().map_err(|error| error.at("views"))?;
        require(n_views >= 1, "n_views", || "0 views are no batch; at least 1".into())?;
        require(batch_size >= 2, "batch_size", || {
            format!("{batch_size} has no negative pairs; at least 2 are needed")
        })?;
        require(batch_size <= samples.len(), "batch_size", || {
            format!(
                "{batch_size} is more than the dataset's {} images; take at most that many",
                samples.len()
            )
        })?;
        let pool = rayon::ThreadPoolBuilder::new()
            .num_threads(threads)
            .thread_name(|i| format!("fmicl-loader-{i}"));
        let pool = pool
            .build()
            .map_err(|error| Error::Run(format!("cannot start {threads} loader threads: {error}")))?;
        Ok(Loader {
            samples,
            views: Arc::new(views),
            n_views,
            batch_size,
            seed,
            pool: Arc::new(pool),
        })
    }

    /// The number of batches in an epoch; samples that do not fill one are left out until the next shuffle.
    pub fn batches(&self) -> usize {
        self.samples.len() / self.batch_size
    }

    /// The batches of `epoch` from number `start_batch` on.
    ///
    /// # Errors
    /// [`Error::Run`] where the system refuses a thread. An item is an error, with the path, where a sample cannot be
    /// read; it is the last one.
    pub fn epoch(&self, epoch: u64, start_batch: usize) -> Result<Prefetch<Batch>> {
        let mut order: Vec<usize> = (0..self.samples.len()).collect();
        Rng::new(&[self.seed, epoch]).shuffle(&mut order);
        let (samples, views, pool) = (self.samples.clone(), self.views.clone(), self.pool.clone());
        let (n_views, batch_size, seed) = (self.n_views, self.batch_size, self.seed);
        Prefetch::new(start_batch..self.batches(), move |batch, stop| {
            let indices = order[batch * batch_size..][..batch_size].to_vec();
            let tensors = pool.install(|| {
                render_all(&indices, n_views, &views, stop, |sample, slots| {
                    let image = samples.image(sample)?;
                    for (view, slot) in slots.iter_mut().enumerate() {
                        let key = ViewKey {
                            seed,
                            epoch,
                            sample: sample as u64,
                            view: view as u64,
                        };
                        views.render(&image, key, slot);
                    }
                    Ok(())
                })
            })?;
            Ok(Batch {
                indices,
                views: tensors,
            })
        })
    }
}

/// Makes `count` tensors `[N, 3, size, size]` on the threads of the current pool. `render` gets a sample's index and
/// where its floats go, one slice a tensor.
pub(crate) fn render_all(
    indices: &[usize],
    count: usize,
    views: &Views,
    stop: &Stop,
    render: impl Fn(usize, &mut [&mut [f32]]) -> Result<()> + Sync,
) -> Result<Vec<Tensor>> {
    let size = views.size as i64;
    let shape = [indices.len() as i64, 3, size, size];
    let mut tensors: Vec<Tensor> = (0..count)
        .map(|_| Tensor::zeros(shape, (Kind::Float, Device::Cpu)))
        .collect();
    let mut slots: Vec<Vec<&mut [f32]>> = indices.iter().map(|_| Vec::with_capacity(count)).collect();
    for tensor in &mut tensors {
        for (slots, slot) in slots.iter_mut().zip(floats(tensor).chunks_exact_mut(views.numel())) {
            slots.push(slot);
        }
    }
    indices
        .par_iter()
        .zip(&mut slots)
        .try_for_each(|(&index, slots)| match stop.is_set() {
            true => Ok(()),
            false => render(index, slots),
        })?;
    Ok(tensors)
}

/// The elements of a contiguous tensor of floats in main memory.
fn floats(tensor: &mut Tensor) -> &mut [f32] {
    assert!(tensor.is_contiguous() && tensor.kind() == Kind::Float && tensor.device() == Device::Cpu);
    // SAFETY: such a tensor is `numel` floats from `data_ptr` on, and the borrow keeps it alive and unshared.
    unsafe { std::slice::from_raw_parts_mut(tensor.data_ptr().cast(), tensor.numel()) }
}
