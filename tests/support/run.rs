//! Runs of the tiny experiment, and what is read of them.

use crate::experiment::EXPERIMENT;
use fmicl_core::tch::{Device, Kind, Tensor, no_grad};
use fmicl_runner::config;
use fmicl_runner::run::{Model, RunDir};
use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::process::Command;
use tempfile::TempDir;

/// The stdout of a command that succeeds.
pub fn fmicl(args: &[&str]) -> String {
    let mut command = Command::new(env!("CARGO_BIN_EXE_fmicl"));
    // Tests run side by side: libtorch's threads would only get in each other's way.
    let output = command.args(args).env("OMP_NUM_THREADS", "1").output().unwrap();
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{args:?}: {stderr}");
    String::from_utf8(output.stdout).unwrap()
}

pub fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

/// A run as it would be after a step, without data and evaluation, with a model that was changed.
pub fn run_with(set: String, change: impl Fn(&Model)) -> (TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let (file, run) = (folder.path().join("x.toml"), folder.path().join("run"));
    std::fs::write(&file, EXPERIMENT).unwrap();
    let experiment = config::load(&file, &[set]).unwrap();
    let model = Model::build(&experiment, Device::Cpu).unwrap();
    // Running statistics of its own.
    let _ = no_grad(|| model.learner.encoder().forward(&images(4, 16).into(), true));
    change(&model);
    let directory = RunDir::create(run.clone(), &experiment, model.bytes(), None).unwrap();
    directory.save(model.snapshot()).unwrap();
    (folder, run)
}

pub fn tensors(path: &Path) -> HashMap<String, Tensor> {
    Tensor::read_safetensors(path).unwrap().into_iter().collect()
}

/// Images that Python makes too.
pub fn images(count: i64, size: i64) -> Tensor {
    Tensor::arange(count * 3 * size * size, (Kind::Float, Device::Cpu))
        .sin()
        .view([count, 3, size, size])
}
