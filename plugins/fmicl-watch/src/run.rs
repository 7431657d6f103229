//! A run that is watched.

use crate::curves::{Curve, curves};
use crate::gpu::{Gpu, Gpus};
use crate::process::Process;
use fmicl_core::OUTPUT_MARK;
use fmicl_runner::run::{History, Observed, State, last_lines};
use fmicl_runner::shown;
use std::path::Path;
use std::time::{Duration, SystemTime};

/// How long the first look waits for what the GPUs tell.
const PATIENCE: Duration = Duration::from_secs(2);
/// GPUs that are shown.
const GPUS: usize = 8;

/// Whether a device of the record is a GPU.
fn is_gpu(device: &str) -> bool {
    device.to_ascii_lowercase().starts_with("cuda")
}

/// A run, and what of it is shown beside its state.
#[derive(Debug)]
pub struct Run {
    /// Its files.
    pub observed: Observed,
    steps: History,
    process: Option<Process>,
    /// Of the machine, while a process on it trains on one.
    gpus: Gpus,
    /// The last lines of its log.
    pub log: Vec<String>,
    /// Why its steps cannot be read.
    problem: Option<String>,
}

impl Run {
    /// The run in a directory.
    pub fn new(path: &Path) -> Self {
        let mut run = Run {
            observed: Observed::new(path),
            steps: History::of_steps(path),
            process: None,
            gpus: Gpus::default(),
            log: Vec::new(),
            problem: None,
        };
        run.look(PATIENCE);
        run
    }

    /// Looks again.
    pub fn update(&mut self) {
        self.observed.update();
        self.look(Duration::ZERO);
    }

    fn look(&mut self, patience: Duration) {
        self.problem = self.steps.update().err().map(|error| error.to_string());
        let path = &self.observed.path;
        self.log = last_lines(&path.join("log.txt"));
        let is_running = self.observed.state == State::Running;
        if !is_running || !self.process.as_mut().is_some_and(Process::update) {
            let find = || Process::holding(&path.join(OUTPUT_MARK));
            self.process = is_running.then(find).flatten();
        }
        let last = self.observed.segments.last();
        if self.process.is_some() && last.is_some_and(|segment| is_gpu(&segment.device)) {
            self.gpus.update(patience);
        }
    }

    /// Its curves.
    pub fn curves(&self) -> Vec<Curve<'_>> {
        curves(&self.observed.epochs, &self.steps)
    }

    /// State, and why.
    pub fn state(&self, now: SystemTime) -> String {
        let observed = &self.observed;
        let seen = observed.seen.filter(|_| observed.state != State::Finished);
        let seen = seen.map(|seen| format!(", last sign of life {}", shown::ago(seen, now)));
        let state = match &observed.why {
            Some(why) if why.starts_with(observed.state.name()) => why.clone(),
            Some(why) => format!("{}: {why}", observed.state),
            None => observed.state.to_string(),
        };
        shown::name(&(state + &seen.unwrap_or_default()))
    }

    /// How far it is, and how long it takes.
    pub fn progress(&self, now: SystemTime) -> String {
        let (observed, done) = (&self.observed, &self.observed.done);
        let of = |planned: Option<u64>| planned.map_or(String::new(), |planned| format!("/{planned}"));
        let mut parts = vec![
            format!("epoch {}{}", done.epochs, of(done.of_epochs)),
            format!("step {}{}", done.steps, of(done.of_steps)),
        ];
        if let Some(left) = observed.left(now) {
            parts.push(format!("{} left", shown::duration(left)));
        }
        let took = Duration::try_from_secs_f64(observed.seconds).unwrap_or_default();
        parts.push(format!("{} so far", shown::duration(took)));
        if observed.state != State::Running {
            parts.pop();
            parts.push(format!("took {}", shown::duration(took)));
        }
        parts.join("  ")
    }

    /// Throughput, and what the process takes.
    pub fn facts(&self) -> Vec<String> {
        let number = |name: &str| {
            let mut values = self.observed.epochs.last_values();
            values.find(|(own, _)| *own == name).map(|(_, value)| value)
        };
        let process = self.process.as_ref();
        let gpus: Vec<String> = self.gpus.found().iter().take(GPUS).map(Gpu::shown).collect();
        let gib = |bytes: u64| bytes as f64 / (1u64 << 30) as f64;
        let facts = [
            number("images_per_second").map(|speed| format!("{speed:.0} samples/s")),
            number("waiting").map(|share| format!("{:.0} % waiting for data", 100.0 * share)),
            number("communicating").map(|share| format!("{:.0} % communicating", 100.0 * share)),
            process.and_then(|process| Some(format!("{:.1} processors", process.processors?))),
            process.and_then(|process| Some(format!("{:.2} GiB", gib(process.memory?)))),
            process.map(|process| format!("process {}", process.id)),
            process.filter(|_| !gpus.is_empty()).map(|_| gpus.join("  ")),
            self.observed
                .collapse()
                .map(|collapse| format!("collapsed: {collapse}")),
        ];
        let problems = self.observed.problems.iter().chain(&self.problem);
        facts
            .into_iter()
            .flatten()
            .chain(problems.map(|problem| shown::name(problem)))
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::is_gpu;

    #[test]
    fn the_devices_of_the_record_are_told_apart() {
        use fmicl_core::tch::Device;
        assert!(is_gpu(&format!("{:?}", Device::Cuda(1))) && is_gpu("cuda:0"));
        assert!(!is_gpu(&format!("{:?}", Device::Cpu)) && !is_gpu(""));
    }
}
