//! The thread that sends lines to a server: training never waits for it but at the end, and then not for long.

use super::server::{About, Server};
use super::spool::{Line, parse};
use super::state::State;
use fmicl_core::Result;
use std::fs::File;
use std::io::{self, BufRead, BufReader, Seek, SeekFrom};
use std::path::PathBuf;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

/// Metrics of a request; a server takes at most 1,000.
const METRICS: usize = 500;
/// From the first failure to the next try, which doubles up to the second one.
const WAITS: [Duration; 2] = [Duration::from_secs(1), Duration::from_secs(60)];
/// How long an end waits, as long as the server takes something.
const AT_THE_END: Duration = Duration::from_secs(30);

/// The thread.
#[derive(Debug)]
pub struct Sender {
    shared: Arc<Shared>,
    thread: Option<JoinHandle<()>>,
}

#[derive(Debug, Default)]
struct Shared {
    told: Mutex<Told>,
    changed: Condvar,
}

/// What training tells the thread.
#[derive(Debug, Default, Clone, Copy)]
struct Told {
    /// Bytes of the file that are whole lines.
    good: u64,
    /// When the thread is to end.
    end: Option<Instant>,
}

impl Shared {
    fn told(&self) -> MutexGuard<'_, Told> {
        self.told.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Sender {
    /// Sends the lines of `spool`, of which `good` bytes are whole, from where `state` is, and writes the state to its file.
    pub fn start(server: Server, about: About, (spool, good): (PathBuf, u64), (path, state): (PathBuf, State)) -> Self {
        let shared = Arc::new(Shared::default());
        shared.told().good = good;
        let work = Work {
            server,
            about,
            spool,
            path,
            state,
            warned: false,
        };
        let thread = {
            let shared = shared.clone();
            thread::Builder::new()
                .name("mlflow".into())
                .spawn(move || work.run(&shared))
        };
        let thread = thread
            .map_err(|error| tracing::warn!("mlflow: no thread ({error}); a resume of the run sends its metrics"));
        Sender {
            shared,
            thread: thread.ok(),
        }
    }

    /// There are so many bytes of whole lines now.
    pub fn tell(&self, good: u64) {
        self.shared.told().good = good;
        self.shared.changed.notify_one();
    }

    /// Waits until all is sent, or the server fails once more.
    pub fn end(&mut self) {
        if let Some(thread) = self.thread.take() {
            self.shared.told().end = Some(Instant::now() + AT_THE_END);
            self.shared.changed.notify_one();
            // A panic there is a bug here; the lines are on the disk.
            let _ = thread.join();
        }
    }
}

struct Work {
    server: Server,
    about: About,
    spool: PathBuf,
    path: PathBuf,
    state: State,
    /// Whether a failure was told.
    warned: bool,
}

impl Work {
    fn run(mut self, shared: &Shared) {
        let [mut wait, longest] = WAITS;
        loop {
            let told = self.wait_for_lines(shared);
            if self.state.sent >= told.good {
                return;
            }
            if told.end.is_some_and(|end| end < Instant::now()) {
                return self.tell_left("the server is slow");
            }
            match self.send_some(told.good) {
                Ok(()) => {
                    if std::mem::take(&mut self.warned) {
                        tracing::info!("mlflow: {} takes metrics again", self.state.uri);
                    }
                    wait = WAITS[0];
                }
                Err(error) if shared.told().end.is_some() => return self.tell_left(&error),
                Err(error) => {
                    if !std::mem::replace(&mut self.warned, true) {
                        let uri = &self.state.uri;
                        tracing::warn!(
                            "mlflow: {uri}: {error}; metrics are kept in mlflow.jsonl, and sent when they can be"
                        );
                    }
                    let unless_it_ends = |told: &mut Told| told.end.is_none();
                    let waited = shared.changed.wait_timeout_while(shared.told(), wait, unless_it_ends);
                    drop(waited);
                    wait = (2 * wait).min(longest);
                }
            }
        }
    }

    /// Waits until there is something to send, or the end.
    fn wait_for_lines(&self, shared: &Shared) -> Told {
        let nothing = |told: &mut Told| told.end.is_none() && told.good <= self.state.sent;
        let told = shared.changed.wait_while(shared.told(), nothing);
        *told.unwrap_or_else(PoisonError::into_inner)
    }

    fn tell_left(&self, why: &str) {
        let uri = &self.state.uri;
        tracing::warn!(
            "mlflow: {uri}: {why}; the rest of the metrics is in mlflow.jsonl, and sent when the run is resumed"
        );
    }

    /// Sends the next lines, and notes that they are sent.
    fn send_some(&mut self, good: u64) -> Result<(), String> {
        let (lines, bytes) = self.read(good).map_err(|error| format!("mlflow.jsonl: {error}"))?;
        let run = match &self.state.run {
            Some(run) => run.clone(),
            None => {
                let experiment = self.server.experiment(&self.about.experiment)?;
                // The run is found by its name here if the answer is lost.
                self.note()?;
                let run = self.server.run(&experiment, &self.about)?;
                self.state.run = Some(run.clone());
                self.note()?;
                run
            }
        };
        self.server.send(&run, &lines)?;
        self.state.sent += bytes;
        self.note()
    }

    fn note(&self) -> Result<(), String> {
        self.state.write(&self.path).map_err(|error| error.to_string())
    }

    /// The next lines, and their bytes. They are made durable: what is noted as sent must not be lost.
    fn read(&self, good: u64) -> io::Result<(Vec<Line>, u64)> {
        let mut file = File::open(&self.spool)?;
        file.sync_data()?;
        file.seek(SeekFrom::Start(self.state.sent))?;
        let mut from = BufReader::new(file);
        let (mut lines, mut bytes, mut metrics) = (Vec::new(), 0, 0);
        while self.state.sent + bytes < good && metrics < METRICS {
            let mut line = Vec::new();
            from.read_until(b'\n', &mut line)?;
            let read = parse(&line).ok_or_else(|| io::Error::other("a line was changed"))?;
            metrics += read.metrics.len();
            bytes += line.len() as u64;
            lines.push(read);
        }
        Ok((lines, bytes))
    }
}
