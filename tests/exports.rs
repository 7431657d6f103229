//! A run's weights elsewhere: `fmicl export`, and runs that start with them.

#![expect(clippy::unwrap_used, reason = "helpers of tests")]

// The crates that the program links.
#[path = "support/experiment.rs"]
mod experiment;
#[expect(dead_code, reason = "the tests have a `main` of their own")]
#[path = "../src/main.rs"]
mod program;
#[path = "support/run.rs"]
mod run;
#[path = "exports/torchscript.rs"]
mod torchscript;
#[path = "support/trained.rs"]
mod trained;

use experiment::EXPERIMENT;
use fmicl_core::registry;
use fmicl_core::tch::{CModule, Device, Tensor, no_grad};
use fmicl_core::{Backbone, Modality, Part};
use fmicl_runner::config;
use fmicl_runner::run::{CheckpointChoice, Model, RunDir};
use run::{fmicl, images, run_with, tensors, text};
use std::path::Path;
use std::process::Command;
use trained::{run_of, run_on_texts, train};

fn backbone(name: &str) -> Part<dyn Backbone> {
    Part::new(name, toml::Table::new()).unwrap()
}

fn restore(run: &Path) -> Model {
    let run = RunDir::open(run).unwrap();
    let last = CheckpointChoice::Last;
    run.restore(run.experiment().unwrap(), Device::Cpu, &last)
        .unwrap()
        .model
}

/// What the run's encoder makes of images.
fn encode(run: &Path, images: &Tensor) -> Tensor {
    no_grad(|| {
        restore(run)
            .learner
            .encoder()
            .forward(&images.shallow_clone().into(), false)
    })
}

#[test]
fn an_export_has_the_backbone_alone_and_starts_another_run() {
    let (folder, run) = train(&[]);
    let file = folder.path().join("w.safetensors");
    fmicl(&["export", text(&run), "--out", text(&file)]);
    let exported = tensors(&file);
    let images = images(2, 16);
    let expected = encode(&run, &images);
    for name in ["conv1.weight", "layer1.0.bn1.running_var", "layer4.1.conv2.weight"] {
        assert!(exported.contains_key(name), "{name}");
    }
    assert!(
        !exported
            .keys()
            .any(|name| name.contains("projector") || name.contains("backbone"))
    );

    // From the export and from the checkpoint itself, under an architecture with a copy of the backbone.
    let checkpoint = RunDir::open(&run).unwrap().last_checkpoint().unwrap();
    for init in [&file, &checkpoint] {
        let (_folder, next) = train(&[&format!("init={}", text(init)), "architecture={name='moco',queue=32}"]);
        assert_eq!(tensors(&next.join("init.safetensors")), exported);
        let log = std::fs::read_to_string(next.join("log.txt")).unwrap();
        let note = format!("the backbone starts with 100 weights of {}", init.display());
        assert!(log.contains(&note), "{log}");
        let result: serde_json::Value =
            serde_json::from_slice(&std::fs::read(next.join("result.json")).unwrap()).unwrap();
        assert_eq!(result["reports"][2]["representation"], "initial encoder");

        // Built again, it is what it was, the momentum copy too.
        let experiment = config::load(&next.join("config.toml"), &[]).unwrap();
        let model = Model::build(&experiment, Device::Cpu).unwrap();
        let features = no_grad(|| model.learner.encoder().forward(&images.shallow_clone().into(), false));
        assert_eq!(features, expected);
        let variables = model.store.variables();
        for (name, weight) in &exported {
            assert_eq!(&variables[&format!("momentum.backbone.{name}")], weight, "{name}");
        }
    }
}

#[test]
fn a_run_that_started_with_a_file_needs_it_no_more_and_can_be_moved() {
    let (folder, run) = train(&[]);
    let file = folder.path().join("w.safetensors");
    fmicl(&["export", text(&run), "--out", text(&file)]);
    let (next_folder, next) = train(&[&format!("init={}", text(&file))]);
    std::fs::remove_file(&file).unwrap();
    let moved = next_folder.path().join("moved");
    std::fs::rename(&next, &moved).unwrap();
    let printed = fmicl(&["eval", text(&moved)]);
    assert!(printed.contains("  initial encoder"), "{printed}");
    let read = |name: &str| -> serde_json::Value {
        serde_json::from_slice(&std::fs::read(moved.join(name)).unwrap()).unwrap()
    };
    assert_eq!(read("eval.json")["reports"], read("result.json")["reports"]);
}

#[test]
fn a_run_that_diverged_is_not_exported() {
    let (_folder, run) = run_with("seed=0".into(), |model| {
        let weight = &model.store.variables()["backbone.bn1.weight"];
        let _ = no_grad(|| weight.shallow_clone().fill_(f64::INFINITY));
    });
    for format in ["safetensors", "torchscript"] {
        let mut command = Command::new(env!("CARGO_BIN_EXE_fmicl"));
        let output = command
            .args(["export", text(&run), "--format", format])
            .output()
            .unwrap();
        assert_eq!(output.status.code(), Some(1));
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert_eq!(
            stderr,
            "error: the encoder's features are not finite: training diverged; try a lower train.lr\n"
        );
    }
    let left = std::fs::read_dir(&run).unwrap().filter_map(|entry| entry.ok());
    assert!(
        !left
            .into_iter()
            .any(|entry| entry.file_name().to_string_lossy().starts_with("backbone"))
    );
}

