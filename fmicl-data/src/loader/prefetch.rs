//! Items made on background threads, a few ahead of their use.

use fmicl_core::{Error, Result, Stop};
use std::sync::mpsc::{Receiver, sync_channel};
use std::thread::JoinHandle;

/// Makers, which take turns: while the last threads of a pool finish one item the others begin the next.
const MAKERS: usize = 2;

/// Finished items of a maker that wait; one more is in the making.
const AHEAD: usize = 1;

/// An iterator whose items are made in the background; it ends after its first error. Dropping it stops the work.
#[derive(Debug)]
pub struct Prefetch<T> {
    /// Empty once it has ended.
    makers: Vec<Maker<T>>,
    /// Items taken so far; the next comes from this maker, modulo their number.
    taken: usize,
    stop: Stop,
}

#[derive(Debug)]
struct Maker<T> {
    items: Receiver<Result<T>>,
    thread: JoinHandle<()>,
}

impl<T: Send + 'static> Prefetch<T> {
    /// Makes the items of `range` in order. What `make` returns once stop is set does not matter; each maker has its own
    /// clone of it.
    ///
    /// # Errors
    /// [`Error::Run`] where the system refuses a thread.
    pub(crate) fn new<F>(range: std::ops::Range<usize>, make: F) -> Result<Self>
    where
        F: FnMut(usize, &Stop) -> Result<T> + Clone + Send + 'static,
    {
        let mut all = Prefetch {
            makers: Vec::with_capacity(MAKERS),
            taken: 0,
            stop: Stop::default(),
        };
        for first in 0..MAKERS {
            let (sender, items) = sync_channel(AHEAD);
            let (mut make, stop) = (make.clone(), all.stop.clone());
            let mine = range.clone().skip(first).step_by(MAKERS);
            let work = move || {
                for index in mine {
                    let item = make(index, &stop);
                    let failed = item.is_err();
                    if stop.is_set() || sender.send(item).is_err() || failed {
                        return;
                    }
                }
            };
            let thread = std::thread::Builder::new().name("fmicl-loader".into()).spawn(work);
            let thread = thread.map_err(|error| Error::Run(format!("cannot start a loader thread: {error}")))?;
            all.makers.push(Maker { items, thread });
        }
        Ok(all)
    }
}

impl<T> Prefetch<T> {
    /// Stops the makers and waits for them; whether one had panicked.
    fn end(&mut self) -> bool {
        self.stop.set();
        let mut panicked = false;
        for Maker { items, thread } in self.makers.drain(..) {
            // It may wait for room: without a receiver its send fails.
            drop(items);
            panicked |= thread.join().is_err();
        }
        panicked
    }
}

impl<T> Iterator for Prefetch<T> {
    type Item = Result<T>;

    fn next(&mut self) -> Option<Result<T>> {
        if self.makers.is_empty() {
            return None;
        }
        match self.makers[self.taken % MAKERS].items.recv() {
            Ok(Ok(item)) => {
                self.taken += 1;
                Some(Ok(item))
            }
            Ok(Err(error)) => {
                self.end();
                Some(Err(error))
            }
            Err(_) => self.end().then(|| {
                Err(Error::Run(
                    "the loader's thread panicked: this is a fault in a dataset".into(),
                ))
            }),
        }
    }
}

impl<T> Drop for Prefetch<T> {
    fn drop(&mut self) {
        self.end();
    }
}
