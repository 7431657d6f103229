//! The folder of a run's checkpoints: which are there, which is read, which are kept, and the thread that writes.

use super::checkpoint::{self, Checkpoint, MODEL, Snapshot, Wanted};
use fmicl_core::{Error, Result, disk};
use std::fs;
use std::path::{Path, PathBuf};
use std::thread::JoinHandle;

/// The folder of a run's checkpoints, `step-0000000120` and so on.
#[derive(Debug, Clone)]
pub struct Checkpoints {
    folder: PathBuf,
}

impl Checkpoints {
    /// The checkpoints in `folder`.
    pub fn new(folder: PathBuf) -> Self {
        Checkpoints { folder }
    }

    /// The folder of the checkpoint after `step` steps.
    fn path(&self, step: u64) -> PathBuf {
        self.folder.join(format!("step-{step:010}"))
    }

    /// Writes one.
    ///
    /// # Errors
    /// The disk's.
    pub fn write(&self, snapshot: Snapshot) -> Result<()> {
        let path = self.path(snapshot.standing.step);
        snapshot.write(&path)
    }

    /// All of them with their steps, the newest last.
    ///
    /// # Errors
    /// A folder that cannot be read.
    pub fn list(&self) -> Result<Vec<(u64, PathBuf)>> {
        let entries = fs::read_dir(&self.folder).map_err(|error| Error::io(&self.folder, error))?;
        let numbered = entries.filter_map(|entry| {
            let path = entry.ok()?.path();
            let step = path.file_name()?.to_str()?.strip_prefix("step-")?.parse().ok()?;
            Some((step, path))
        });
        let mut found: Vec<_> = numbered.collect();
        found.sort();
        Ok(found)
    }

    /// The newest checkpoint that is whole, of those up to step `last`; `None` where there is none at all. One that is
    /// damaged is told to `report`, and the one before is taken.
    ///
    /// # Errors
    /// The newest one's, where all are damaged.
    pub fn newest(&self, last: u64, wanted: Wanted, report: impl Fn(&str)) -> Result<Option<Checkpoint>> {
        let mut first_error = None;
        for (step, path) in self.list()?.into_iter().rev() {
            if step > last {
                continue;
            }
            match Checkpoint::read(&path, wanted) {
                Ok(checkpoint) => return Ok(Some(checkpoint)),
                Err(error) => {
                    report(&format!("{error}; trying the checkpoint before it"));
                    first_error.get_or_insert(error);
                }
            }
        }
        first_error.map_or(Ok(None), Err)
    }

    /// Deletes all but the last `keep` and the one with the highest score.
    fn prune(&self, keep: usize) -> Result<()> {
        let all = self.list()?;
        let score = |path: &Path| Checkpoint::standing(path).ok()?.score;
        let best = best(all.iter().filter_map(|(step, path)| Some((score(path)?, *step))));
        for (step, path) in all.iter().rev().skip(keep) {
            if Some(*step) != best {
                // Under another name first, so that what is half deleted is not taken for a checkpoint.
                let gone = disk::partial(path);
                fs::rename(path, &gone).map_err(|error| Error::io(path, error))?;
                checkpoint::remove(&gone)?;
            }
        }
        Ok(())
    }

    /// The folder of the checkpoint with the highest score, the earliest of those that have it; one that is damaged is told
    /// to `report`.
    ///
    /// # Errors
    /// A folder that cannot be read.
    pub fn best(&self, report: impl Fn(&str)) -> Result<Option<PathBuf>> {
        let scored = self
            .list()?
            .into_iter()
            .filter_map(|(_, path)| match Checkpoint::standing(&path) {
                Ok(standing) => Some((standing.score?, path)),
                Err(error) => {
                    report(&format!("{error}; it is ignored"));
                    None
                }
            });
        Ok(best(scored))
    }

    /// The highest score of those that are there.
    ///
    /// # Errors
    /// A folder that cannot be read.
    pub fn best_score(&self) -> Result<Option<f64>> {
        let scores = self.list()?.into_iter();
        let scores = scores.filter_map(|(_, path)| Checkpoint::standing(&path).ok()?.score);
        Ok(scores.max_by(f64::total_cmp))
    }

