//! Batches of views for pre-training.

mod evaluation;
mod order;
mod prefetch;
mod unreadable;

pub use evaluation::{EvaluationBatch, evaluation_batches};
pub use prefetch::Prefetch;
pub use unreadable::{OnError, Unreadable};

use fmicl_core::{Draw, Error, Result, Samples, View, Views, require};
use order::Order;
use std::ops::Range;
use std::sync::Arc;

/// Makes the batches of an epoch in the background.
///
/// The order of samples is a pure function of seed and epoch, and a view is one of seed, epoch, sample and view, so
/// batches do not depend on the number of threads, and an epoch can be entered at any batch. Labels are never read.
pub struct Loader {
    samples: Arc<dyn Samples>,
    views: Arc<dyn Views>,
    n_views: usize,
    batch_size: usize,
    /// The rows of a batch that are made here.
    own: Range<usize>,
    seed: u64,
    order: Order,
    on_error: OnError,
    pool: Arc<rayon::ThreadPool>,
}

/// A batch of `N` samples.
#[derive(Debug)]
pub struct Batch {
    /// Which samples, `N` indices in the dataset.
    pub indices: Vec<usize>,
    /// Samples of the global batch, of which this is a part.
    pub of_all: Vec<usize>,
    /// The views; row `i` of each is of the sample `indices[i]`.
    pub views: Vec<View>,
    /// Samples that the batch is short of.
    pub unreadable: Vec<Unreadable>,
}

impl Loader {
    /// A loader of `n_views` views (at least 1) of `batch_size` samples (at least 2), made by `threads` threads; 0 is
    /// one a core.
    ///
    /// # Errors
    /// [`Error::Config`] at `batch_size` or `n_views`.
    pub fn new(
        samples: Arc<dyn Samples>,
        views: Arc<dyn Views>,
        n_views: usize,
        batch_size: usize,
        seed: u64,
        threads: usize,
    ) -> Result<Self> {
        require(n_views >= 1, "n_views", || {
            "0 views are not a batch; use at least 1".into()
        })?;
        require(batch_size >= 2, "batch_size", || {
            format!("{batch_size} has no negative pairs; at least 2 are needed")
        })?;
        require(batch_size <= samples.len(), "batch_size", || {
            format!(
                "{batch_size} is more than the dataset's {} samples; take at most that many",
                samples.len()
            )
        })?;
        let order = Order::all(seed, samples.len());
        let pool = rayon::ThreadPoolBuilder::new()
            .num_threads(threads)
            .thread_name(|i| format!("fmicl-loader-{i}"));
        let pool = pool
            .build()
            .map_err(|error| Error::Run(format!("cannot start {threads} loader threads: {error}")))?;
        Ok(Loader {
            samples,
            views,
            n_views,
            batch_size,
            own: 0..batch_size,
            seed,
            order,
            on_error: OnError::Fail,
            pool: Arc::new(pool),
        })
    }

    /// The same, with something else done about samples that cannot be read. Batches are then short of them, and at least
    /// two samples are left in each.
    pub fn on_error(self, on_error: OnError) -> Self {
        Loader { on_error, ..self }
    }

    /// The same with samples drawn by their [weights](Samples::weight): each at most once an epoch, which is so much shorter.
    ///
    /// # Errors
    /// [`Error::Config`] at `batch_size` where an epoch has fewer samples; samples of which none may be drawn.
    pub fn by_weight(self) -> Result<Self> {
        let order = Order::by_weight(self.seed, &*self.samples)?;
        let (batch_size, drawn, all) = (self.batch_size, order.len(), self.samples.len());
        require(batch_size <= drawn, "batch_size", || {
            format!(
                "{batch_size} is more than the {drawn} of {all} samples that an epoch draws by their weights, which count in relation to the largest; take at most that many, or less uneven weights"
            )
        })?;
        Ok(Loader { order, ..self })
    }

