//! Features of images by a trained run, from Rust: `cargo run --release --example encode -- runs/quickstart-1 a.png b.jpg`.
//!
//! The command line has the same: `ls *.png | fmicl embed RUN --out features.npy`.

use anyhow::{Context, ensure};
use fmicl_core::Stop;
use fmicl_runner::run::{CheckpointChoice, RunDir};
use std::path::Path;
use tch::{Device, no_grad};

// The crates of the parts that a run's config names.
use fmicl_baselines as _;
use fmicl_probes as _;
use fmicl_schedules as _;
use fmicl_transforms as _;

fn main() -> anyhow::Result<()> {
    let mut arguments = std::env::args().skip(1);
    let run = arguments.next().context("expected the folder of a run, then images")?;
    let images: Vec<String> = arguments.collect();
    ensure!(!images.is_empty(), "expected images after the folder of the run");

    let run = RunDir::open(Path::new(&run))?;
    let restored = run.restore(run.experiment()?, Device::Cpu, &CheckpointChoice::Last)?;
    // Decoded, resized, cropped and normalised as for the run's own evaluation.
    let views = &restored.experiment.views;
    let indices: Vec<usize> = (0..images.len()).collect();
    let view = views.evaluation(&*views.lines(images)?, &indices, &Stop::default())?;
    // [N, width], of the backbone before the projector.
    let features = no_grad(|| restored.model.learner.encoder().forward(&view, false));
    println!("{:?}", features.size());
    features.print();
    Ok(())
}
