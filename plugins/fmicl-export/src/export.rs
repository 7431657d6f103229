//! `fmicl export`: a run's backbone, for PyTorch.

use clap::{Args, ValueEnum};
use fmicl_core::panics::refused;
use fmicl_core::tch::{self, CModule, Device, Kind, TchError, Tensor};
use fmicl_core::{Error, Input, Result, View, weights};
use fmicl_runner::command::{Command, Group, Outcome};
use fmicl_runner::run::{CheckpointChoice, Model, RunDir};
use fmicl_runner::{DeviceChoice, Together, eval, out};
use std::fs::File;
use std::io::{self, Write};
use std::os::fd::AsRawFd;
use std::path::{Path, PathBuf};
use std::thread;

#[derive(Debug, Args)]
struct Export {
    /// The run directory that `train` wrote
    run: PathBuf,
    /// The file [default: RUN/backbone.safetensors or RUN/backbone.pt]
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
    /// [default: by the ending of FILE: .pt is torchscript, .safetensors is safetensors]
    #[arg(long, value_enum)]
    format: Option<Format>,
    /// Which checkpoint: last, best (in the run's online evaluation), step-N, or a path
    #[arg(long, value_name = "CHECKPOINT", default_value = "last")]
    checkpoint: CheckpointChoice,
}

fmicl_runner::command!("export", Export, Group::Use, "Write a run's backbone, for PyTorch");

impl Command for Export {
    fn run(self) -> Outcome {
        export(&self)
    }
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Format {
    /// Weights by torchvision's or timm's names, for load_state_dict
    Safetensors,
    /// Program and weights, for torch.jit.load
    #[value(alias = "pt")]
    Torchscript,
}

/// Writes the backbone of one of the run's checkpoints, and prints the file's name.
///
/// # Errors
/// Whatever is wrong with the run, one that diverged included, or the disk; a backbone that cannot be traced.
fn export(args: &Export) -> Outcome {
    let run = RunDir::open(&args.run)?;
    let experiment = run.experiment()?;
    let device = Together::to_use(Some(&experiment), Some(DeviceChoice::Cpu))?.alone("export")?;
    let extension = args.out.as_ref().map(|out| out.extension().unwrap_or_default());
    let format = match (
        args.format,
        extension.map(|extension| extension.to_string_lossy()).as_deref(),
    ) {
        (Some(format), _) => format,
        (None, None | Some("safetensors")) => Format::Safetensors,
        (None, Some("pt")) => Format::Torchscript,
        (None, Some(other)) => {
            let message = format!(
                "`.{other}` says no format: name it .safetensors (weights, for load_state_dict) or .pt (TorchScript, for \
                 torch.jit.load), or give --format safetensors or torchscript"
            );
            return Err(Error::config(message).at("--out").into());
        }
    };
    let default = match format {
        Format::Safetensors => "backbone.safetensors",
        Format::Torchscript => "backbone.pt",
    };
    let out = args.out.clone().unwrap_or_else(|| run.path().join(default));
    out::require_file_place(&out)?;
    let mut it = run.restore(experiment, device, &args.checkpoint)?;
    let input = it.experiment.views.input()?;
    let features = tch::no_grad(|| it.model.learner.encoder().forward(&noise(2, input), false));
    eval::require_finite(&features)?;
    match format {
        Format::Safetensors => weights::write_about(it.model.backbone(), &it.model.about, &out)?,
        Format::Torchscript => script(&mut it.model, input, &out)?,
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

/// A view of `count` samples of noise; texts are of another length for another number.
fn noise(count: i64, input: Input) -> View {
    match input {
        Input::Images { size, channels } => {
            Tensor::randn([count, channels, size, size], (Kind::Float, Device::Cpu)).into()
        }
        Input::Tokens { vocabulary, longest } => {
            let options = (Kind::Int64, Device::Cpu);
            let size = [count, longest.min(8 + count)];
            View {
                input: Tensor::randint(vocabulary, size, options),
                mask: Some(Tensor::ones(size, options)),
            }
        }
    }
}

/// The tensors of a view: what the traced program takes.
fn tensors(view: View) -> Vec<Tensor> {
    [Some(view.input), view.mask].into_iter().flatten().collect()
}

/// Traces the backbone in evaluation mode, for any number of samples.
fn script(model: &mut Model, input: Input, out: &Path) -> Result<()> {
    // A trace has weights as constants, which must not ask for gradients.
    model.store.freeze();
    let _no_grad = tch::no_grad_guard();
    let encoder = model.learner.encoder();
    let mut forward = |inputs: &[Tensor]| {
        let view = View {
            input: inputs[0].shallow_clone(),
            mask: inputs.get(1).map(Tensor::shallow_clone),
        };
        vec![encoder.forward(&view, false)]
    };
    let traced = refused("the backbone cannot be traced", || {
        Ok(CModule::create_by_tracing(
            "Backbone",
            "forward",
            &tensors(noise(2, input)),
            &mut forward,
        )?)
    })?;

    // Another number of samples than in the trace, and of tokens: a backbone that writes it into a shape is found here.
    let other = tensors(noise(3, input));
    let expected = forward(&other).remove(0);
    let agrees = traced
        .forward_ts(&other)
        .is_ok_and(|found| found.size() == expected.size() && found.allclose(&expected, 1e-5, 1e-5, false));
    if !agrees {
        return Err(Error::Run(
            "the traced backbone gives other features for another number of samples or tokens: it writes the number into a \
             shape or a constant; export it as safetensors"
                .into(),
        ));
    }
    weights::atomically(out, |path| save(&traced, path))
}

/// Lets libtorch write a program. Where it cannot write it ends the process, with half a file left, so it is given a pipe that
/// takes everything, and what comes out is written here.
fn save(program: &CModule, path: &Path) -> Result<(), TchError> {
    let mut file = File::create(path)?;
    let (mut reader, writer) = io::pipe()?;
    let (saved, copied) = thread::scope(|scope| {
        let copying = scope.spawn(move || {
            let copied = io::copy(&mut reader, &mut file);
            // A full disk is no reason to stop: who writes would not survive it.
            let _ = io::copy(&mut reader, &mut io::sink());
            copied
        });
        let saved = program.save(format!("/dev/fd/{}", writer.as_raw_fd()));
        drop(writer);
        let panicked = || Err(io::Error::other("the thread that writes panicked"));
        (saved, copying.join().unwrap_or_else(|_| panicked()))
    });
    copied?;
    saved
}
