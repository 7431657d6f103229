//! `fmicl features`: the features of a run's frozen encoder, for whoever goes on with them elsewhere.

mod files;

use clap::{Args, ValueEnum};
use files::{Format, Outputs};
use fmicl_core::{Dataset, Error, Part, Result, Samples, Split};
use fmicl_data::OnError;
use fmicl_runner::command::{Command, Group, ModelArgs, Outcome, is_of_weights, samples_of};
use fmicl_runner::config::Experiment;
use fmicl_runner::data::{open_split, trained_on};
use fmicl_runner::eval::{self, Origin, Protocol, Subject};
use fmicl_runner::out;
use std::io::Write;
use std::path::PathBuf;
use std::sync::Arc;

#[derive(Debug, Args)]
struct Features {
    /// The run directory that `train` wrote; with --data, published weights, too
    encoder: PathBuf,
    /// Of these images instead of the run's: a dataset's name, an experiment, a run, or a folder with train/CLASS/ and test/CLASS/
    #[arg(long, value_name = "DATA", requires = "out")]
    data: Option<String>,
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
    let source = Source::open(args)?;
    let (out, dataset) = (&source.out, &source.dataset);
    let located = |error| source.locate(error);
    let (pretrain, labelled) = (source.pretrain.clone(), source.labelled);
    // All are opened before any is written.
    let mut splits = Vec::new();
    for (name, split) in asked(&args.split, labelled) {
        let samples = match split {
            Split::Pretrain => pretrain.clone(),
            _ => open_split(dataset, split).map_err(located)?,
        };
        splits.push((name, samples));
    }
    let mut stdout = std::io::stdout();
    let (mut left_out, mut all) = (0, 0);
    for (name, samples) in splits {
        let encoded = eval::features(&source.subject, &samples)?;
        let (size, unreadable) = (encoded.values.size(), encoded.unreadable.len());
        let outputs = Outputs {
            folder: out,
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
    writeln!(stdout, "checkpoint: {}", source.subject.weights.display())?;
    match (left_out, source.subject.reader.on_error) {
        (0, _) | (_, OnError::Skip) => Ok(()),
        (count, OnError::Fail) => Err(Error::Run(format!(
            "{count} of {all} samples cannot be read: the rows of the others are written, and {}/*_skipped.jsonl says which \
             and why; with --set train.on_error=skip this is no error",
            out.display()
        ))
        .into()),
    }
}

/// An encoder, and the images that it reads.
struct Source {
    subject: Subject,
    dataset: Part<dyn Dataset>,
    /// What pre-training sees.
    pretrain: Arc<dyn Samples>,
    labelled: bool,
    /// Folder of the files.
    out: PathBuf,
    /// Where the data's options were written.
    written: Written,
}

/// Where the options of the data were written.
enum Written {
    Run(Box<Experiment>),
    Protocol(Box<Protocol>),
}

impl Source {
    fn open(args: &Features) -> Result<Self> {
        match &args.data {
            Some(data) => Source::of_data(args, data),
            None => Source::of_run(args),
        }
    }

    /// The run's own images.
    fn of_run(args: &Features) -> Result<Self> {
        let (run, experiment, device) = args.model.open(&args.encoder, "features")?;
        let out = args.out.clone().unwrap_or_else(|| run.path().join("features"));
        out::make_folder(&out)?;
        let sets = &args.model.sets;
        let (pretrain, labelled) = samples_of(&run, &experiment)?;
        let dataset = experiment.dataset.clone();
        let written = Written::Run(run.experiment_with(sets)?.into());
        let origin = Origin::Run(run, experiment.into(), args.model.checkpoint.clone());
        Ok(Source {
            subject: origin.open(device, &eval::alone())?,
            dataset,
            pretrain,
            labelled,
            out,
            written,
        })
    }

    /// Other images, which `data` names.
    fn of_data(args: &Features, data: &str) -> Result<Self> {
        let (of_weights, sets): (Vec<_>, Vec<_>) = args.model.sets.iter().cloned().partition(|set| is_of_weights(set));
        let origin = Origin::find(&args.encoder, &of_weights, &args.model.checkpoint)?;
        let protocol = Protocol::of_data(data, &sets)?;
        let Some(dataset) = protocol.dataset().cloned() else {
            return Err(Error::config(format!("--data {data}: is no dataset")));
        };
        let out = args.out.clone().unwrap_or_default();
        out::make_folder(&out)?;
        let device = origin.meet(args.model.device)?.alone("features")?;
        let mut subject = origin.open(device, &eval::alone())?;
        subject.require(dataset.name(), dataset.modality())?;
        protocol.adjust(&mut subject.reader);
        let (pretrain, labelled) = trained_on(&dataset).map_err(|error| protocol.locate(error))?;
        Ok(Source {
            subject,
            dataset,
            pretrain,
            labelled,
            out,
            written: Written::Protocol(protocol.into()),
        })
    }

    fn locate(&self, error: Error) -> Error {
        match &self.written {
            Written::Run(experiment) => experiment.locate(error),
            Written::Protocol(protocol) => protocol.locate(error),
        }
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
