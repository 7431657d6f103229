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
