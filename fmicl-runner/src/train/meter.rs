//! Measurements of an epoch.

use crate::run::Counts;
use fmicl_core::tch::{Device, Kind, Tensor, no_grad};
use fmicl_core::{Error, Loss, Processes, Result};
use std::collections::{BTreeMap, HashMap};
use std::time::{Duration, Instant};

/// The names of the sums in a checkpoint.
const LOSS: &str = "meter.loss";
const TERM: &str = "meter.term.";

/// Sums over an epoch; what is on the device stays there until it is asked for.
pub struct Meter {
    /// A scalar, f64.
    loss: Tensor,
    /// Scalars, f64, by name.
    terms: BTreeMap<String, Tensor>,
    batches: usize,
    started: Instant,
    /// The time before `started`, where the epoch was interrupted.
    earlier: Duration,
    waited: Duration,
    skipped_samples: usize,
    /// Time spent in collectives before `started`.
    called: Duration,
}

impl Meter {
    /// Of an epoch that begins now, when the processes have called each other for `called`.
    pub fn new(device: Device, called: Duration) -> Self {
        Meter {
            loss: Tensor::zeros([], (Kind::Double, device)),
            terms: BTreeMap::new(),
            batches: 0,
            started: Instant::now(),
            earlier: Duration::ZERO,
            waited: Duration::ZERO,
            skipped_samples: 0,
            called,
        }
    }

    /// Of an epoch that goes on now, with what [`counts`](Meter::counts) and [`sums`](Meter::sums) gave.
    ///
    /// # Errors
    /// Sums that are missing.
    pub fn resumed(&self, counts: Counts, sums: &HashMap<String, Tensor>, device: Device) -> Result<Self> {
        let seconds = |seconds| Duration::try_from_secs_f64(seconds).unwrap_or_default();
        let sum = |tensor: &Tensor| tensor.to_device(device);
        let loss = sums
            .get(LOSS)
            .ok_or_else(|| Error::Run(format!("the checkpoint has no {LOSS}")))?;
        let terms = sums
            .iter()
            .filter_map(|(name, tensor)| Some((name.strip_prefix(TERM)?.to_string(), sum(tensor))));
        Ok(Meter {
            loss: sum(loss),
            terms: terms.collect(),
            batches: counts.batches,
            started: Instant::now(),
            earlier: seconds(counts.seconds),
            waited: seconds(counts.waited),
            skipped_samples: counts.skipped_samples,
            called: self.called,
        })
    }

    /// The first process's, in every process.
    ///
    /// # Errors
    /// Those of [`Processes::all_reduce`].
    pub fn of_first(&self, device: Device, processes: &dyn Processes) -> Result<Self> {
        let failed = |error: serde_json::Error| Error::Run(error.to_string());
        let own: BTreeMap<_, _> = self.sums().into_iter().collect();
        let known = serde_json::to_string(&(self.counts(), own.keys().collect::<Vec<_>>())).map_err(failed)?;
        let known = processes.text_of_first(&known)?;
        let (counts, names): (Counts, Vec<String>) = serde_json::from_str(&known).map_err(failed)?;
        let mut sums = HashMap::new();
        for name in names {
            let own = own.get(&name);
            let mut sum = own.map_or_else(|| self.loss.zeros_like(), Tensor::shallow_clone);
            processes.broadcast(&mut sum)?;
            sums.insert(name, sum);
        }
        self.resumed(counts, &sums, device)
    }

    /// Times what brings the next batch.
    pub fn wait_for<T>(&mut self, data: impl FnOnce() -> T) -> T {
        let asked = Instant::now();
        let data = data();
        self.waited += asked.elapsed();
        data
    }

    /// Adds a batch.
    pub fn add(&mut self, loss: &Loss) {
        let _ = no_grad(|| self.loss.g_add_(&loss.value.detach()));
        for (name, term) in &loss.terms {
            if !self.terms.contains_key(*name) {
                self.terms.insert(name.to_string(), self.loss.zeros_like());
            }
            if let Some(sum) = self.terms.get_mut(*name) {
                let _ = sum.g_add_(term);
            }
        }
        self.batches += 1;
    }

    /// Counts samples that could not be read.
    pub fn skip(&mut self, samples: usize) {
        self.skipped_samples += samples;
    }

    /// Samples of the epoch that could not be read.
    pub fn skipped_samples(&self) -> usize {
        self.skipped_samples
    }

    /// Returns true if there has been no batch.
    pub fn is_empty(&self) -> bool {
        self.batches == 0
    }

    /// The mean loss of the batches; reading it waits for the device.
    pub fn mean_loss(&self) -> f64 {
        self.loss.double_value(&[]) / self.batches as f64
    }

    /// The mean of each term.
    pub fn mean_terms(&self) -> BTreeMap<String, f64> {
        self.terms
            .iter()
            .map(|(name, sum)| (name.clone(), sum.double_value(&[]) / self.batches as f64))
            .collect()
    }

    /// Training images (not views) a second, of batches of `batch_size`.
    pub fn images_per_second(&self, batch_size: usize) -> f64 {
        (self.batches * batch_size) as f64 / self.elapsed().as_secs_f64()
    }

    /// The share of the time in which the step waited for data, 0 to 1.
    pub fn waiting(&self) -> f64 {
        self.waited.as_secs_f64() / self.elapsed().as_secs_f64()
    }

    /// Share of the time, 0 to 1, that this process spent in collectives since the epoch began or was resumed; `called`
    /// is its total time in collectives so far.
    pub fn communicating(&self, called: Duration) -> f64 {
        (called - self.called).as_secs_f64() / self.started.elapsed().as_secs_f64()
    }

    fn elapsed(&self) -> Duration {
        self.earlier + self.started.elapsed()
    }

    /// For a checkpoint, beside the sums.
    pub fn counts(&self) -> Counts {
        Counts {
            batches: self.batches,
            seconds: self.elapsed().as_secs_f64(),
            waited: self.waited.as_secs_f64(),
            skipped_samples: self.skipped_samples,
        }
    }

    /// The sums, for a checkpoint.
    pub fn sums(&self) -> Vec<(String, Tensor)> {
        let terms = self
            .terms
            .iter()
            .map(|(name, sum)| (format!("{TERM}{name}"), sum.copy()));
        terms.chain([(LOSS.to_string(), self.loss.copy())]).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_epoch_that_is_interrupted_has_the_means_of_one_that_is_not() {
        let loss = |value: f64| Loss {
            value: Tensor::from(value),
            terms: vec![("f_mi", Tensor::from(value / 3.0))],
        };
        let mut whole = Meter::new(Device::Cpu, Duration::ZERO);
        let mut parts = Meter::new(Device::Cpu, Duration::ZERO);
        for i in 0..50 {
            let value = f64::from(i).sin() * 1e3;
            whole.add(&loss(value));
            parts.add(&loss(value));
            if i % 7 == 0 {
                let sums = parts.sums().into_iter().collect();
                parts = parts.resumed(parts.counts(), &sums, Device::Cpu).unwrap();
            }
        }
        assert_eq!(whole.mean_loss().to_bits(), parts.mean_loss().to_bits());
        assert_eq!(whole.mean_terms(), parts.mean_terms());
        assert!(parts.counts().seconds > 0.0 && parts.images_per_second(3) > 0.0);
    }
}
