//! Every registered part trains: the registry is walked, so a part that is added later is covered as it is.

#![expect(clippy::unwrap_used, reason = "helpers of tests")]

#[path = "every_part/collapse.rs"]
mod collapse;
#[path = "every_part/experiments.rs"]
mod experiments;
// The crates that the program links.
#[expect(dead_code, reason = "the tests have a `main` of their own")]
#[path = "../src/main.rs"]
mod program;
#[path = "support/published.rs"]
mod published;

use fmicl_core::registry::{self, Listing};
use fmicl_core::tch::{self, Device, Kind, Tensor};
use fmicl_core::{
    Architecture, Backbone, Dataset, Divergence, Input, Modality, Normaliser, Objective, Parameters, Part, Similarity,
    Transform, View, Views,
};
use fmicl_runner::config::{self, Experiment};
use fmicl_runner::run::Model;
use fmicl_runner::train::TrainOptions;
use published::published;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

/// libtorch has one random generator for the whole process: tests that draw from it take turns.
static RANDOM: Mutex<()> = Mutex::new(());

/// Three steps on a few digits. Parts that have an option without a default (`subset`, `leave-out`, `f-micl`) are covered by
/// standing here.
const EXPERIMENT: &str = r#"
dataset = { name = "subset", train = 24, of = { name = "leave-out", of = "digits" } }
backbone = { name = "resnet", depth = 18, stem = "cifar", width = 4 }
architecture = { name = "simclr", out = 16 }
objective = { name = "f-micl", divergence = "kl", similarity = "gaussian" }
optimizer = "sgd"
engine = "single"
device = "cpu"
views.size = 16
train = { epochs = 1, batch_size = 8, lr = 0.01 }
eval.every = 1
evaluations = { knn.k = 5, linear.max_iter = 3 }
"#;

fn load(folder: &Path, sets: &[String]) -> Experiment {
    let path = folder.join("experiment.toml");
    std::fs::write(&path, EXPERIMENT).unwrap();
    config::load(&path, sets).unwrap_or_else(|error| panic!("{sets:?}: {error}"))
}

/// The last epoch's metrics.
fn train(folder: &Path, sets: &[String]) -> serde_json::Value {
    let experiment = load(folder, sets);
    let _turn = RANDOM.lock().unwrap_or_else(PoisonError::into_inner);
    // Where cores are busy, threads that wait for each other in tiny operations take minutes. The number is the process's:
    // all tests here have the same one.
    tch::set_num_threads(1);
    let out = folder.join("run");
    let options = TrainOptions {
        out: Some(out.clone()),
        name: "every-part".into(),
        ..TrainOptions::default()
    };
    fmicl_runner::train_and_judge(experiment, &options).unwrap_or_else(|error| panic!("{sets:?}: {error:#}"));
    let metrics = std::fs::read_to_string(out.join("metrics.jsonl")).unwrap();
    serde_json::from_str(metrics.lines().last().unwrap()).unwrap()
}

/// Where a kind of part stands in an experiment.
fn key(kind: &str) -> String {
    match kind {
        "divergence" | "similarity" => format!("objective.{kind}"),
        "schedule" => format!("train.{kind}"),
        top_level => top_level.to_string(),
    }
}

fn value(part: &Listing, folder: &Path) -> toml::Value {
    let mut options = toml::Table::from_iter([("name".to_string(), part.name.into())]);
    let none = toml::Table::new;
    options.extend(match part.kind {
        "dataset" => Part::<dyn Dataset>::new(part.name, none())
            .unwrap()
            .example(folder)
            .unwrap(),
        "views" => Part::<dyn Views>::new(part.name, none())
            .unwrap()
            .example(folder)
            .unwrap(),
        _ => none(),
    });
    toml::Value::Table(options)
}

