//! The subcommands that do not train.

mod check;
mod convert;
mod data;
mod embed;
mod eval;
mod export;
mod features;
mod list;

pub(crate) use check::{check, summary};
pub(crate) use convert::{ConvertArgs, convert};
pub(crate) use data::Data;
pub(crate) use embed::{EmbedArgs, embed};
pub(crate) use eval::{EvalArgs, evaluate};
pub(crate) use export::{ExportArgs, export};
pub(crate) use features::{FeaturesArgs, features};
pub(crate) use list::list;

use crate::config;
use fmicl_core::{Error, Result};

/// That no `--set` sets a key that an option of the command line, such as `--device`, sets to this value: of two that are given
/// one would be passed over.
///
/// # Errors
/// One that names both.
pub(crate) fn refuse_both(sets: &[String], key: &str, short: Option<String>) -> Result<()> {
    let is_of_key = |set: &&String| config::key_of(set) == key;
    match (short, sets.iter().find(is_of_key)) {
        (Some(value), Some(set)) => Err(Error::config(format!(
            "--set {set}: there is --{key} {value}, too: leave one of the two away"
        ))),
        _ => Ok(()),
    }
}
