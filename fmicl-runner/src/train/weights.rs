//! Weights on disk, as safetensors.

use fmicl_core::tch::{self, Tensor, nn::VarStore};
use fmicl_core::{Error, Result};
use std::collections::HashMap;
use std::fs::{self, File};
use std::path::Path;

/// How many names an error lists.
const NAMED: usize = 5;

/// Writes every variable of `store` to a temporary file and renames it, so that `path` is never half a file.
///
/// # Errors
/// The disk's.
pub fn save(store: &VarStore, path: &Path) -> Result<()> {
    let mut tensors: Vec<_> = store
        .variables()
        .into_iter()
        .map(|(name, var)| (name, var.contiguous()))
        .collect();
    tensors.sort_by(|a, b| a.0.cmp(&b.0));
    let temporary = path.with_extension("tmp");
    Tensor::write_safetensors(&tensors, &temporary)?;
    let io = |error| Error::io(path, error);
    File::open(&temporary).and_then(|file| file.sync_all()).map_err(io)?;
    fs::rename(&temporary, path).map_err(io)
}

/// Reads every variable of `store` from `path`; both must have the same names and shapes.
///
/// # Errors
/// A file that cannot be read, or whose names or shapes differ, with the first of them.
pub fn load(store: &VarStore, path: &Path) -> Result<()> {
    let tensors = Tensor::read_safetensors(path).map_err(|error| Error::data(path, Error::from(error).to_string()))?;
    let tensors: HashMap<_, _> = tensors.into_iter().collect();
    let variables = store.variables();
    let missing = variables.keys().filter(|name| !tensors.contains_key(*name)).cloned();
    refuse(path, "has no", missing)?;
    let unknown = tensors.keys().filter(|name| !variables.contains_key(*name)).cloned();
    refuse(path, "has weights that the model has not:", unknown)?;
    let reshaped = variables
        .iter()
        .filter(|(name, var)| tensors[*name].size() != var.size());
    let reshaped =
        reshaped.map(|(name, var)| format!("{name} of {:?} instead of {:?}", tensors[name].size(), var.size()));
    refuse(path, "has", reshaped)?;
    for (name, mut var) in variables {
        tch::no_grad(|| var.copy_(&tensors[&name]));
    }
    Ok(())
}

fn refuse(path: &Path, what: &str, names: impl Iterator<Item = String>) -> Result<()> {
    let mut names: Vec<_> = names.collect();
    if names.is_empty() {
        return Ok(());
    }
    names.sort();
    let more = names.len().saturating_sub(NAMED);
    names.truncate(NAMED);
    let more = if more > 0 {
        format!(" and {more} more")
    } else {
        String::new()
    };
    Err(Error::data(
        path,
        format!("{what} {}{more}: it was written by another model", names.join(", ")),
    ))
}

#[cfg(test)]
mod tests {
    use super::*;
    use fmicl_core::tch::{Device, nn};

    fn store(width: i64, bias: bool) -> (VarStore, nn::Linear) {
        let store = VarStore::new(Device::Cpu);
        let linear = nn::linear(
            store.root() / "head",
            width,
            2,
            nn::LinearConfig {
                bias,
                ..Default::default()
            },
        );
        (store, linear)
    }

    #[test]
    fn weights_come_back_as_they_were() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("w.safetensors");
        let (saved, from) = store(3, true);
        save(&saved, &path).unwrap();
        let (loaded, to) = store(3, true);
        assert_ne!(from.ws, to.ws);
        load(&loaded, &path).unwrap();
        assert_eq!(from.ws, to.ws);
        assert_eq!(
            fs::read_dir(folder.path()).unwrap().count(),
            1,
            "nothing temporary is left"
        );
    }

    #[test]
    fn another_models_weights_are_refused_by_name() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("w.safetensors");
        save(&store(3, true).0, &path).unwrap();
        let message = |width, bias| load(&store(width, bias).0, &path).unwrap_err().to_string();
        assert!(
            message(4, true).contains("head.weight of [2, 3] instead of [2, 4]"),
            "{}",
            message(4, true)
        );
        assert!(
            message(3, false).contains("weights that the model has not: head.bias"),
            "{}",
            message(3, false)
        );
        save(&store(3, false).0, &path).unwrap();
        assert!(message(3, true).contains("has no head.bias"), "{}", message(3, true));
    }

    #[test]
    fn a_damaged_file_is_an_error_with_its_path() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("w.safetensors");
        fs::write(&path, b"not weights at all").unwrap();
        let message = load(&store(3, true).0, &path).unwrap_err().to_string();
        assert!(
            message.contains("w.safetensors") && !message.contains('\n'),
            "{message}"
        );
    }
}
