//! `fmicl convert`: a PyTorch checkpoint's weights as safetensors.

use crate::pickle;
use clap::Args;
use fmicl_core::tch::Tensor;
use fmicl_core::{Error, weights};
use fmicl_runner::command::{Command, Group, Outcome};
use fmicl_runner::out;
use fmicl_runner::weights::shorten;
use std::io::Write;
use std::path::PathBuf;

#[derive(Debug, Args)]
struct Convert {
    /// A file of torch.save: .pth, .pt, .bin, .ckpt
    checkpoint: PathBuf,
    /// The file [default: beside the checkpoint, ending in .safetensors]
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
    /// Where the weights are in the checkpoint, such as state_dict [default: detected]
    #[arg(long, value_name = "KEY")]
    key: Option<String>,
    /// Keep only weights whose names begin with PREFIX, and remove it from them, such as student.backbone.
    #[arg(long, value_name = "PREFIX")]
    strip: Option<String>,
}

fmicl_runner::command!(
    "convert",
    Convert,
    Group::Use,
    "Convert a PyTorch checkpoint's weights to safetensors, for `init`"
);

impl Command for Convert {
    fn run(self) -> Outcome {
        convert(&self)
    }
}

/// Reads the tensors alone, runs nothing that the checkpoint holds, and prints what was taken.
///
/// # Errors
/// A file that is something else or damaged, or the disk's.
fn convert(args: &Convert) -> Outcome {
    let out = args
        .out
        .clone()
        .unwrap_or_else(|| args.checkpoint.with_extension("safetensors"));
    out::require_file_place(&out)?;
    let state = pickle::read(&args.checkpoint, args.key.as_deref())?;
    let (all, mut tensors) = (state.tensors.len(), state.tensors);
    if let Some(prefix) = &args.strip {
        let below = |(name, tensor): (String, Tensor)| Some((name.strip_prefix(prefix.as_str())?.to_string(), tensor));
        let first = tensors.first().map(|(name, _)| name.clone()).unwrap_or_default();
        tensors = tensors.into_iter().filter_map(below).collect();
        if tensors.is_empty() {
            let message = format!("no name begins with {prefix}; the first of {all} is {first}");
            return Err(Error::config(message).at("--strip").into());
        }
    }
    let count = tensors.len();
    weights::write(tensors, &out)?;
    let of = match &*state.key {
        "" => String::new(),
        key => format!(" of `{key}`"),
    };
    let mut beside = state.beside;
    if count < all {
        beside.insert(0, format!("{} other tensors", all - count));
    }
    let beside = match beside.is_empty() {
        true => String::new(),
        false => format!("; left out {}", shorten(&beside)),
    };
    writeln!(std::io::stdout(), "{}: {count} tensors{of}{beside}", out.display())?;
    Ok(())
}
