//! The sweeps of this repository.

use crate::{file::SweepFile, grid};
use fmicl_core::tch::Device;
use fmicl_core::{Part, Views};
use fmicl_runner::run::Model;
use std::fs;
use std::path::Path;

/// Every sweep of this repository.
fn sweeps(folder: &Path, found: &mut Vec<std::path::PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            sweeps(&path, found);
        } else if fs::read_to_string(&path).unwrap().contains("[[axis]]") {
            found.push(path);
        }
    }
}

/// The changes that put a tiny encoder of texts where the one that a sweep names is not on this machine.
fn stand_ins(file: &SweepFile, bert: &Path) -> Vec<String> {
    let experiment = fmicl_runner::config::load(&file.experiment, &[]).unwrap();
    let parts = [
        ("views", experiment.views.reads()),
        ("backbone", experiment.backbone.reads()),
    ];
    let reads = parts
        .into_iter()
        .flat_map(|(part, reads)| reads.into_iter().map(move |reads| (part, reads)));
    let missing = reads.filter(|(_, reads)| !reads.path.exists());
    let mut sets: Vec<_> = missing
        .map(|(part, reads)| format!("{part}.{}={bert:?}", reads.option))
        .collect();
    if !sets.is_empty() {
        sets.push("views.max_length=12".into());
    }
    sets
}

#[test]
fn every_sweep_resolves_at_every_scale_and_its_models_build() {
    let mut found = Vec::new();
    sweeps(
        &Path::new(env!("CARGO_MANIFEST_DIR")).join("../../experiments"),
        &mut found,
    );
    assert!(found.len() >= 8);
    let mut built = std::collections::HashSet::new();
    let folder = tempfile::tempdir().unwrap();
    let bert = folder.path().join("bert");
    let views: Part<dyn Views> = Part::new("text", toml::Table::new()).unwrap();
    views.example(&bert).unwrap();
    let golden = Path::new(env!("CARGO_MANIFEST_DIR")).join("../fmicl-text/golden/bert");
    for name in ["config.json", "model.safetensors"] {
        fs::copy(golden.join(name), bert.join(name)).unwrap();
    }
    for path in found {
        let text = fs::read_to_string(&path).unwrap();
        assert!(
            text.starts_with("# Source: "),
            "{}: line 1 names the source",
            path.display()
        );
        let file = SweepFile::read(&path).unwrap();
        for scale in std::iter::once(None).chain(file.scale.keys().map(|scale| Some(&**scale))) {
            let cells = grid::cells(&file, scale, &stand_ins(&file, &bert), &[], Path::new("out"))
                .unwrap_or_else(|errors| panic!("{}, {scale:?}: {errors:?}", path.display()));
            for cell in cells {
                let config: toml::Table = cell.config.parse().unwrap();
                let experiment = cell.resolved().unwrap();
                let model = ["backbone", "architecture"].map(|part| config[part].to_string());
                if built.insert((model, format!("{:?}", experiment.views.input()))) {
                    let model = Model::build(&experiment, Device::Cpu);
                    model
                        .map(|_| ())
                        .unwrap_or_else(|error| panic!("{}: {error}", path.display()));
                }
            }
        }
    }
}
