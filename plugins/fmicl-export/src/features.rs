//! `fmicl features`: the features of a run's frozen encoder, for whoever goes on with them elsewhere.

mod files;

use clap::{Args, ValueEnum};
use files::{Format, Outputs};
use fmicl_core::{Error, Split};
use fmicl_data::OnError;
use fmicl_runner::command::{Command, Group, ModelArgs, Outcome, samples_of};
use fmicl_runner::data::open_split;
use fmicl_runner::{eval, out};
use std::io::Write;
use std::path::PathBuf;

#[derive(Debug, Args)]
struct Features {
    /// The run directory that `train` wrote
    run: PathBuf,
    /// Which images; several are separated by commas [default: train,test, or pretrain where there are no labels]
    #[arg(long, value_enum, value_delimiter = ',')]
    split: Vec<Which>,
    /// The folder for the files [default: RUN/features]
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    #[arg(long, value_enum, default_value = "npy")]
    format: Format,
    #[command(flatten)]
    model: ModelArgs,
}

fmicl_runner::command!(
    "features",
    Features,
    Group::Use,
    "Write the features of a run's frozen encoder, and the labels"
);

impl Command for Features {
    fn run(self) -> Outcome {
        features(&self)
    }
}

/// A split of the dataset, or all of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Which {
    /// The images of pre-training
    Pretrain,
    /// The labelled images for training
    Train,
    /// The labelled test images
    Test,
    /// All three; where there are no labels, pretrain
    All,
}

/// Writes features and labels in the order of the dataset, and prints the files' names. Samples that cannot be read are left
/// out and listed; all else is written.
///
/// # Errors
/// Whatever is wrong with the run or its data, or the disk; after everything is written, that samples were left out, unless
/// `train.on_error` allows it.
fn features(args: &Features) -> Outcome {
    let (run, experiment, device) = args.model.open(&args.run, "features")?;
    let it = run.restore(experiment, device, &args.model.checkpoint)?;
    let out = args.out.clone().unwrap_or_else(|| run.path().join("features"));
    out::make_folder(&out)?;
    let located = |error| it.experiment.locate(error);
    let (pretrain, labelled) = samples_of(&run, &it.experiment)?;
    // All are opened before any is written.
    let mut splits = Vec::new();
    for (name, split) in asked(&args.split, labelled) {
        let samples = match split {
            Split::Pretrain => pretrain.clone(),
            _ => open_split(&it.experiment, split).map_err(located)?,
        };
        splits.push((name, samples));
    }
    let mut stdout = std::io::stdout();
    let (mut left_out, mut all) = (0, 0);
    for (name, samples) in splits {
        let encoded = eval::features(&it.experiment, &samples, &it.model, it.device)?;
        let (size, unreadable) = (encoded.values.size(), encoded.unreadable.len());
        let outputs = Outputs {
            folder: &out,
            split: name,
            format: args.format,
            labelled,
        };
        let files = outputs.write(encoded, &*samples)?;
        let files: Vec<_> = files.iter().map(|path| path.display().to_string()).collect();
        let short = match unreadable {
            0 => String::new(),
            count => format!(", and {count} that cannot be read"),
        };
        writeln!(
            stdout,
            "{}: {} images, {} features{short}",
            files.join(", "),
            size[0],
            size[1]
        )?;
        left_out += unreadable;
        all += samples.len();
    }
    writeln!(stdout, "checkpoint: {}", it.checkpoint.display())?;
    match (left_out, it.experiment.train.on_error) {
        (0, _) | (_, OnError::Skip) => Ok(()),
        (count, OnError::Fail) => Err(Error::Run(format!(
            "{count} of {all} samples cannot be read: the rows of the others are written, and {}/*_skipped.jsonl says which \
             and why; with --set train.on_error=skip this is no error",
            out.display()
        ))
        .into()),
    }
}

/// The splits that are asked for, each once, with their names; where there are no labels, all of them are one.
fn asked(which: &[Which], labelled: bool) -> Vec<(&'static str, Split)> {
    let all: &[Which] = match labelled {
        true => &[Which::Pretrain, Which::Train, Which::Test],
        false => &[Which::Pretrain],
    };
    let which = match which {
        [] => &all[all.len().saturating_sub(2)..],
        which if which.contains(&Which::All) => all,
        which => which,
    };
    let splits = [
        ("pretrain", Split::Pretrain, Which::Pretrain),
        ("train", Split::Train, Which::Train),
        ("test", Split::Test, Which::Test),
    ];
    let splits = splits.into_iter().filter(|(.., of)| which.contains(of));
    splits.map(|(name, split, _)| (name, split)).collect()
}
