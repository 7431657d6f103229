//! Signals that ask a run to stop.

use crate::shell;
use fmicl_core::{Error, Result};
use signal_hook::consts::{SIGINT, SIGTERM, SIGUSR1};
use signal_hook::iterator::Signals;
use signal_hook::{flag, low_level};
use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;

/// The signals, with their names.
const SIGNALS: [(i32, &str); 3] = [(SIGINT, "SIGINT"), (SIGTERM, "SIGTERM"), (SIGUSR1, "SIGUSR1")];

/// Whether someone has asked the run to stop; by default nobody ever does.
#[derive(Debug, Clone, Default)]
pub struct Interrupt {
    /// The last signal, or 0.
    signal: Arc<AtomicUsize>,
    /// Whether signals ask.
    by_signals: bool,
}

/// A signal that a run was stopped by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Signal(i32);

impl Interrupt {
    /// Of a run that SIGINT, SIGTERM and SIGUSR1 may ask, from [`catch`](Interrupt::catch) on.
    pub fn by_signals() -> Self {
        Interrupt {
            by_signals: true,
            ..Interrupt::default()
        }
    }

    /// From now on signals no longer end the process, where they may ask; a second SIGINT still does, at once.
    ///
    /// # Errors
    /// A system that refuses.
    pub fn catch(&self) -> Result<()> {
        if !self.by_signals {
            return Ok(());
        }
        let again = Arc::new(AtomicBool::new(false));
        let register = || {
            // In this order: the first one finds the flag down and raises it.
            flag::register_conditional_shutdown(SIGINT, Signal(SIGINT).exit_code().into(), again.clone())?;
            flag::register(SIGINT, again)?;
            for (signal, _) in SIGNALS {
                flag::register_usize(signal, self.signal.clone(), signal as usize)?;
            }
            Ok(())
        };
        register().map_err(|error: std::io::Error| Error::Run(format!("cannot catch signals: {error}")))
    }

    /// The number of the signal that asks the run to stop, or 0.
    pub fn number(&self) -> i64 {
        self.signal.load(Ordering::Relaxed) as i64
    }

    /// From now on a signal ends the process at once, for there is nothing left to save; `tell` is called before.
    ///
    /// # Errors
    /// A system that refuses.
    pub fn end_at_once(&self, tell: impl Fn(Signal) + Send + 'static) -> Result<()> {
        if !self.by_signals {
            return Ok(());
        }
        let signals = Signals::new(SIGNALS.map(|(signal, _)| signal));
        let mut signals = signals.map_err(|error| Error::Run(format!("cannot catch signals: {error}")))?;
        thread::spawn(move || {
            if let Some(signal) = signals.forever().next().map(Signal) {
                tell(signal);
                low_level::exit(signal.exit_code().into());
            }
        });
        Ok(())
    }
}

impl Signal {
    /// The signal of a number; none of 0.
    pub fn of(number: i64) -> Option<Self> {
        i32::try_from(number).ok().filter(|number| *number != 0).map(Signal)
    }

    /// What a shell reports of a process that the signal has ended.
    pub fn exit_code(self) -> u8 {
        u8::try_from(128 + self.0).unwrap_or(1)
    }
}

impl fmt::Display for Signal {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        match SIGNALS.iter().find(|(signal, _)| *signal == self.0) {
            Some((_, name)) => f.write_str(name),
            None => write!(f, "signal {}", self.0),
        }
    }
}

/// What ends a run that was asked to stop, once its checkpoint is written.
#[derive(Debug)]
pub struct Stopped {
    /// Who asked.
    pub signal: Signal,
    /// Steps taken.
    pub step: u64,
    /// The run's directory.
    pub run: PathBuf,
}

impl fmt::Display for Stopped {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        let Stopped { signal, step, run } = self;
        write!(
            f,
            "stopped by {signal} after step {step}; go on by: fmicl train --resume {}",
            shell::word(run)
        )
    }
}

impl std::error::Error for Stopped {}
