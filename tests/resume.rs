//! A run that was stopped goes on as if nothing had happened: for every architecture and optimizer, to the bit.

#![expect(clippy::unwrap_used, reason = "helpers of tests")]

// The crates that the program links.
#[path = "support/experiment.rs"]
mod experiment;
#[path = "support/metrics.rs"]
mod metrics;
#[expect(dead_code, reason = "the tests have a `main` of their own")]
#[path = "../src/main.rs"]
mod program;
#[path = "support/state.rs"]
mod state;

use experiment::EXPERIMENT;
use fmicl_core::registry::{self, Listing};
use fmicl_core::tch;
use fmicl_core::{Architecture, Backbone, Dataset, Modality, Optimizer, Part, Views};
use fmicl_runner::config;
use fmicl_runner::train::{Resume, TrainOptions};
use metrics::metrics;
use state::{checkpoint, steps};
use std::path::PathBuf;
use std::sync::{Mutex, PoisonError};
use tempfile::TempDir;

/// libtorch has one random generator for the whole process: tests that draw from it take turns.
static RANDOM: Mutex<()> = Mutex::new(());

/// Where the runs end that are compared: in the middle of the last epoch, before anything is evaluated.
const LAST: u64 = 8;

struct Case {
    folder: TempDir,
    experiment: PathBuf,
    sets: Vec<String>,
}

impl Case {
    fn new(sets: &[String]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let experiment = folder.path().join("x.toml");
        // Other views have no size.
        let text = match sets.iter().any(|set| set.starts_with("views=")) {
            true => EXPERIMENT.replace("views.size = 16\n", ""),
            false => EXPERIMENT.to_string(),
        };
        std::fs::write(&experiment, text).unwrap();
        Case {
            folder,
            experiment,
            sets: sets.to_vec(),
        }
    }