#[test]
fn a_file_s_name_says_its_format_and_one_that_says_none_is_told_which_do() {
    let (folder, run) = run_with("seed=0".into(), |_| ());
    let out = folder.path().join("x.pth");
    assert_eq!(
        refused(&["export", text(&run), "--out", text(&out)]),
        "error: --out: `.pth` says no format: name it .safetensors (weights, for load_state_dict) or .pt (TorchScript, for \
         torch.jit.load), or give --format safetensors or torchscript\n"
    );
    fmicl(&["export", text(&run), "--out", text(&out), "--format", "pt"]);
    assert!(out.is_file());
}

/// What a command that is refused says.
fn refused(args: &[&str]) -> String {
    let mut command = Command::new(env!("CARGO_BIN_EXE_fmicl"));
    let output = command.args(args).env("OMP_NUM_THREADS", "1").output().unwrap();
    assert_eq!(output.status.code(), Some(2), "{args:?}");
    String::from_utf8(output.stderr).unwrap()
}

#[test]
fn weights_under_other_heads_than_they_were_trained_with_are_refused_and_files_that_say_nothing_are_taken() {
    let vit = |heads| format!("backbone={{name='vit',width=24,depth=1,heads={heads}}}");
    let (folder, run) = run_of(vit(12));
    let file = folder.path().join("w.safetensors");
    fmicl(&["export", text(&run), "--out", text(&file)]);
    let checkpoint = RunDir::open(&run).unwrap().last_checkpoint().unwrap();
    let experiment = folder.path().join("x.toml");
    for init in [&file, &checkpoint] {
        let set = format!("init={}", text(init));
        let check = |heads| [text(&experiment), "--set", &set, "--set", &vit(heads)].map(str::to_string);
        let with = |heads| {
            let args = check(heads);
            refused(&[&["check"], &args.each_ref().map(String::as_str)[..]].concat())
        };
        let line = with(6);
        assert!(
            line.starts_with("error: --set init=")
                && line.contains("w.safetensors") == (init == &file)
                && line.ends_with(
                    "was trained with backbone.heads = 12, and here it is 6: the weights fit, but would compute \
                     something else; set backbone.heads to 12\n"
                ),
            "{line}"
        );
        let args = check(12);
        let printed = fmicl(&[&["check"], &args.each_ref().map(String::as_str)[..]].concat());
        assert!(printed.contains("ready to train"), "{printed}");
    }
    // As timm writes it.
    fmicl_core::weights::write(tensors(&file), &file).unwrap();
    let set = format!("init={}", text(&file));
    fmicl(&["check", text(&experiment), "--set", &set, "--set", &vit(6)]);
}

#[test]
fn a_checkpoint_of_pytorch_is_converted_and_starts_a_run() {
    let golden = Path::new(env!("CARGO_MANIFEST_DIR")).join("plugins/fmicl-export/golden");
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("w.safetensors");
    for name in ["checkpoint.pth", "checkpoint-legacy.pth"] {
        let printed = fmicl(&["convert", text(&golden.join(name)), "--out", text(&out)]);
        assert_eq!(
            printed,
            format!(
                "{}: 6 tensors of `state_dict`; left out epoch, arch, optimizer, args, best\n",
                out.display()
            )
        );
        let converted = tensors(&out);
        assert_eq!(
            converted["module.encoder_q.conv1.bias"],
            Tensor::from_slice(&[100f32, 101., 102., 103.])
        );
    }
    let checkpoint = golden.join("checkpoint.pth");
    let args = ["convert", text(&checkpoint), "--out", text(&out)];
    let printed = fmicl(&[&args[..], &["--strip", "module.encoder_k."]].concat());
    assert!(
        printed.contains(": 1 tensors of") && printed.contains("5 other tensors"),
        "{printed}"
    );
    assert!(tensors(&out).contains_key("conv1.weight"));
    let line = refused(&[&args[..], &["--strip", "nowhere."]].concat());
    assert!(
        line.starts_with("error: --strip: no name begins with nowhere.; the first of 6 is module."),
        "{line}"
    );
    // An experiment that names it is told the command.
    let (experiment, init) = (folder.path().join("x.toml"), format!("init={}", text(&checkpoint)));
    std::fs::write(&experiment, EXPERIMENT).unwrap();
    let line = refused(&["check", text(&experiment), "--set", &init]);
    assert!(line.contains("convert it with `fmicl convert FILE`"), "{line}");

    // What MoCo's training script would have saved of a run's own backbone.
    let (_folder, run) = run_of("seed=5".into());
    fmicl(&["export", text(&run), "--out", text(&out)]);
    let exported = tensors(&out);
    let moco = exported
        .iter()
        .map(|(name, w)| (format!("module.encoder_q.{name}"), w.shallow_clone()));
    fmicl_core::weights::write(moco, &out).unwrap();
    let (_folder, next) = train(&[&format!("init={}", text(&out))]);
    assert_eq!(tensors(&next.join("init.safetensors")), exported);
}
