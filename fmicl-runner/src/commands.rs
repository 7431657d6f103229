//! The subcommands that neither train nor evaluate.

mod check;
mod list;

pub(crate) use check::{check, summary};
pub(crate) use list::list;
