//! The subcommands that neither train nor evaluate.

mod check;
mod data;
mod embed;
mod export;
mod features;
mod list;

pub(crate) use check::{check, summary};
pub(crate) use data::Data;
pub(crate) use embed::{EmbedArgs, embed};
pub(crate) use export::{ExportArgs, export};
pub(crate) use features::{FeaturesArgs, features};
pub(crate) use list::list;
