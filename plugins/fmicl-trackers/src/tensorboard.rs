//! Metrics, views, histograms and the config of a run in TensorBoard's event files: `tensorboard --logdir runs`.

#[cfg(test)]
mod decoder;
mod events;
mod files;
mod messages;
mod records;
mod scan;
#[cfg(test)]
mod tests;

use crate::names;
use files::Files;
use fmicl_core::tch::Tensor;
use fmicl_core::{Documented, Ending, MetricValues, Moment, Result, TrackedRun, Tracker, Tracking, register};
use messages::What;
use serde::{Deserialize, Serialize};
use std::path::{Component, Path};

/// Event files in the run's directory.
#[derive(Debug, Documented, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct TensorBoard {
    /// Folder of the event files, within the run's directory.
    pub folder: String,
}

impl Default for TensorBoard {
    fn default() -> Self {
        TensorBoard {
            folder: "tensorboard".into(),
        }
    }
}

register!(
    Tracker,
    "tensorboard",
    TensorBoard,
    "TensorBoard's event files: scalars, views, histograms of cosines, the config"
);

impl Tracker for TensorBoard {
    fn validate(&self) -> Result<()> {
        let mut parts = Path::new(&self.folder).components();
        let is_within = !self.folder.is_empty() && parts.all(|part| matches!(part, Component::Normal(_)));
        fmicl_core::require(is_within, "folder", || {
            format!(
                "{:?} is not a folder within the run's directory, such as \"tensorboard\"",
                self.folder
            )
        })
    }

    fn open(&self, run: &TrackedRun) -> Result<Box<dyn Tracking>> {
        let mut config = None;
        let keep = |event: &messages::Event| config = events::config_of(event).or(config.take());
        let files = Files::open(&run.folder.join(&self.folder), run.steps, events::is_end, keep)?;
        let is_new = config != Some(events::config_text(run.config));
        Ok(Box::new(Events {
            files,
            step: run.steps,
            config: is_new.then(|| events::config(run.config)).flatten(),
        }))
    }
}

#[derive(Debug)]
struct Events {
    files: Files,
    /// The last step that was recorded.
    step: u64,
    /// The config, where it is not recorded yet: before the first number, since a run that is finished has none, and keeps its end.
    config: Option<What>,
}

impl Events {
    fn add(&mut self, step: u64, what: Option<What>) {
        if let Some(config) = self.config.take() {
            self.files.add(self.step, config);
        }
        self.step = self.step.max(step);
        if let Some(what) = what {
            self.files.add(step, what);
        }
    }
}

impl Tracking for Events {
    fn step(&mut self, at: Moment, values: &MetricValues) -> Result<()> {
        self.add(at.step, events::scalars(values, names::of_step));
        Ok(())
    }

    fn epoch(&mut self, at: Moment, values: &MetricValues) -> Result<()> {
        self.add(at.step, events::scalars(values, names::of_epoch));
        Ok(())
    }

    fn image(&mut self, at: Moment, name: &str, pixels: &Tensor) -> Result<()> {
        self.add(at.step, events::image(name, pixels)?);
        Ok(())
    }

    fn histogram(&mut self, at: Moment, name: &str, values: &Tensor) -> Result<()> {
        self.add(at.step, events::histogram(name, values)?);
        Ok(())
    }

    /// What the disk refuses is no error: no checkpoint relies on it.
    fn flush(&mut self) -> Result<()> {
        self.files.flush();
        Ok(())
    }

    fn end(&mut self, ending: Ending) -> Result<()> {
        let step = self.step;
        match ending {
            Ending::Finished(metrics) => {
                self.add(step, events::end(true));
                self.add(step, events::scalars(metrics, names::of_result));
            }
            Ending::Failed => self.add(step, events::end(false)),
            Ending::Stopped => {}
        }
        self.flush()
    }
}