    /// Removes what a process that was killed while writing has left.
    ///
    /// # Errors
    /// The disk's.
    pub fn clear_partial(&self) -> Result<()> {
        let entries = fs::read_dir(&self.folder).map_err(|error| Error::io(&self.folder, error))?;
        for path in entries.filter_map(|entry| Some(entry.ok()?.path())) {
            if path.extension().is_some_and(|extension| extension == "partial") {
                checkpoint::remove(&path)?;
            }
        }
        Ok(())
    }
}

/// Item with the highest score; of equal scores, the earliest.
fn best<T>(scored: impl Iterator<Item = (f64, T)>) -> Option<T> {
    let first = |best: (f64, T), next: (f64, T)| if next.0 > best.0 { next } else { best };
    scored.reduce(first).map(|(_, found)| found)
}

/// The file with the weights of a checkpoint.
pub fn weights_of(checkpoint: &Path) -> PathBuf {
    checkpoint.join(MODEL)
}

/// Writes snapshots on a thread beside training, one at a time.
pub struct Writer {
    checkpoints: Checkpoints,
    keep: usize,
    writing: Option<JoinHandle<Result<()>>>,
    /// The step of the last snapshot.
    last: Option<u64>,
}

impl Writer {
    /// A writer that keeps the last `keep` checkpoints and the best. `last` is the step of the one that the run goes on
    /// from: it need not be written again.
    pub fn new(checkpoints: Checkpoints, keep: usize, last: Option<u64>) -> Self {
        Writer {
            checkpoints,
            keep,
            writing: None,
            last,
        }
    }

    /// The step of the last snapshot, unless it could not be written.
    pub fn last(&self) -> Option<u64> {
        self.last
    }

    /// Begins to write; what was begun before was waited for.
    ///
    /// # Errors
    /// A thread that the system refuses.
    pub fn save(&mut self, snapshot: Snapshot) -> Result<()> {
        let (checkpoints, keep, step) = (self.checkpoints.clone(), self.keep, snapshot.standing.step);
        let write = move || {
            checkpoints.write(snapshot)?;
            checkpoints.prune(keep)
        };
        let thread = std::thread::Builder::new().name("fmicl-checkpoint".into()).spawn(write);
        let thread = thread.map_err(|error| Error::Run(format!("cannot start a thread for a checkpoint: {error}")))?;
        (self.writing, self.last) = (Some(thread), Some(step));
        Ok(())
    }

    /// Returns true if a snapshot is written, or has failed, that was not waited for.
    pub fn is_ready(&self) -> bool {
        self.writing.as_ref().is_some_and(JoinHandle::is_finished)
    }

    /// Waits until the last snapshot is written; whether there was one.
    ///
    /// # Errors
    /// What went wrong with it, and which checkpoint is there.
    pub fn wait(&mut self) -> Result<bool> {
        let Some(thread) = self.writing.take() else {
            return Ok(false);
        };
        let written = thread
            .join()
            .unwrap_or_else(|_| Err(Error::Run("the thread that writes checkpoints panicked".into())));
        match written {
            Ok(()) => Ok(true),
            Err(error) => Err(self.failed(&error)),
        }
    }

    /// Error for a checkpoint that cannot be written.
    pub fn failed(&mut self, error: &Error) -> Error {
        self.last = None;
        let there = self.checkpoints.list().ok().and_then(|mut all| all.pop());
        let there = there.map_or("there is none before it".into(), |(_, path)| {
            format!("the last one is {}", path.display())
        });
        Error::Run(format!("no checkpoint could be written: {error}; {there}"))
    }
}

impl Drop for Writer {
    /// A run that fails leaves the checkpoint that it had begun.
    fn drop(&mut self) {
        let _ = self.wait();
    }
}

#[cfg(test)]
mod tests {
    use super::best;

    #[test]
    fn of_equal_scores_the_first_is_the_best() {
        assert_eq!(
            best([(0.5, 'a'), (0.7, 'b'), (0.7, 'c'), (0.1, 'd')].into_iter()),
            Some('b')
        );
        assert_eq!(best([(f64::MIN, 'a')].into_iter()), Some('a'));
        assert_eq!(best(std::iter::empty::<(f64, char)>()), None);
    }
}
