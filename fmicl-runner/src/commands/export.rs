//! `fmicl export`: a run's backbone, for PyTorch.

use crate::panics::refused;
use crate::train::{Model, RunDir};
use crate::{DeviceChoice, eval, weights};
use clap::{Args, ValueEnum};
use fmicl_core::tch::{self, CModule, Device, Kind, Tensor};
use fmicl_core::{Error, Result, View};
use std::io::Write;
use std::path::{Path, PathBuf};

#[derive(Debug, Args)]
pub(crate) struct ExportArgs {
    /// The run directory that `train` wrote
    run: PathBuf,
    /// The file [default: RUN/backbone.safetensors or RUN/backbone.pt]
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
    /// [default: torchscript for a FILE that ends in .pt, else safetensors]
    #[arg(long, value_enum)]
    format: Option<Format>,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Format {
    /// Weights by torchvision's or timm's names, for load_state_dict
    Safetensors,
    /// Program and weights, for torch.jit.load
    Torchscript,
}

/// Writes the backbone of the run's last checkpoint, and prints the file's name.
///
/// # Errors
/// Whatever is wrong with the run, one that diverged included, or the disk; a backbone that cannot be traced.
pub(crate) fn export(args: &ExportArgs) -> anyhow::Result<()> {
    let run = RunDir::open(&args.run)?;
    let mut it = run.restore(Some(DeviceChoice::Cpu))?;
    let by_name = |path: &PathBuf| path.extension().is_some_and(|extension| extension == "pt");
    let format = args.format.unwrap_or(match args.out.as_ref().is_some_and(by_name) {
        true => Format::Torchscript,
        false => Format::Safetensors,
    });
    let default = match format {
        Format::Safetensors => "backbone.safetensors",
        Format::Torchscript => "backbone.pt",
    };
    let out = args.out.clone().unwrap_or_else(|| run.path().join(default));
    let size = it.experiment.views.size as i64;
    let features = tch::no_grad(|| it.model.learner.encoder().forward(&images(2, size).into(), false));
    eval::require_finite(&features)?;
    match format {
        Format::Safetensors => weights::write(it.model.backbone(), &out)?,
        Format::Torchscript => script(&mut it.model, size, &out)?,
    }
    let what = (it.experiment.backbone.name(), it.model.learner.encoder().width());
    writeln!(
        std::io::stdout(),
        "{}: {} of {} features\ncheckpoint: {}",
        out.display(),
        what.0,
        what.1,
        it.checkpoint.display()
    )?;
    Ok(())
}

/// Noise, `[count, 3, size, size]`.
fn images(count: i64, size: i64) -> Tensor {
    Tensor::randn([count, 3, size, size], (Kind::Float, Device::Cpu))
}

/// Traces the backbone in evaluation mode on images of `size` pixels, for any number of them.
fn script(model: &mut Model, size: i64, out: &Path) -> Result<()> {
    // A trace has weights as constants, which must not ask for gradients.
    model.store.freeze();
    let _no_grad = tch::no_grad_guard();
    let encoder = model.learner.encoder();
    let mut forward = |inputs: &[Tensor]| vec![encoder.forward(&View::from(inputs[0].shallow_clone()), false)];
    let traced = refused("the backbone cannot be traced", || {
        Ok(CModule::create_by_tracing(
            "Backbone",
            "forward",
            &[images(2, size)],
            &mut forward,
        )?)
    })?;

    // Another number of images than in the trace: a backbone that writes it into a shape is found here.
    let other = images(3, size);
    let expected = forward(std::slice::from_ref(&other)).remove(0);
    let agrees = traced
        .forward_ts(&[&other])
        .is_ok_and(|found| found.size() == expected.size() && found.allclose(&expected, 1e-5, 1e-5, false));
    if !agrees {
        return Err(Error::Run(
            "the traced backbone gives other features for another number of images: it writes the number into a \
             shape or a constant; export it as safetensors"
                .into(),
        ));
    }
    weights::atomically(out, |path| traced.save(path))
}