    /// The part of the process `rank` of `size`: the same number of rows of every batch for each, in the order of ranks.
    ///
    /// # Errors
    /// [`Error::Config`] at `batch_size` where it is not a multiple of `size`, with two samples for each, and at `on_error`
    /// where parts would not be of one size.
    pub fn share(self, rank: usize, size: usize) -> Result<Self> {
        let (batch_size, rows) = (self.batch_size, self.batch_size / size);
        require(size == 1 || (batch_size % size == 0 && rows >= 2), "batch_size", || {
            format!(
                "{batch_size} cannot be shared by {size} processes: take a multiple of {size}, at least {}",
                2 * size
            )
        })?;
        require(size == 1 || self.on_error == OnError::Fail, "on_error", || {
            format!(
                "with \"skip\" the {size} processes would have batches of different sizes; use \"fail\", or one process"
            )
        })?;
        Ok(Loader {
            own: rank * rows..(rank + 1) * rows,
            ..self
        })
    }

    /// The number of batches in an epoch; samples that do not fill one are left out until the next shuffle.
    pub fn batches(&self) -> usize {
        self.order.len() / self.batch_size
    }

    /// The batches of `epoch` from number `start_batch` on.
    ///
    /// # Errors
    /// [`Error::Run`] where the system refuses a thread. An item is an error, with the path, where a sample cannot be
    /// read; it is the last one.
    pub fn epoch(&self, epoch: u64, start_batch: usize) -> Result<Prefetch<Batch>> {
        let mut order = self.order.clone();
        self.make(start_batch..self.batches(), move |index| {
            (epoch, order.of(epoch), index)
        })
    }

    /// The first `batches` batches, at most [`batches`](Loader::batches), of each of `epochs`, one epoch after the other, but
    /// for the first `skip` of all. While the last of an epoch are used, the first of the next are made.
    ///
    /// # Errors
    /// As [`epoch`](Loader::epoch).
    pub fn epochs(&self, epochs: Range<u64>, batches: usize, skip: usize) -> Result<Prefetch<Batch>> {
        let mut order = self.order.clone();
        let count = (epochs.end - epochs.start) as usize * batches;
        self.make(skip..count, move |index| {
            let epoch = epochs.start + (index / batches) as u64;
            (epoch, order.of(epoch), index % batches)
        })
    }

    /// The batches that `which` finds for the numbers of `range`: an epoch, its order, and the batch's number in it.
    fn make(
        &self,
        range: Range<usize>,
        mut which: impl FnMut(usize) -> (u64, Arc<Vec<usize>>, usize) + Clone + Send + 'static,
    ) -> Result<Prefetch<Batch>> {
        let (samples, views, pool) = (self.samples.clone(), self.views.clone(), self.pool.clone());
        let (n_views, batch_size, seed, on_error) = (self.n_views, self.batch_size, self.seed, self.on_error);
        let own = self.own.clone();
        Prefetch::new(range, move |index, stop| {
            let (epoch, order, batch) = which(index);
            let of_all = order[batch * batch_size..][..batch_size].to_vec();
            let indices = of_all[own.clone()].to_vec();
            let make = |indices: &[usize]| {
                let draw = Draw {
                    indices,
                    views: n_views,
                    seed,
                    epoch,
                };
                pool.install(|| views.random(&*samples, &draw, stop))
            };
            let read = on_error.read(indices, 2, make)?;
            match (read.made, read.unreadable) {
                (Some(views), unreadable) => Ok(Batch {
                    // A batch that is short of samples is that of one process.
                    of_all: if unreadable.is_empty() {
                        of_all
                    } else {
                        read.indices.clone()
                    },
                    indices: read.indices,
                    views,
                    unreadable,
                }),
                (None, unreadable) => Err(Error::Run(format!(
                    "of the {batch_size} samples of a batch fewer than 2 can be read; {}",
                    unreadable.first().map_or("", |first| &first.error)
                ))),
            }
        })
    }
}

#[cfg(test)]
mod tests;
