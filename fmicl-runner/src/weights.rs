//! Weights on disk, as safetensors.

mod about;
mod fit;
mod init;

pub use about::About;
pub use fit::shorten;
pub use fmicl_core::weights::{atomically, parse, read, write, write_about};
pub use init::{BACKBONE, Init};

use fit::Misfit;
use fmicl_core::tch::{self, Tensor};
use fmicl_core::{Error, Result};
use std::collections::HashMap;
use std::path::Path;

/// Copies tensors of the file or folder `path` into variables with the same names and shapes.
///
/// # Errors
/// Other names or shapes, with the first that differ.
pub fn copy_into(variables: HashMap<String, Tensor>, tensors: &HashMap<String, Tensor>, path: &Path) -> Result<()> {
    if let Some(misfit) = Misfit::between(&variables, tensors) {
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