    fn run(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Trains from the last checkpoint, if there is one, to step `last`, with other settings `more`.
    fn train(&self, name: &str, last: u64, more: &[&str]) -> anyhow::Result<()> {
        let sets: Vec<_> = self
            .sets
            .iter()
            .cloned()
            .chain(more.iter().map(ToString::to_string))
            .collect();
        let experiment = config::load(&self.experiment, &sets)?;
        let options = TrainOptions {
            out: Some(self.run(name)),
            name: name.into(),
            resume: Resume::Auto,
            stop_after: Some(last),
            ..TrainOptions::default()
        };
        let _turn = RANDOM.lock().unwrap_or_else(PoisonError::into_inner);
        // The process's, and part of what the last bits depend on.
        tch::set_num_threads(1);
        fmicl_runner::train_and_judge(experiment, &options)
    }
}

/// Stops a run twice, in the middle of an epoch and at an end, and goes on with other numbers of data workers.
fn check(sets: &[String]) {
    let case = Case::new(sets);
    let train = |name, last, more: &[&str]| {
        case.train(name, last, more)
            .unwrap_or_else(|error| panic!("{sets:?}: {error:#}"));
    };
    train("whole", LAST, &[]);
    train("parts", 1, &[]);
    train("parts", 3, &["train.threads=1"]);
    train("parts", 5, &["train.threads=3"]);
    train("parts", LAST, &[]);
    let [whole, parts] = ["whole", "parts"].map(|name| checkpoint(&case.run(name), LAST));
    // That the files can differ at all.
    assert!(checkpoint(&case.run("parts"), 5)[0] != parts[0]);
    assert!(whole[0] == parts[0], "{sets:?}: other weights");
    assert!(whole[1] == parts[1], "{sets:?}: another state of training");
    let [whole, parts] = ["whole", "parts"].map(|name| metrics(&case.run(name)));
    assert_eq!(whole.len(), 2);
    assert_eq!(whole, parts, "{sets:?}");
    let [whole, parts] = ["whole", "parts"].map(|name| steps(&case.run(name)));
    let numbers: Vec<_> = whole.iter().map(|line| line["step"].as_u64().unwrap()).collect();
    assert_eq!(numbers, [2, 4, 6, 8]);
    assert!(whole.iter().all(|line| line["grad_norm"].as_f64().unwrap() > 0.0));
    assert_eq!(whole, parts, "{sets:?}");
}

fn set(key: &str, part: &str) -> String {
    format!("{key}={part}")
}

#[test]
fn resuming_gives_the_same_weights_to_the_bit_for_every_architecture_and_optimizer() {
    for architecture in registry::list::<dyn Architecture>() {
        for optimizer in registry::list::<dyn Optimizer>() {
            check(&[set("architecture", architecture.name), set("optimizer", optimizer.name)]);
        }
    }
}

#[test]
fn it_does_for_every_backbone_of_images() {
    let is_of_images = |part: &Listing| {
        part.defaults.is_some() && {
            let part: Part<dyn Backbone> = Part::new(part.name, toml::Table::new()).unwrap();
            part.modality() == Modality::Images && !part.is_pretrained()
        }
    };
    for backbone in registry::list::<dyn Backbone>().into_iter().filter(is_of_images) {
        check(&[set("backbone", backbone.name)]);
    }
}

#[test]
fn it_does_with_batches_that_are_accumulated_clipped_gradients_and_evaluations_on_the_way() {
    check(&[
        "train.accumulate=2".into(),
        "train.batch_size=4".into(),
        "train.clip_grad_norm=0.1".into(),
        "train.on_nan=skip".into(),
        "eval.every=1".into(),
        "architecture={name='moco',queue=20}".into(),
    ]);
}

#[test]
fn it_does_for_what_the_objective_learns_and_each_step_moves_it() {
    for (options, architecture, optimizer, learned) in [
        ("mu=2,learn=true", "simclr", "sgd", &["sigma", "mu"][..]),
        (
            "mu='batch',learn=['sigma']",
            "{name='moco',queue=20}",
            "adamw",
            &["sigma"],
        ),
        ("learn=true,learn_lr=1", "moco-v3", "lars", &["sigma", "mu"]),
    ] {
        let sets = [
            format!("objective.similarity={{name='gaussian',{options}}}"),
            set("architecture", architecture),
            set("optimizer", optimizer),
        ];
        check(&sets);
        let case = Case::new(&sets);
        case.train("run", LAST, &[]).unwrap();
        let lines = metrics(&case.run("run"));
        for name in learned {
            let [first, second] = [0, 1].map(|line| lines[line][name].as_f64().unwrap());
            assert!(
                first != second && second > 0.0,
                "{sets:?}: {name} is {first}, then {second}"
            );
        }
        assert_eq!(lines[0].get("mu").is_some(), learned.contains(&"mu"), "{sets:?}");
        // The metric is that of the checkpoint.
        let path = case.run("run/checkpoints/step-0000000008/model.safetensors");
        let weights = tch::Tensor::read_safetensors(path).unwrap();
        let names: Vec<_> = weights
            .iter()
            .filter(|(name, _)| name.starts_with("objective."))
            .collect();
        assert_eq!(names.len(), learned.len(), "{names:?}");
    }
}

#[test]
fn it_does_under_schedules_of_a_plugin_which_the_learning_rate_follows() {
    let sets = [
        "train.schedule=linear",
        "architecture={name='moco-v3',schedule='constant'}",
    ];
    let sets = sets.map(String::from);
    check(&sets);
    let case = Case::new(&sets);
    case.train("run", LAST, &[]).unwrap();
    // Three steps of warm-up to 0.01, and six to 0.
    let expected = [0.01 / 3.0, 0.01, 0.01 * 4.0 / 6.0, 0.01 * 2.0 / 6.0];
    for (line, expected) in steps(&case.run("run")).iter().zip(expected) {
        assert!((line["lr"].as_f64().unwrap() - expected).abs() < 1e-15, "{line}");
    }
}

#[test]
fn it_does_for_sentences_whose_views_are_made_by_dropout() {
    let files = tempfile::tempdir().unwrap();
    let named = |name: &str, mut options: toml::Table| {
        options.insert("name".into(), name.into());
        toml::Value::Table(options)
    };
    let dataset: Part<dyn Dataset> = Part::new("sentences", toml::Table::new()).unwrap();
    let dataset = named("sentences", dataset.example(files.path()).unwrap());
    let views: Part<dyn Views> = Part::new("text", toml::Table::new()).unwrap();
    let views = named("text", views.example(files.path()).unwrap());
    for architecture in ["simclr", "moco"] {
        check(&[
            format!("dataset={dataset}"),
            "train.batch_size=6".into(),
            format!("views={views}"),
            "backbone={name='bert',dropout=0.3}".into(),
            // Sentences have no labels.
            "evaluations.knn=false".into(),
            "evaluations.linear=false".into(),
            set("architecture", architecture),
            set("optimizer", "adamw"),
            // They have no labels.
            set("evaluations.knn", "false"),
            set("evaluations.linear", "false"),
        ]);
    }
}

#[test]
fn lines_of_metrics_behind_the_checkpoint_are_cut_off() {
    let case = Case::new(&[]);
    case.train("whole", LAST, &[]).unwrap();
    case.train("run", 4, &[]).unwrap();
    // As a process leaves it that was killed in a line after the checkpoint.
    for name in ["metrics.jsonl", "steps.jsonl"] {
        let path = case.run("run").join(name);
        let text = std::fs::read_to_string(&path).unwrap();
        let later = std::fs::read_to_string(case.run("whole").join(name)).unwrap();
        std::fs::write(&path, format!("{text}{}", &later[text.len()..later.len() - 5])).unwrap();
    }
    case.train("run", LAST, &[]).unwrap();
    assert_eq!(metrics(&case.run("run")), metrics(&case.run("whole")));
    assert_eq!(steps(&case.run("run")), steps(&case.run("whole")));
}