fn set(part: &Listing, folder: &Path) -> String {
    if part.kind == "transform" {
        // Alone in the recipe, but for the crop if it needs one.
        let name = part.name;
        let transform = Part::<dyn Transform>::new(name, toml::Table::new()).unwrap();
        let order = if transform.frames() {
            vec![name]
        } else {
            vec!["crop", name]
        };
        let off = ["crop", "flip", "jitter", "grayscale"]
            .into_iter()
            .filter(|key| !order.contains(key));
        let off: String = off.map(|key| format!("{key} = false, ")).collect();
        return format!("views={{ size = 16, {off}order = {order:?}, {name} = true }}");
    }
    let value = value(part, &folder.join(part.kind));
    match part.kind {
        // The metrics are read from the files of `jsonl`; twice the same one would write twice.
        "tracker" if part.name == "jsonl" => format!("trackers=[{value}]"),
        "tracker" => format!("trackers=[\"jsonl\", {value}]"),
        kind => format!("{}={value}", key(kind)),
    }
}

/// What a part, which has a default for every option, is for; images where it does not matter.
fn modality(part: &Listing) -> Modality {
    let none = toml::Table::new;
    match part.kind {
        "dataset" => Part::<dyn Dataset>::new(part.name, none()).unwrap().modality(),
        "views" => Part::<dyn Views>::new(part.name, none()).unwrap().modality(),
        "backbone" => Part::<dyn Backbone>::new(part.name, none()).unwrap().modality(),
        _ => Modality::Images,
    }
}

/// The first dataset, views and backbone for texts, in place of those of the experiment.
fn texts(parts: &[Listing], folder: &Path) -> Vec<String> {
    let of_kind = |kind: &str| {
        let mut parts = parts.iter().filter(|part| part.kind == kind && part.defaults.is_some());
        parts.find(|part| modality(part) == Modality::Texts).unwrap()
    };
    // They have no labels.
    let by_labels = ["knn", "linear"].map(|name| format!("evaluations.{name}=false"));
    let parts = ["dataset", "views", "backbone"].map(|kind| set(of_kind(kind), folder));
    parts.into_iter().chain(by_labels).collect()
}

#[test]
fn every_registered_part_trains() {
    // What judges an encoder has no share in training, and no experiment names a verb.
    let trains = |kind: &&&registry::KindInfo| !["command", "evaluation", "pretrained"].contains(&kind.name);
    let kinds: Vec<_> = registry::kinds();
    let kinds: Vec<_> = kinds.iter().filter(trains).collect();
    let parts: Vec<Listing> = kinds.iter().flat_map(|kind| (kind.list)()).collect();
    let found: BTreeSet<_> = parts.iter().map(|part| part.kind).collect();
    assert_eq!(found.len(), kinds.len(), "every kind has a part");
    for part in &parts {
        let folder = tempfile::tempdir().unwrap();
        let data = folder.path().join("data");
        // Without a default for every option it stands in the experiment itself.
        if part.defaults.is_none() {
            let written = format!("{{ name = \"{}\"", part.name);
            assert!(EXPERIMENT.contains(&written), "{part:?}");
        }
        let modality = part.defaults.as_ref().map_or(Modality::Images, |_| modality(part));
        let mut sets = match modality {
            Modality::Images => vec![],
            Modality::Texts => texts(&parts, &data),
        };
        sets.extend(part.defaults.as_ref().map(|_| set(part, &data)));
        let metrics = train(folder.path(), &sets);
        let what = format!("{} {}: {metrics}", part.kind, part.name);
        assert!(metrics["step"].as_u64().unwrap() >= 2, "{what}");
        assert!(metrics["loss"].as_f64().unwrap().is_finite(), "{what}");
        assert!(metrics["grad_norm"].as_f64().unwrap() > 0.0, "{what}");
        if modality == Modality::Images {
            assert!(
                metrics["evaluations"]["knn"]["accuracy"].as_f64().unwrap() > 0.0,
                "{what}"
            );
        }
    }
}

/// Every objective; one without defaults stands in the experiment, and is taken with every divergence and similarity.
fn objectives() -> Vec<Vec<String>> {
    let complete = |part: &Listing| match part.defaults {
        Some(_) => vec![vec![format!("objective={}", part.name)]],
        None => {
            let similarities = registry::list::<dyn Similarity>();
            let with = |divergence: &Listing| {
                let set = |similarity: &Listing| {
                    vec![
                        format!("objective.divergence={}", divergence.name),
                        format!("objective.similarity={}", similarity.name),
                    ]
                };
                similarities.iter().map(set).collect::<Vec<_>>()
            };
            registry::list::<dyn Divergence>().iter().flat_map(with).collect()
        }
    };
    registry::list::<dyn Objective>().iter().flat_map(complete).collect()
}

