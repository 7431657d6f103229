//! `fmicl check`: everything about an experiment that can be known before training.

mod files;
mod model;

use super::ExperimentArgs;
use crate::command::{Command, Group, Outcome};
use crate::config::Experiment;
use crate::data::Splits;
use crate::eval;
use crate::{train, wrap};
use clap::Args;
use fmicl_core::{Error, MetricNames, Result};
use model::Model;
use std::fmt;

#[derive(Debug, Args)]
struct Check {
    #[command(flatten)]
    experiment: ExperimentArgs,
    /// Read every sample too, and name those that cannot be read
    #[arg(long)]
    files: bool,
}

crate::command!(
    "check",
    Check,
    Group::Inspect,
    "Check all of an experiment that can be known before training"
);

impl Command for Check {
    fn run(self) -> Outcome {
        Ok(check(&self)?)
    }
}

/// Prints a short summary; with `files` every sample is read first.
fn check(args: &Check) -> Result<(), Vec<Error>> {
    let experiment = args.experiment.load()?;
    let Checked { mut lines, data, .. } = checked(&experiment)?;
    let read = match args.files {
        true => files::read_all(&experiment, &data)?,
        false => "not read; `check --files` reads every one".into(),
    };
    lines.push(("samples", read));
    lines.extend(data.notes(&experiment).into_iter().map(|note| ("note", note)));
    let lines: Vec<_> = lines.iter().map(line).collect();
    let given = experiment.given().map_err(|error| vec![error])?;
    let given: String = given.iter().map(|given| format!("    {given}\n")).collect();
    let text = format!(
        "{}: ready to train\n{}\n  options that are not at their defaults:\n{given}",
        args.experiment.path.display(),
        lines.join("\n")
    );
    wrap::print(&text, 4).map_err(|error| vec![Error::io("stdout", error)])
}

/// Everything that is known of an experiment before training.
pub struct Checked {
    lines: Vec<Line>,
    data: Splits,
    terms: Vec<&'static str>,
}

impl Checked {
    /// The names of the metrics of each evaluation after training.
    pub fn of_evaluations(&self) -> Vec<(&str, MetricNames)> {
        self.data.metrics(false)
    }

    /// The names of the metrics of an epoch of training.
    pub fn of_training(&self) -> impl Iterator<Item = &'static str> {
        let of_epochs = train::EPOCH_METRICS.into_iter().chain(train::SOME_EPOCHS_METRICS);
        of_epochs.chain(self.terms.iter().copied())
    }
}

/// A summary in a few lines.
impl fmt::Display for Checked {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str(&self.lines.iter().map(line).collect::<Vec<_>>().join("\n"))
    }
}

fn line((key, value): &Line) -> String {
    format!("  {key:<9} {value}")
}

