//! The progress bar, and the lines that go to the log.

use crate::train::callback::{Callback, Step};
use crate::train::measured::Measured;
use crate::train::trainer::Trainer;
use crate::wrap;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

/// A progress bar on a terminal; nothing elsewhere. Notes go to the log in either case, which stderr has, too, where there
/// is no bar: a scheduler's log should tell how far a run is.
#[derive(Debug, Clone)]
pub struct Progress {
    bar: ProgressBar,
    /// True if another process prints.
    silent: bool,
}

/// Returns true if there is a terminal that can show a bar.
pub fn can_be_shown() -> bool {
    !ProgressDrawTarget::stderr().is_hidden()
}

impl Progress {
    /// A bar over `steps` steps, of which `done` are done.
    pub fn new(steps: u64, done: u64) -> Self {
        if !can_be_shown() {
            return Progress::hidden();
        }
        let style = ProgressStyle::with_template("{wide_bar} {percent}% {msg} eta {eta}");
        let style = style.unwrap_or_else(|_| ProgressStyle::default_bar());
        let bar = ProgressBar::new(steps).with_style(style).with_position(done);
        bar.reset_eta();
        Progress { bar, silent: false }
    }

    /// No bar.
    pub fn hidden() -> Self {
        Progress {
            bar: ProgressBar::hidden(),
            silent: false,
        }
    }

    /// Of a process that leaves talking to another one.
    pub fn silent() -> Self {
        Progress {
            silent: true,
            ..Progress::hidden()
        }
    }

    /// A line for the log, above the bar on a terminal.
    pub fn note(&self, line: &str) {
        if self.silent {
            return;
        }
        tracing::info!("{line}");
        self.bar.println(wrap::wrapped(line, wrap::width(std::io::stderr()), 2));
    }

    /// Takes the bar away.
    pub fn finish(&self) {
        self.bar.finish_and_clear();
    }
}

impl Callback for Progress {
    fn step_end(&mut self, _: &mut Trainer, _: &Step) {
        self.bar.inc(1);
    }

    /// The message beside the bar: the epoch's means so far.
    fn log(&mut self, trainer: &mut Trainer, measured: &mut Measured) -> anyhow::Result<()> {
        let (meter, batch_size) = (&trainer.state.meter, trainer.plan.experiment.train.batch_size);
        self.bar.set_message(format!(
            "epoch {}  loss {:.4}  {:.0} samples/s  {:.0}% waiting for data ",
            measured.at.epoch,
            meter.mean_loss(),
            meter.images_per_second(batch_size),
            100.0 * meter.waiting()
        ));
        Ok(())
    }

    fn epoch_end(&mut self, _: &mut Trainer, measured: &mut Measured) -> anyhow::Result<()> {
        self.note(&measured.line);
        Ok(())
    }
}
