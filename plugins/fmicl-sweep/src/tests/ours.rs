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
    assert!(found.len() >= 12);
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

/// MoCo v3's augmentation, arXiv 2104.02057 and `main_moco.py` of its code: what its `transforms.Compose` lists say.
const MOCO_V3: &str = r#"
    name = "image"
    size = 224
    eval_resize = 256
    order = ["crop", "jitter", "grayscale", "blur", "solarize", "flip"]
    crop = { scale = [0.08, 1.0], ratio = [0.75, 1.3333333333333333] }
    jitter = { brightness = 0.4, contrast = 0.4, saturation = 0.2, hue = 0.1, p = 0.8 }
    grayscale = { p = 0.2 }
    blur = false
    flip = { p = 0.5 }
    normalize = { mean = [0.485, 0.456, 0.406], std = [0.229, 0.224, 0.225] }
    each = [
        { blur = { sigma = [0.1, 2.0], p = 1.0 } },
        { blur = { sigma = [0.1, 2.0], p = 0.1 }, solarize = { threshold = 128, p = 0.2 } },
    ]
"#;

#[test]
fn moco_v3_has_its_published_views_wherever_it_meets_imagenet() {
    let experiments = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../experiments");
    let rounded = |views: &toml::Value| {
        let mut views = views.clone();
        // Of f32 in the options.
        let normalize = views["normalize"].as_table_mut().unwrap();
        for (_, values) in normalize.iter_mut() {
            for value in values.as_array_mut().unwrap() {
                *value = ((value.as_float().unwrap() * 1e6).round() / 1e6).into();
            }
        }
        views
    };
    let published: toml::Value = toml::from_str(MOCO_V3).unwrap();
    let alone = fmicl_runner::config::load(&experiments.join("imagenet-moco-v3.toml"), &[]).unwrap();
    assert_eq!(rounded(&alone.to_table().unwrap()["views"]), published);
    assert_eq!(alone.views.count(), Some(2));

    let file = SweepFile::read(&experiments.join("paper/imagenet.toml")).unwrap();
    let cells = grid::cells(&file, None, &[], &[], Path::new("out")).unwrap();
    for cell in &cells {
        let config: toml::Table = cell.config.parse().unwrap();
        assert_eq!(rounded(&config["views"]), published);
        // Of a run that is begun in another folder.
        let run = fmicl_runner::config::load(&cell.experiment, &cell.sets()).unwrap();
        assert_eq!(rounded(&run.to_table().unwrap()["views"]), published);
        assert!(
            cell.sets().iter().any(|set| set.starts_with("views.extends=\"/")),
            "{:?}",
            cell.sets()
        );
    }
    assert_eq!(cells.len(), 6 * 3);
}
