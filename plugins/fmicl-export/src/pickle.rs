//! Checkpoints of PyTorch (`torch.save`), of which the tensors are read and no more.
//!
//! Such a file is a pickle, a program for a stack machine that could call anything. This one calls nothing: it makes
//! dictionaries, lists and numbers, knows the few names under which PyTorch writes tensors, and holds whatever else there is for
//! an object of which nothing is known but its name. Both forms are read: the zip archive of PyTorch 1.6 and later, and the
//! stream before that, in which many published weights still are.
//!
//! Source: `torch/serialization.py` and `torch/_utils.py` of PyTorch 2.11; Python's `pickletools.py` for the opcodes.

mod archive;
mod machine;
mod nodes;
mod state;

use archive::Archive;
use fmicl_core::tch::Tensor;
use fmicl_core::{Error, Result};
use std::path::Path;

/// The tensors of a checkpoint.
#[derive(Debug)]
pub struct State {
    /// By name.
    pub tensors: Vec<(String, Tensor)>,
    /// The keys that led to them, such as `state_dict`; empty where they lie at the top.
    pub key: String,
    /// What else the checkpoint holds, the keys beside those tensors.
    pub beside: Vec<String>,
}

/// Reads the tensors of a file of `torch.save`: those at `key`, dotted keys of dictionaries; without one those of the top, or
/// of `state_dict` or the like.
///
/// # Errors
/// A file that cannot be read, is damaged, something else, or holds no tensors there, with the keys where there are some.
pub fn read(path: &Path, key: Option<&str>) -> Result<State> {
    let mut archive = Archive::open(path)?;
    let wrong = |why: String| Error::data(path, why);
    let (nodes, top) = archive.unpickle().map_err(wrong)?;
    let found = state::find(&nodes, top, key).map_err(wrong)?;
    let tensors = archive.tensors(&nodes, &found.tensors).map_err(wrong)?;
    Ok(State {
        tensors,
        key: found.key,
        beside: found.beside,
    })
}

#[cfg(test)]
mod tests;
