//! Signals that ask a run to stop.

use crate::run::STOPPED_BY;
use crate::shell;
use fmicl_core::{Error, Result};
use signal_hook::consts::{
    SIGALRM, SIGHUP, SIGINT, SIGPROF, SIGQUIT, SIGTERM, SIGUSR1, SIGUSR2, SIGVTALRM, SIGXCPU, SIGXFSZ,
};
use signal_hook::iterator::Signals;
use signal_hook::{flag, low_level};
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, LazyLock};
use std::{fmt, mem, ptr, thread};

/// The signals by which a terminal, a user, a scheduler or a limit ends a process, as far as a process can hear of it: not
/// those of its own faults, SIGKILL, and SIGPIPE, which Rust's programs ignore.
const SIGNALS: &[i32] = &[
    SIGHUP,
    SIGINT,
    SIGQUIT,
    SIGALRM,
    SIGTERM,
    SIGUSR1,
    SIGUSR2,
    SIGXCPU,
    SIGVTALRM,
    SIGPROF,
    #[cfg(target_os = "linux")]
    libc::SIGPWR,
    // Elsewhere it is ignored.
    #[cfg(target_os = "linux")]
    libc::SIGIO,
];

/// The keys of a terminal. A shell starts what is followed by `&` with these two ignored, without being asked for it.
const KEYS: [i32; 2] = [SIGINT, SIGQUIT];

/// Those that would end this process by themselves, as it was started: one that is ignored stays ignored, such as SIGHUP
/// under `nohup`, and one that something else waits for, such as a profiler, is left to it.
static HEARD: LazyLock<Vec<i32>> = LazyLock::new(|| {
    let heard = SIGNALS.iter().copied().filter(|&signal| match action(signal) {
        libc::SIG_DFL => true,
        libc::SIG_IGN => KEYS.contains(&signal),
        _ => false,
    });
    heard.collect()
});

/// What the process does at a signal: `SIG_DFL`, `SIG_IGN`, or the address of a handler.
fn action(signal: i32) -> libc::sighandler_t {
    // SAFETY: a `sigaction` of zeros is one; with no new action the call only writes the present one to it.
    unsafe {
        let mut now: libc::sigaction = mem::zeroed();
        libc::sigaction(signal, ptr::null(), &mut now);
        now.sa_sigaction
    }
}

/// From now on a file that grows beyond the limit of its size (`ulimit -f`) is an error of the write, as on a full disk,
/// and not the end of the process.
pub fn survive_large_files() {
    // It need only be caught; a system that refuses leaves things as they were.
    let _ = flag::register(SIGXFSZ, Arc::default());
}

/// Flag that asks the run to stop; never set by default.
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
    /// Of a run that signals may ask, from [`catch`](Interrupt::catch) on.
    pub fn by_signals() -> Self {
        Interrupt {
            by_signals: true,
            ..Interrupt::default()
        }
    }

    /// From now on signals no longer end the process, where they may ask; a second one of the keyboard's still does, at
    /// once.
    ///
    /// # Errors
    /// A system that refuses.
    pub fn catch(&self) -> Result<()> {
        if !self.by_signals {
            return Ok(());
        }
        let again = Arc::new(AtomicBool::new(false));
        let register = || {
            for &signal in HEARD.iter() {
                if KEYS.contains(&signal) {
                    // In this order: the first one finds the flag down and raises it.
                    flag::register_conditional_shutdown(signal, Signal(signal).exit_code().into(), again.clone())?;
                    flag::register(signal, again.clone())?;
                }
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
        let signals = Signals::new(HEARD.iter());
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

    /// Exit code that a shell reports for a process ended by this signal.
    pub fn exit_code(self) -> u8 {
        u8::try_from(128 + self.0).unwrap_or(1)
    }
}

impl fmt::Display for Signal {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        match low_level::signal_name(self.0) {
            Some(name) => f.write_str(name),
            None => write!(f, "signal {}", self.0),
        }
    }
}

/// Error that ends a run after a request to stop, once its checkpoint is written.
#[derive(Debug)]
pub struct Stopped {
    /// Signal that was received.
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
            "{STOPPED_BY}{signal} after step {step}; resume with: fmicl train --resume {}",
            shell::word(run)
        )
    }
}

impl std::error::Error for Stopped {}
