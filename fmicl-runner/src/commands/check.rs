//! `fmicl check`: everything about an experiment that can be known before training.

use crate::cli::ExperimentArgs;
use fmicl_core::Error;

/// Prints a short summary.
///
/// # Errors
/// Everything that is wrong, each in a line.
pub(crate) fn check(args: &ExperimentArgs) -> Result<(), Vec<Error>> {
    let _experiment = args.load()?;
    Ok(())
}
