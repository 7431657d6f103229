//! Batches of views for pre-training.

use crate::Rng;
use crate::prefetch::Prefetch;
use crate::unreadable::{OnError, Unreadable};
use fmicl_core::{Draw, Error, Result, Samples, View, Views, require};
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
    on_error: OnError,
    pool: Arc<rayon::ThreadPool>,
}

/// A batch of `N` samples.
#[derive(Debug)]
pub struct Batch {
    /// Which samples, `N` indices in the dataset.
    pub indices: Vec<usize>,
    /// Those of the batch of all processes, of which this is a part.
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
        require(n_views >= 1, "n_views", || "0 views are no batch; at least 1".into())?;
        require(batch_size >= 2, "batch_size", || {
            format!("{batch_size} has no negative pairs; at least 2 are needed")
        })?;
        require(batch_size <= samples.len(), "batch_size", || {
            format!(
                "{batch_size} is more than the dataset's {} samples; take at most that many",
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
            views,
            n_views,
            batch_size,
            own: 0..batch_size,
            seed,
            on_error: OnError::Fail,
            pool: Arc::new(pool),
        })
    }

    /// The same, with something else done about samples that cannot be read. Batches are then short of them, and at least
    /// two samples are left in each.
    pub fn on_error(self, on_error: OnError) -> Self {
        Loader { on_error, ..self }
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
        self.samples.len() / self.batch_size
    }

    /// The batches of `epoch` from number `start_batch` on.
    ///
    /// # Errors
    /// [`Error::Run`] where the system refuses a thread. An item is an error, with the path, where a sample cannot be
    /// read; it is the last one.
    pub fn epoch(&self, epoch: u64, start_batch: usize) -> Result<Prefetch<Batch>> {
        let mut order = self.order();
        self.make(start_batch..self.batches(), move |index| (epoch, order(epoch), index))
    }

    /// The first `batches` batches, at most [`batches`](Loader::batches), of each of `epochs`, one epoch after the other, but
    /// for the first `skip` of all. While the last of an epoch are used, the first of the next are made.
    ///
    /// # Errors
    /// As [`epoch`](Loader::epoch).
    pub fn epochs(&self, epochs: Range<u64>, batches: usize, skip: usize) -> Result<Prefetch<Batch>> {
        let mut order = self.order();
        let count = (epochs.end - epochs.start) as usize * batches;
        self.make(skip..count, move |index| {
            let epoch = epochs.start + (index / batches) as u64;
            (epoch, order(epoch), index % batches)
        })
    }