/// A line of a summary: its key, and the rest.
type Line = (&'static str, String);

/// Checks all of an experiment that can be known before training.
///
/// # Errors
/// Everything that is wrong with it.
pub fn checked(experiment: &Experiment) -> Result<Checked, Vec<Error>> {
    let mut problems = Vec::new();
    let device = experiment
        .device
        .resolve()
        .and_then(|device| experiment.train.precision.on(device));
    let device = keep(device, experiment, &mut problems);
    let data = keep(Splits::open_to_train(experiment), experiment, &mut problems);
    let model = keep(Model::build(experiment), experiment, &mut problems);
    let (Some(device), Some(data), Some(mut model)) = (device, data, model) else {
        return Err(problems);
    };
    let need = eval::require_room(&data, model.learner.encoder().width(), device)
        .map_err(|error| vec![experiment.locate(error)])?;
    let steps = model.dry_run(experiment, &data.pretrain);
    let (steps, terms) = steps.map_err(|error| vec![experiment.locate(error)])?;
    let init = match &model.init {
        Some(init) => format!(" from {init}"),
        None => String::new(),
    };
    let labels = data.labelled.as_ref().map_or(String::new(), |labelled| {
        let classes = labelled.train.classes();
        let (train, test) = (labelled.train.len(), labelled.test.len());
        format!(", {train} and {test} with labels of {classes} classes")
    });
    let (name, count) = (experiment.dataset.name(), data.pretrain.len());
    let modality = experiment.dataset.modality();
    let mut lines = vec![("dataset", format!("{name}: {count} {modality} to train on{labels}"))];
    let views = experiment.views.summary();
    if !views.is_empty() {
        lines.push(("views", views));
    }
    let (backbone, architecture) = (experiment.backbone.name(), experiment.architecture.name());
    let (parameters, width) = (model.parameters, model.learner.encoder().width());
    lines.push((
        "model",
        format!("{backbone} in {architecture}: {parameters} parameters, {width} features{init}"),
    ));
    lines.extend(experiment.why().map(|why| ("default", why)));
    let epochs = experiment.train.epochs;
    lines.push(("training", format!("{epochs} epochs of {steps} steps on {device:?}")));
    lines.extend(need.map(|need| ("memory", format!("evaluation takes {need}"))));
    Ok(Checked { lines, data, terms })
}

/// The value, or its error among the problems.
fn keep<T>(result: Result<T>, experiment: &Experiment, problems: &mut Vec<Error>) -> Option<T> {
    result.map_err(|error| problems.push(experiment.locate(error))).ok()
}

#[cfg(test)]
mod tests {
    use crate::config::load;
    use fmicl_core::tch::Kind;

    /// What `check` finds in a file that starts with these lines.
    fn check(lines: &str) -> Result<String, Vec<String>> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("x.toml");
        let rest = r#"
            architecture = "simclr"
            objective = { name = "f-micl", divergence = "kl", similarity = "gaussian" }
            optimizer = "sgd"
            train = { epochs = 4, batch_size = 8, lr = 0.5 }
        "#;
        std::fs::write(&path, format!("{lines}{rest}")).unwrap();
        let shown = format!("{}/", folder.path().display());
        let found = super::checked(&load(&path, &[]).unwrap());
        found.map(|found| found.to_string()).map_err(|errors| {
            errors
                .iter()
                .map(|error| error.to_string().replace(&shown, ""))
                .collect()
        })
    }

    const BACKBONE: &str = "backbone = { name = 'resnet', stem = 'cifar', width = 8 }\n";

    #[test]
    fn an_experiment_that_fits_is_summed_up() {
        let summary = check(&format!("{BACKBONE}dataset = 'gray'\ndevice = 'cpu'")).unwrap();
        assert!(
            summary.contains("gray: 16 images to train on, 16 and 16 with labels of 2 classes"),
            "{summary}"
        );
        assert!(
            summary.contains(
                "views     32 x 32 pixels, normalised by mean [0.4914, 0.4822, 0.4465] and deviation [0.247, 0.2435, \
                 0.2616] (CIFAR-10's)"
            ),
            "{summary}"
        );
        assert!(summary.contains("resnet in simclr: "), "{summary}");
        assert!(summary.contains("4 epochs of 2 steps on Cpu"), "{summary}");
        let memory = "evaluation takes about 0.1 GiB (raw pixels of 16 + 16 samples, 3072 numbers each, and what ";
        assert!(summary.contains(memory), "{summary}");
    }

    #[test]
    fn a_batch_larger_than_the_dataset_is_found() {
        let errors = check(&format!("{BACKBONE}dataset = {{ name = 'gray', count = 7 }}")).unwrap_err();
        let expected = "x.toml:6:35: train.batch_size: 8 is more than the dataset's 7 samples; take at most that many";
        assert_eq!(errors, [expected]);
    }

    #[test]
    fn an_evaluation_beyond_the_memory_is_found_with_what_would_work() {
        let lines = |eval: &str| format!("{BACKBONE}dataset = {{ name = 'gray', count = 400000000000 }}\n{eval}");
        let errors = check(&lines("eval.batch_size = 20")).unwrap_err();
        let found = "x.toml:3:1: eval: the evaluation after training takes about ";
        assert!(
            errors.len() == 1
                && errors[0].starts_with(found)
                && errors[0].contains("(features of 400000000000 + 400000000000 samples, 64 numbers each"),
            "{errors:?}"
        );
        assert!(
            errors[0].contains("; lower eval.train_samples, which is all 400000000000 unless set"),
            "{errors:?}"
        );
    }

    #[test]
    fn more_neighbours_than_samples_are_found_and_the_default_takes_all() {
        let lines = |k: usize| format!("{BACKBONE}dataset = 'gray'\nevaluations.knn.k = {k}");
        assert_eq!(
            check(&lines(17)).unwrap_err(),
            [
                "x.toml:3:17: evaluations.knn.k: 17 is more than the dataset's 16 labelled samples to train on; take at most that many"
            ]
        );
        for k in [16, 200] {
            check(&lines(k)).unwrap();
        }
    }

    #[test]
    fn every_problem_is_reported() {
        let errors = check(&format!(
            "{BACKBONE}dataset = {{ name = 'gray', broken = true }}\ndevice = 'cuda:99'"
        ));
        let errors = errors.unwrap_err();
        assert_eq!(errors.len(), 2);
        assert!(
            errors[0].starts_with("x.toml:3:1: device: no GPU 99: "),
            "{}",
            errors[0]
        );
        assert_eq!(errors[1], "x.toml:2:1: dataset: gray/test: the file is empty");
    }

    #[test]
    fn a_backbone_for_images_of_another_size_than_the_views_is_found() {
        let errors = check("backbone = { name = 'vit', image_size = 224 }\ndataset = 'gray'").unwrap_err();
        let expected =
            "x.toml:1:28: backbone.image_size: 224, but views.size is 32: leave image_size out, or set both alike";
        assert_eq!(errors, [expected]);
    }

    #[test]
    fn a_model_beyond_the_memory_is_a_line_at_its_part() {
        let errors = check("dataset = 'gray'\nbackbone = 'too-large'").unwrap_err();
        assert_eq!(
            errors,
            [
                "x.toml:2:1: backbone: cannot be built: libtorch: one tensor takes 4294967296 MiB, more memory than there is"
            ]
        );
    }

    #[test]
    fn an_init_that_does_not_fit_is_found_at_its_line() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("w.safetensors");
        let write = |names: &[&str]| {
            let tensors = names
                .iter()
                .map(|name| (name.to_string(), fmicl_core::testing::unit_rows(2, 2, Kind::Float, 0)));
            crate::weights::write(tensors, &path).unwrap();
            let errors = check(&format!(
                "dataset = 'gray'\nbackbone = 'needs-16-pixels'\nviews.size = 16\ninit = {path:?}"
            ));
            errors.map_err(|errors| errors.join("\n").replace(path.to_str().unwrap(), "w.safetensors"))
        };
        assert_eq!(
            write(&["weight", "fc.weight"]).unwrap_err(),
            "x.toml:4:1: init: w.safetensors does not fit the backbone; missing: bias; of another shape: weight ([2, 2] \
             instead of [4, 3, 16, 16])"
        );
        let missing =
            check("dataset = 'gray'\nbackbone = 'needs-16-pixels'\nviews.size = 16\ninit = 'no-such'").unwrap_err();
        assert_eq!(
            missing,
            ["x.toml:4:1: init: no-such: there is no such file; a file of safetensors is expected"]
        );
    }

    #[test]
    fn views_too_small_for_the_backbone_are_found() {
        let errors = check("backbone = 'needs-16-pixels'\ndataset = 'gray'\nviews.size = 8").unwrap_err();
        assert_eq!(errors.len(), 1);
        assert!(
            errors[0].starts_with("x.toml:1:1: backbone: views of 8 pixels: libtorch: "),
            "{}",
            errors[0]
        );
    }
}
