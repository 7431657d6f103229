//! The thread that sends lines to a server: training never waits for it but at the end, and then not for long.

use super::server::{About, Server};
use super::spool::{Line, parse};
use super::state::State;
use fmicl_core::{Growing, Result};
use std::fs::File;
use std::io::{self, BufRead, BufReader, Seek, SeekFrom};
use std::path::PathBuf;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::Duration;

/// Metrics of a request; a server takes at most 1,000.
const METRICS: usize = 500;
/// From the first failure to the next try, which doubles up to the second one.
const WAITS: [Duration; 2] = [Duration::from_secs(1), Duration::from_secs(60)];
/// How long an end waits in all, whatever the server does.
pub const AT_THE_END: Duration = Duration::from_secs(10);

/// The thread.
#[derive(Debug)]
pub struct Sender {
    shared: Arc<Shared>,
    thread: Option<JoinHandle<()>>,
    left: Left,
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
    /// How often the file began anew.
    anew: u64,
    /// Whether the thread is to end, as soon as all is sent or the server fails once more.
    end: bool,
    /// Whether it has ended.
    ended: bool,
    /// Whether nobody waits for it any more.
    alone: bool,
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
        let left = Left {
            uri: state.uri.clone(),
            run: path.parent().unwrap_or(&path).into(),
        };
        let work = Work {
            left: left.clone(),
            server,
            about,
            spool,
            path,
            state,
            anew: 0,
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
            left,
        }
    }

    /// The file has grown.
    pub fn tell(&self, file: &Growing) {
        let mut told = self.shared.told();
        (told.good, told.anew) = (file.good(), file.anew());
        drop(told);
        self.shared.changed.notify_all();
    }

    /// Waits until all is sent or the server fails once more, and at most so long. A thread that still waits for an answer then is
    /// left alone.
    pub fn end(&mut self, most: Duration) {
        let Some(thread) = self.thread.take() else { return };
        self.shared.told().end = true;
        self.shared.changed.notify_all();
        let goes_on = |told: &mut Told| !told.ended;
        let waited = self
            .shared
            .changed
            .wait_timeout_while(self.shared.told(), most, goes_on);
        let (mut told, _) = waited.unwrap_or_else(PoisonError::into_inner);
        if told.ended {
            drop(told);
            // A panic there is a bug here; the lines are on the disk.
            let _ = thread.join();
        } else {
            told.alone = true;
            self.left
                .tell(&format!("it has not taken everything within {} s", most.as_secs()));
        }
    }
}

/// Where what is not sent is.
#[derive(Debug, Clone)]
struct Left {
    uri: String,
    run: PathBuf,
}

impl Left {
    fn tell(&self, why: &str) {
        let (uri, run) = (&self.uri, self.run.display());
        tracing::warn!(
            "mlflow: {uri}: {why}; the rest of the metrics is kept in mlflow.jsonl: `fmicl train --resume {run}` sends it"
        );
    }
}

/// Says that the thread has ended, however it does.
struct Ended<'a>(&'a Shared);

impl Drop for Ended<'_> {
    fn drop(&mut self) {
        self.0.told().ended = true;
        self.0.changed.notify_all();
    }
}

struct Work {
    left: Left,
    server: Server,
    about: About,
    spool: PathBuf,
    path: PathBuf,
    state: State,
    /// How often the file had begun anew when it was read last.
    anew: u64,
    /// Whether a failure was told.
    warned: bool,
}

impl Work {
    fn run(mut self, shared: &Shared) {
        let _ended = Ended(shared);
        let [mut wait, longest] = WAITS;
        loop {
            let told = self.wait_for_lines(shared);
            if told.anew > std::mem::replace(&mut self.anew, told.anew) {
                self.state.sent = 0;
            }
            if told.alone || self.state.sent >= told.good {
                return;
            }
            match self.send_some(told.good) {
                Ok(()) => {
                    if std::mem::take(&mut self.warned) {
                        tracing::info!("mlflow: {} takes metrics again", self.state.uri);
                    }
                    wait = WAITS[0];
                }
                Err(_) if shared.told().alone => return,
                Err(error) if shared.told().end => return self.left.tell(&error),
                Err(error) => {
                    if !std::mem::replace(&mut self.warned, true) {
                        let uri = &self.state.uri;
                        tracing::warn!(
                            "mlflow: {uri}: {error}; metrics are kept in mlflow.jsonl, and sent when they can be"
                        );
                    }
                    let unless_it_ends = |told: &mut Told| !told.end;
                    let waited = shared.changed.wait_timeout_while(shared.told(), wait, unless_it_ends);
                    drop(waited);
                    wait = (2 * wait).min(longest);
                }
            }
        }
    }

    /// Waits until there is something to send, or the end.
    fn wait_for_lines(&self, shared: &Shared) -> Told {
        let is_sent = |told: &Told| told.anew == self.anew && told.good <= self.state.sent;
        let nothing = |told: &mut Told| !told.end && is_sent(told);
        let told = shared.changed.wait_while(shared.told(), nothing);
        *told.unwrap_or_else(PoisonError::into_inner)
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

    /// The next lines but the damaged ones, and the bytes of all. They are made durable: what is noted as sent must not be lost.
    fn read(&self, good: u64) -> io::Result<(Vec<Line>, u64)> {
        let mut file = File::open(&self.spool)?;
        file.sync_data()?;
        file.seek(SeekFrom::Start(self.state.sent))?;
        let mut from = BufReader::new(file);
        let (mut lines, mut bytes, mut metrics) = (Vec::new(), 0, 0);
        while self.state.sent + bytes < good && metrics < METRICS {
            let mut line = Vec::new();
            from.read_until(b'\n', &mut line)?;
            if line.is_empty() {
                return Err(io::Error::other("lines of it are gone"));
            }
            bytes += line.len() as u64;
            if let Some(read) = parse(&line) {
                metrics += read.metrics.len();
                lines.push(read);
            }
        }
        Ok((lines, bytes))
    }
}
