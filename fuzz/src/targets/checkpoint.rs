//! A run's checkpoint.

use crate::Target;
use crate::folder::Folder;
use fmicl_core::tch::{Device, Kind, Tensor};
use fmicl_runner::run::{RunDir, Snapshot, Standing};
use serde_json::{Value, json};
use std::path::Path;

/// A checkpoint is read as it was written, or refused in a line that names a file. What its checksums would refuse is given
/// to what lies behind them, too, with the right ones.
pub(super) fn checkpoint() -> Target {
    let folder = Folder::new(|folder| {
        let ones = |size: &[i64]| Tensor::ones(size, (Kind::Float, Device::Cpu));
        let snapshot = Snapshot {
            about: String::new(),
            standing: Standing::default(),
            model: vec![("backbone.weight".into(), ones(&[2, 3]))],
            training: vec![("optimizer.momentum".into(), ones(&[6]))],
        };
        let at = folder.join("checkpoints/step-0000000000");
        let written = snapshot.write(&at).map_err(|error| error.to_string());
        let config = std::fs::write(folder.join("config.toml"), "").map_err(|error| error.to_string());
        written.and(config).unwrap_or_else(|error| panic!("{error}"));
    });
    let at = folder.path().join("checkpoints/step-0000000000");
    Target::new("checkpoint", folder.seeds(), move |input| {
        folder.with(input, || {
            if let Some(sum) = read(folder.path()) {
                assert_eq!(sum, 12.0, "a damaged checkpoint was taken for a whole one");
            }
            let manifest = at.join("checkpoint.json");
            let before = std::fs::read(&manifest).unwrap_or_default();
            if let Some(mended) = mended(&at, &before) {
                put(&manifest, &mended);
                let _ = read(folder.path());
                put(&manifest, &before);
            }
        });
    })
}

/// The sum of all its tensors; none where it was refused.
fn read(run: &Path) -> Option<f64> {
    match RunDir::open(run).and_then(|run| run.newest_checkpoint(u64::MAX)) {
        Ok(checkpoint) => {
            let checkpoint = checkpoint.unwrap_or_else(|| panic!("the checkpoint was not found"));
            let tensors = checkpoint.model.values().chain(checkpoint.training.values());
            Some(tensors.map(|tensor| tensor.sum(Kind::Double).double_value(&[])).sum())
        }
        Err(error) => {
            let error = error.to_string();
            let says = error.contains("step-0000000000/") && !error.contains('\n');
            assert!(says, "{error}");
            None
        }
    }
}

/// The manifest `json` with the checksums of what is there.
fn mended(checkpoint: &Path, json: &[u8]) -> Option<Vec<u8>> {
    let mut manifest: Value = serde_json::from_slice(json).ok()?;
    for (name, digest) in manifest.get_mut("checkpoint")?.get_mut("files")?.as_object_mut()? {
        // A hostile manifest may name anything.
        if !name.ends_with(".safetensors") || name.contains('/') {
            continue;
        }
        let bytes = std::fs::read(checkpoint.join(name)).unwrap_or_default();
        *digest = json!({"bytes": bytes.len(), "crc32": crc32(&bytes)});
    }
    let checksum = crc32(manifest["checkpoint"].to_string().as_bytes());
    *manifest.get_mut("crc32")? = checksum.into();
    serde_json::to_vec(&manifest).ok()
}

fn crc32(bytes: &[u8]) -> String {
    format!("{:08x}", crc32fast::hash(bytes))
}

fn put(path: &Path, bytes: &[u8]) {
    std::fs::write(path, bytes).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
}
