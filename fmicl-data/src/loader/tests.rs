//! Batches of images that are told apart by their colour.

use super::*;
use crate::{ImageViews, ViewKey};
use fmicl_core::Image;
use fmicl_core::toml::Table;
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
    ImageViews::new(Table::from_iter([("size".to_string(), 8.into())])).unwrap()
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
            views()
                .render(&samples.image(sample).unwrap(), key, &mut expected)
                .unwrap();
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
    assert_eq!(error(0, 4), "n_views: 0 views are not a batch; use at least 1");
}

/// Of ten images the first five count twice as much.
struct Weighted(Unlabelled);

impl Samples for Weighted {
    fn len(&self) -> usize {
        self.0.len()
    }

    fn image(&self, index: usize) -> Result<Image> {
        self.0.image(index)
    }

    fn weight(&self, index: usize) -> f64 {
        if index < 5 { 2.0 } else { 1.0 }
    }
}

#[test]
fn an_epoch_by_weight_draws_each_sample_at_most_once_and_is_entered_anywhere() {
    let weighted = || {
        let samples = Weighted(Unlabelled {
            len: 10,
            broken: None,
            reads: AtomicUsize::new(0),
        });
        Arc::new(samples)
    };
    let of = |batch_size| Loader::new(weighted(), Arc::new(views()), 2, batch_size, 42, 1).unwrap();
    let loader = of(2).by_weight().unwrap();
    // 15 / 2 samples, of which 6 fill batches.
    assert_eq!((loader.batches(), of(2).batches()), (3, 5));
    for epoch in 0..20 {
        let indices = |batches: Vec<Batch>| batches.into_iter().flat_map(|batch| batch.indices).collect::<Vec<_>>();
        let whole = indices(all(&loader, epoch, 0));
        assert_eq!(indices(all(&loader, epoch, 1)), whole[2..]);
        let mut samples = whole.clone();
        samples.sort_unstable();
        samples.dedup();
        assert_eq!(samples.len(), 6, "epoch {epoch}: {whole:?}");
    }
    let error = of(8).by_weight().map(|_| ()).unwrap_err().to_string();
    assert!(
        error.contains(
            "8 is more than the 7 of 10 samples that an epoch draws by their weights, which count in relation to the largest; take at most"
        ),
        "{error}"
    );
}

/// Images of which none may be drawn.
struct Weightless;

impl Samples for Weightless {
    fn len(&self) -> usize {
        4
    }

    fn weight(&self, _index: usize) -> f64 {
        0.0
    }
}

#[test]
fn samples_whose_weights_are_all_0_are_refused() {
    let loader = Loader::new(Arc::new(Weightless), Arc::new(views()), 2, 2, 42, 1).unwrap();
    let error = loader.by_weight().map(|_| ()).unwrap_err().to_string();
    assert!(
        error.contains("the weights of all 4 samples are 0, so that none would be drawn"),
        "{error}"
    );
}
