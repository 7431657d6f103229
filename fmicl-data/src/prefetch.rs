//! Items made on a background thread, a few ahead of their use.

use fmicl_core::{Error, Result};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, sync_channel};
use std::thread::JoinHandle;

/// Finished items that wait; one more is in the making.
const AHEAD: usize = 2;

/// An iterator whose items are made in the background; it ends after its first error. Dropping it stops the work.
#[derive(Debug)]
pub struct Prefetch<T> {
    /// `None` once it has ended.
    items: Option<Receiver<Result<T>>>,
    worker: Option<JoinHandle<()>>,
    stop: Stop,
}

/// Asks the maker of an item to give up: nobody waits for it any more.
#[derive(Debug, Clone, Default)]
pub(crate) struct Stop(Arc<AtomicBool>);

impl Stop {
    pub(crate) fn is_set(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}

impl<T: Send + 'static> Prefetch<T> {
    /// Makes the items of `range` in order. What `make` returns once stop is set does not matter.
    ///
    /// # Errors
    /// [`Error::Run`] where the system refuses a thread.
    pub(crate) fn new<F>(range: std::ops::Range<usize>, make: F) -> Result<Self>
    where
        F: Fn(usize, &Stop) -> Result<T> + Send + 'static,
    {
        let (sender, receiver) = sync_channel(AHEAD);
        let stop = Stop::default();
        let stopped = stop.clone();
        let work = move || {
            for index in range {
                let item = make(index, &stopped);
                let failed = item.is_err();
                if stopped.is_set() || sender.send(item).is_err() || failed {
                    return;
                }
            }
        };
        let worker = std::thread::Builder::new().name("fmicl-loader".into()).spawn(work);
        let worker = worker.map_err(|error| Error::Run(format!("cannot start a loader thread: {error}")))?;
        Ok(Prefetch {
            items: Some(receiver),
            worker: Some(worker),
            stop,
        })
    }
}

impl<T> Iterator for Prefetch<T> {
    type Item = Result<T>;

    fn next(&mut self) -> Option<Result<T>> {
        let item = self.items.as_ref()?.recv();
        if !matches!(item, Ok(Ok(_))) {
            self.items = None;
        }
        match item {
            Ok(item) => Some(item),
            Err(_) => match self.worker.take()?.join() {
                Ok(()) => None,
                Err(_) => Some(Err(Error::Run(
                    "the loader's thread panicked: this is a fault in a dataset".into(),
                ))),
            },
        }
    }
}

impl<T> Drop for Prefetch<T> {
    fn drop(&mut self) {
        self.stop.0.store(true, Ordering::Relaxed);
        // The worker may wait for room: without a receiver its send fails.
        self.items = None;
        if let Some(worker) = self.worker.take() {
            let _ = worker.join();
        }
    }
}
