//! `fmicl features`: the features of a run's frozen encoder, for whoever goes on with them elsewhere.

use crate::data::{has_labels, open_split};
use crate::eval::{self, Features};
use crate::together::Together;
use crate::train::RunDir;
use crate::{DeviceChoice, disk, weights};
use clap::{Args, ValueEnum};
use fmicl_core::tch::Device;
use fmicl_core::{Result, Split};
use std::io::Write;
use std::path::{Path, PathBuf};

#[derive(Debug, Args)]
pub(crate) struct FeaturesArgs {
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
    /// auto, cpu or cuda:N, instead of the experiment's
    #[arg(long)]
    device: Option<DeviceChoice>,
}

/// A split of the dataset, or all of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Which {
    /// What was trained on
    Pretrain,
    /// The labelled images for training
    Train,
    /// The labelled images for test
    Test,
    /// All three
    All,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Format {
    /// SPLIT_features.npy and SPLIT_labels.npy, for numpy.load
    Npy,
    /// SPLIT.safetensors with `features` and `labels`
    Safetensors,
}

/// Writes features and labels in the order of the dataset, and prints the files' names.
///
/// # Errors
/// Whatever is wrong with the run or its data, or the disk.
pub(crate) fn features(args: &FeaturesArgs) -> anyhow::Result<()> {
    let run = RunDir::open(&args.run)?;
    let experiment = run.experiment()?;
    let device = Together::to_use(Some(&experiment), args.device)?.alone("features")?;
    let it = run.restore(experiment, device)?;
    let out = args.out.clone().unwrap_or_else(|| run.path().join("features"));
    disk::make_folder(&out)?;
    let mut which = args.split.clone();
    if which.is_empty() {
        let labelled = has_labels(&it.experiment).map_err(|error| it.experiment.locate(error))?;
        which = if labelled {
            vec![Which::Train, Which::Test]
        } else {
            vec![Which::Pretrain]
        };
    }
    let mut stdout = std::io::stdout();
    for (name, split) in [
        ("pretrain", Split::Pretrain),
        ("train", Split::Train),
        ("test", Split::Test),
    ] {
        let asked =
            |which: &Which| *which == Which::All || which.to_possible_value().is_some_and(|it| it.matches(name, false));
        if !which.iter().any(asked) {
            continue;
        }
        let samples = open_split(&it.experiment, split).map_err(|error| it.experiment.locate(error))?;
        let features = eval::features(&it.experiment, &samples, &it.model, it.device)?;
        let size = features.values.size();
        let files = write(&features, samples.classes() > 0, &out, name, args.format)?;
        let files: Vec<_> = files.iter().map(|path| path.display().to_string()).collect();
        writeln!(stdout, "{}: {} images, {} features", files.join(", "), size[0], size[1])?;
    }
    writeln!(stdout, "checkpoint: {}", it.checkpoint.display())?;
    Ok(())
}

/// The files' paths. A split without labels has none.
fn write(features: &Features, labelled: bool, folder: &Path, split: &str, format: Format) -> Result<Vec<PathBuf>> {
    let labels = labelled.then_some(("labels", &features.labels));
    let tensors = [("features", &features.values)].into_iter().chain(labels);
    let tensors: Vec<_> = tensors
        .map(|(name, tensor)| (name.to_string(), tensor.to_device(Device::Cpu)))
        .collect();
    match format {
        Format::Npy => {
            let one = |(name, tensor): &(String, _)| {
                let path = folder.join(format!("{split}_{name}.npy"));
                weights::atomically(&path, |path| fmicl_core::tch::Tensor::write_npy(tensor, path))?;
                Ok(path)
            };
            tensors.iter().map(one).collect()
        }
        Format::Safetensors => {
            let path = folder.join(format!("{split}.safetensors"));
            weights::write(tensors, &path)?;
            Ok(vec![path])
        }
    }
}
