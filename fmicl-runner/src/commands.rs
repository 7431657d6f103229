//! The subcommands that neither train nor evaluate.

mod check;
mod list;

pub(crate) use check::check;
pub(crate) use list::list;