#[test]
fn every_objective_trains_under_every_architecture() {
    train_every_objective(&[]);
}

/// A tiny random BERT on sentences, its dropout what makes two views of one.
#[test]
fn every_objective_trains_on_texts_under_every_architecture() {
    let folder = tempfile::tempdir().unwrap();
    let parts: Vec<Listing> = registry::kinds().iter().flat_map(|kind| (kind.list)()).collect();
    let mut sets = texts(&parts, folder.path());
    sets.push("backbone={name='bert',hidden=16,layers=2,heads=2}".into());
    train_every_objective(&sets);
}

fn train_every_objective(more: &[String]) {
    let folder = tempfile::tempdir().unwrap();
    let _turn = RANDOM.lock().unwrap_or_else(PoisonError::into_inner);
    tch::set_num_threads(1);
    let architectures = registry::list::<dyn Architecture>();
    for (architecture, objective) in architectures
        .iter()
        .flat_map(|a| objectives().into_iter().map(move |o| (a, o)))
    {
        let architecture = vec![format!("architecture={}", architecture.name)];
        let sets = [more.to_vec(), architecture, objective].concat();
        take_steps(&load(folder.path(), &sets), &format!("{sets:?}"));
    }
}

/// Makes views of 8 samples of noise; those of one text are the same.
fn noise(input: Input) -> Box<dyn Fn() -> View> {
    match input {
        Input::Images { size, channels } => {
            Box::new(move || Tensor::randn([8, channels, size, size], (Kind::Float, Device::Cpu)).into())
        }
        Input::Tokens { vocabulary, .. } => {
            let ids = Tensor::randint(vocabulary, [8, 7], (Kind::Int64, Device::Cpu));
            let lengths = Tensor::randint_low(2, 8, [8, 1], (Kind::Int64, Device::Cpu));
            let mask = Tensor::arange(7, (Kind::Int64, Device::Cpu)).lt_tensor(&lengths);
            Box::new(move || View {
                input: ids.shallow_clone(),
                mask: Some(mask.shallow_clone()),
            })
        }
    }
}

/// Two steps on noise, without data and evaluation: a few hundred combinations must not take long.
fn take_steps(experiment: &Experiment, what: &str) {
    let mut model = Model::build(experiment, Device::Cpu).unwrap();
    let mut parameters = Parameters::new(&model.store);
    let mut optimizer = experiment.optimizer.build(&parameters);
    for step in 1..=2 {
        let view = noise(experiment.views.input().unwrap());
        let views: Vec<_> = (0..model.learner.views()).map(|_| view()).collect();
        for pairing in model.learner.pairings(&views) {
            let loss = experiment.objective.loss(&pairing);
            let mut values = loss.terms.iter().map(|(_, term)| term).chain([&loss.value]);
            assert!(
                values.all(|value| value.double_value(&[]).is_finite()),
                "{what}: {loss:?} at step {step}"
            );
            loss.value.backward();
        }
        let norm = parameters.grad_norm().double_value(&[]);
        assert!(norm.is_finite() && norm > 0.0, "{what}: gradient {norm} at step {step}");
        optimizer.step(&mut parameters, experiment.train.lr);
        parameters.zero_grad();
        model.learner.after_step(&parameters, f64::from(step) / 2.0).unwrap();
    }
}

#[test]
fn the_same_seed_gives_the_same_numbers_with_any_number_of_threads() {
    let losses = ["train.threads=1", "train.threads=3", "seed=1"].map(|set| {
        let folder = tempfile::tempdir().unwrap();
        train(folder.path(), &[set.to_string()])["loss"].as_f64().unwrap()
    });
    assert_eq!(losses[0].to_bits(), losses[1].to_bits());
    assert_ne!(losses[0].to_bits(), losses[2].to_bits());
}