    /// The order of an epoch's samples, which it keeps until it is asked for another.
    fn order(&self) -> impl FnMut(u64) -> Arc<Vec<usize>> + Clone + Send + use<> {
        let (seed, len) = (self.seed, self.samples.len());
        let mut last: Option<(u64, Arc<Vec<usize>>)> = None;
        move |epoch| match &last {
            Some((of, order)) if *of == epoch => order.clone(),
            _ => {
                let mut order: Vec<usize> = (0..len).collect();
                Rng::new(&[seed, epoch]).shuffle(&mut order);
                last.insert((epoch, Arc::new(order))).1.clone()
            }
        }
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
mod tests {
    use super::*;
    use crate::{ImageViews, ViewKey};
    use fmicl_core::Image;
    use std::sync::atomic::{AtomicUsize, Ordering};
    use tch::Tensor;

    /// Images of one colour whose labels must not be read; number `broken` cannot be.
    struct Unlabelled {
        len: usize,
        broken: Option<usize>,
        reads: AtomicUsize,
    }

    fn unlabelled(len: usize, broken: Option<usize>) -> Arc<Unlabelled> {
        Arc::new(Unlabelled {
            len,
            broken,
            reads: AtomicUsize::new(0),
        })
    }

    impl Samples for Unlabelled {
        fn len(&self) -> usize {
            self.len
        }

        fn classes(&self) -> usize {
            2
        }

        fn image(&self, index: usize) -> Result<Image> {
            self.reads.fetch_add(1, Ordering::Relaxed);
            match self.broken == Some(index) {
                true => Err(Error::data("photos/7.jpg", "cannot be decoded")),
                false => Ok(Image::new(
                    9,
                    7,
                    (0..9 * 7 * 3).map(|i| (i * 3 + index) as u8).collect(),
                )),
            }
        }

        fn label(&self, _index: usize) -> usize {
            panic!("pre-training read a label")
        }
    }

    fn views() -> ImageViews {
        ImageViews {
            size: 8,
            ..ImageViews::default()
        }
    }

    fn loader(samples: Arc<Unlabelled>, batch_size: usize, threads: usize) -> Loader {
        Loader::new(samples, Arc::new(views()), 2, batch_size, 42, threads).unwrap()
    }

    fn all(loader: &Loader, epoch: u64, start: usize) -> Vec<Batch> {
        loader.epoch(epoch, start).unwrap().collect::<Result<_>>().unwrap()
    }

    fn inputs(batch: &Batch) -> impl Iterator<Item = &Tensor> {
        batch.views.iter().map(|view| &view.input)
    }

    fn same(a: &[Batch], b: &[Batch]) -> bool {
        let views = |batches: &[Batch]| Tensor::stack(&batches.iter().flat_map(inputs).collect::<Vec<_>>(), 0);
        a.iter().zip(b).all(|(a, b)| a.indices == b.indices) && views(a).equal(&views(b))
    }

    #[test]
    fn an_epoch_visits_every_sample_once_and_drops_the_rest() {
        let batches = all(&loader(unlabelled(23, None), 4, 2), 0, 0);
        assert_eq!(batches.len(), 5);
        let seen: std::collections::HashSet<_> = batches.iter().flat_map(|batch| &batch.indices).collect();
        assert_eq!(seen.len(), 20);
        assert_eq!(
            (batches[0].views.len(), batches[0].views[0].input.size()),
            (2, vec![4, 3, 8, 8])
        );
    }

    #[test]
    fn batches_do_not_depend_on_the_number_of_threads() {
        let run = |threads| all(&loader(unlabelled(40, None), 8, threads), 3, 0);
        let one = run(1);
        assert!(same(&one, &run(2)) && same(&one, &run(7)));
    }

    #[test]
    fn an_epoch_is_entered_at_any_batch() {
        let loader = loader(unlabelled(40, None), 8, 2);
        assert!(same(&all(&loader, 1, 0)[3..], &all(&loader, 1, 3)));
        assert_eq!(all(&loader, 1, 5).len(), 0);
    }

    #[test]
    fn processes_share_every_batch_without_overlap() {
        let whole = all(&loader(unlabelled(23, None), 4, 2), 1, 0);
        let parts = [0, 1].map(|rank| all(&loader(unlabelled(23, None), 4, 2).share(rank, 2).unwrap(), 1, 0));
        assert_eq!((parts[0].len(), parts[1].len()), (whole.len(), whole.len()));
        for (index, batch) in whole.iter().enumerate() {
            let [first, second] = [&parts[0][index], &parts[1][index]];
            assert_eq!([&first.indices[..], &second.indices[..]].concat(), batch.indices);
            assert_eq!((&first.of_all, &second.of_all), (&batch.indices, &batch.indices));
            for ((first, second), whole) in inputs(first).zip(inputs(second)).zip(inputs(batch)) {
                assert!(Tensor::cat(&[first, second], 0).equal(whole));
            }
        }
        let error = |loader: Loader, size| loader.share(0, size).err().unwrap().to_string();
        let of = |batch_size| loader(unlabelled(23, None), batch_size, 1);
        let message = "batch_size: 4 cannot be shared by 3 processes: take a multiple of 3, at least 6";
        assert_eq!(error(of(4), 3), message);
        let message = "batch_size: 4 cannot be shared by 4 processes: take a multiple of 4, at least 8";
        assert_eq!(error(of(4), 4), message);
        let message = error(of(4).on_error(OnError::Skip), 2);
        assert!(
            message.starts_with("on_error: with \"skip\" the 2 processes"),
            "{message}"
        );
    }

    #[test]
    fn epochs_in_a_row_are_the_epochs_one_by_one() {
        let loader = loader(unlabelled(40, None), 8, 2);
        let row: Vec<Batch> = loader.epochs(3..6, 4, 0).unwrap().collect::<Result<_>>().unwrap();
        let later: Vec<Batch> = loader.epochs(3..6, 4, 3).unwrap().collect::<Result<_>>().unwrap();
        assert!(later.len() == 9 && same(&later, &row[3..]));
        assert_eq!(row.len(), 12);
        for (epoch, batches) in (3..6).zip(row.chunks_exact(4)) {
            assert!(same(batches, &all(&loader, epoch, 0)[..4]), "epoch {epoch}");
        }
    }

    #[test]
    fn epochs_and_views_differ() {
        let loader = loader(unlabelled(40, None), 8, 2);
        let (first, second) = (all(&loader, 0, 0), all(&loader, 1, 0));
        assert_ne!(first[0].indices, second[0].indices);
        assert!(!first[0].views[0].input.equal(&first[0].views[1].input));
    }

    #[test]
    fn rows_belong_to_their_indices() {
        let samples = unlabelled(12, None);
        let batch = all(&loader(samples.clone(), 6, 3), 2, 0).remove(1);
        for (row, &sample) in batch.indices.iter().enumerate() {
            for view in 0..2 {
                let mut expected = vec![0.0; views().numel()];
                let key = ViewKey {
                    seed: 42,
                    epoch: 2,
                    sample: sample as u64,
                    view: view as u64,
                };
                views().render(&samples.image(sample).unwrap(), key, &mut expected);
                assert!(
                    batch.views[view]
                        .input
                        .get(row as i64)
                        .flatten(0, -1)
                        .equal(&Tensor::from_slice(&expected))
                );
            }
        }
    }

    #[test]
    fn a_broken_sample_is_the_last_item_with_its_path() {
        let items: Vec<_> = loader(unlabelled(16, Some(3)), 4, 2).epoch(0, 0).unwrap().collect();
        let (last, before) = items.split_last().unwrap();
        assert_eq!(
            last.as_ref().unwrap_err().to_string(),
            "photos/7.jpg: cannot be decoded"
        );
        assert!(before.iter().all(Result::is_ok));
    }

    #[test]
    fn a_broken_sample_is_left_out_where_it_may_be() {
        let good = all(&loader(unlabelled(16, None), 4, 2), 0, 0);
        let skipping = loader(unlabelled(16, Some(3)), 4, 2).on_error(OnError::Skip);
        let mut short = 0;
        for (batch, good) in all(&skipping, 0, 0).iter().zip(&good) {
            let there = |sample: &&usize| **sample != 3;
            assert!(batch.indices.iter().eq(good.indices.iter().filter(there)));
            let rows: Vec<i64> = (0..4).filter(|row| good.indices[*row as usize] != 3).collect();
            for (view, good) in inputs(batch).zip(inputs(good)) {
                assert!(view.equal(&good.index_select(0, &Tensor::from_slice(&rows))));
            }
            short += batch.unreadable.len();
            for left_out in &batch.unreadable {
                assert_eq!(
                    (left_out.sample, &*left_out.error),
                    (3, "photos/7.jpg: cannot be decoded")
                );
            }
        }
        assert_eq!(short, 1);
        let pairs = loader(unlabelled(4, Some(3)), 2, 1).on_error(OnError::Skip);
        let error = pairs.epoch(0, 0).unwrap().find_map(Result::err).unwrap().to_string();
        let expected = "of the 2 samples of a batch fewer than 2 can be read; photos/7.jpg: cannot be decoded";
        assert_eq!(error, expected);
    }

    #[test]
    fn dropping_an_epoch_stops_the_work() {
        let samples = unlabelled(10_000, None);
        let loader = loader(samples.clone(), 10, 2);
        let mut epoch = loader.epoch(0, 0).unwrap();
        epoch.next().unwrap().unwrap();
        drop(epoch);
        // One taken, two waiting, two blocked or begun.
        let reads = samples.reads.load(Ordering::Relaxed);
        assert!(reads <= 50, "{reads} samples were read for one batch of 10");
        std::thread::sleep(std::time::Duration::from_millis(20));
        assert_eq!(samples.reads.load(Ordering::Relaxed), reads);
    }

    #[test]
    fn what_cannot_work_is_an_error_at_once() {
        let error = |n_views, batch_size| {
            Loader::new(unlabelled(10, None), Arc::new(views()), n_views, batch_size, 0, 1)
                .err()
                .unwrap()
                .to_string()
        };
        let large = "batch_size: 11 is more than the dataset's 10 samples; take at most that many";
        assert_eq!(error(2, 11), large);
        assert_eq!(
            error(2, 1),
            "batch_size: 1 has no negative pairs; at least 2 are needed"
        );
        assert_eq!(error(0, 4), "n_views: 0 views are no batch; at least 1");
    }
}
