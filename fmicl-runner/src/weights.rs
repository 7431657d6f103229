//! Weights on disk, as safetensors.

mod file;
mod fit;
mod init;

pub use file::{atomically, read, write};
pub use init::{BACKBONE, Init};

use fit::Misfit;
use fmicl_core::tch::{self, nn::VarStore};
use fmicl_core::{Error, Result};
use std::path::Path;

/// Writes every variable of `store`.
///
/// # Errors
/// The disk's.
pub fn save(store: &VarStore, path: &Path) -> Result<()> {
    write(store.variables(), path)
}

/// Reads every variable of `store` from `path`; both must have the same names and shapes.
///
/// # Errors
/// A file that cannot be read, or that differs, with the first names that do.
pub fn load(store: &VarStore, path: &Path) -> Result<()> {
    let tensors = read(path)?;
    let variables = store.variables();
    if let Some(misfit) = Misfit::between(&variables, &tensors) {
        let message = format!("does not fit the model, it was written by another one; {misfit}");
        return Err(Error::data(path, message));
    }
    for (name, mut var) in variables {
        tch::no_grad(|| var.copy_(&tensors[&name]));
    }
    Ok(())
}

#[cfg(test)]
mod tests;
