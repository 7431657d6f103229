//! `fmicl eval`: what a frozen encoder is worth.

use crate::DeviceChoice;
use crate::command::{Command, Group, Outcome, is_of_weights, refuse_both};
use crate::eval::{self, ApartOptions, Asked, EvalOptions};
use crate::run::{CheckpointChoice, RunDir};
use clap::Args;
use std::path::PathBuf;

#[derive(Debug, Args)]
struct Eval {
    /// Run directories that `train` wrote, folders of published weights, or files of weights (.safetensors)
    #[arg(required = true)]
    encoders: Vec<PathBuf>,
    /// Run only these evaluations, such as knn,linear (`fmicl list evaluation`), with the first run's own options for them
    #[arg(long, value_name = "EVALUATION", value_delimiter = ',')]
    on: Vec<String>,
    /// Judge by the labels of this: a dataset's name, an experiment, a run, a folder with train/CLASS/ and test/CLASS/, or a list of
    /// photos (.csv, .tsv, .jsonl; the dataset manifest); of an evaluation with data of its own, such as sts, its folder
    #[arg(long, value_name = "DATA")]
    data: Option<String>,
    /// Change an option of the dataset or the evaluations (dataset.root=DIR, evaluations.knn.k=20, with --on knn.k=20), or of published
    /// weights' views or backbone (backbone.pooling=cls); may be repeated
    #[arg(long = "set", value_name = "KEY=VALUE")]
    sets: Vec<String>,
    /// Which of a run's checkpoints: last, best (in its online evaluation), step-N, or a path
    #[arg(long, value_name = "CHECKPOINT", default_value = "last")]
    checkpoint: CheckpointChoice,
    /// Keep the features of the labelled data in this folder, and take them from there where they are of the same weights and data
    #[arg(long, value_name = "DIR")]
    keep_features: Option<PathBuf>,
    /// Print JSON, with all digits
    #[arg(long)]
    json: bool,
    /// auto, cpu or cuda:N, instead of the experiment's
    #[arg(long)]
    device: Option<DeviceChoice>,
}

crate::command!(
    "eval",
    Eval,
    Group::Evaluate,
    "Evaluate the encoder of a run directory, or encoders side by side"
);

impl Command for Eval {
    /// Evaluates a run as its experiment says, or encoders by evaluations and data that are named.
    fn run(self) -> Outcome {
        let given = |key, short| refuse_both(&self.sets, key, short);
        given("device", self.device.map(|device| device.to_string()))?;
        given("data", self.data.clone())?;
        if let ([run], [], None, None) = (&self.encoders[..], &self.on[..], &self.data, &self.keep_features)
            && RunDir::is_at(run)
        {
            let options = EvalOptions {
                sets: self.sets,
                checkpoint: self.checkpoint,
                json: self.json,
                device: self.device,
            };
            return Ok(eval::run(run, &options)?);
        }
        let (of_folders, sets) = self.sets.into_iter().partition(|set| is_of_weights(set));
        let asked = Asked {
            on: self.on,
            data: self.data,
            sets,
        };
        let options = ApartOptions {
            of_folders,
            checkpoint: self.checkpoint,
            json: self.json,
            device: self.device,
            keep_features: self.keep_features,
        };
        Ok(eval::apart(&self.encoders, &asked, &options)?)
    }
}
