//! Evaluation.

use crate::DeviceChoice;
use std::path::Path;

/// Evaluates the run in a directory that [`train`](crate::train::run) wrote; `device` replaces the
/// experiment's.
///
/// # Errors
/// Whatever stops the evaluation.
pub fn run(_run: &Path, _device: Option<DeviceChoice>) -> anyhow::Result<()> {
    anyhow::bail!("evaluation is not written yet")
}
