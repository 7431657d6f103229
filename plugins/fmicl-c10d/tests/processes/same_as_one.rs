//! Several processes compute what one computes, for every objective, divergence and architecture: the registry is walked.

use crate::common;
use fmicl_core::registry::{self, Listing};
use fmicl_core::tch::{self, Device, Kind, Tensor};
use fmicl_core::{
    Architecture, Divergence, Engine, Objective, Parameters, Part, Processes, Similarity, Stepper, View, estimator,
};
use fmicl_runner::config::{self, Experiment};
use fmicl_runner::run::Model;
use fmicl_runner::train::{self, GradientSums};
use std::rc::Rc;

/// Samples of a batch of all processes.
const BATCH: i64 = 8;
/// Steps, where one is not enough to see all.
const STEPS: i64 = 5;

const EXPERIMENT: &str = r#"
dataset = "digits"
backbone = { name = "vit", width = 12, depth = 1, heads = 2 }
architecture = "simclr"
objective = { name = "f-micl", divergence = "kl", similarity = "gaussian" }
optimizer = "sgd"
device = "cpu"
views.size = 8
train = { epochs = 1, batch_size = 8, lr = 0.05, sync_batch_norm = true }
"#;

fn experiment(sets: &[String]) -> Experiment {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("experiment.toml");
    std::fs::write(&path, EXPERIMENT).unwrap();
    config::load(&path, sets).unwrap_or_else(|error| panic!("{sets:?}: {error}"))
}

fn join(engine: &str, options: toml::Table) -> Rc<dyn Processes> {
    let engine = Part::<dyn Engine>::new(engine, options).unwrap();
    engine.join(Device::Cpu).unwrap()
}

/// A learner in training, in double precision.
struct Run<'a> {
    experiment: &'a Experiment,
    processes: &'a Rc<dyn Processes>,
    model: Model,
    parameters: Parameters,
    sums: GradientSums,
}

impl<'a> Run<'a> {
    fn new(experiment: &'a Experiment, processes: &'a Rc<dyn Processes>) -> Self {
        let mut model = Model::build(experiment, Device::Cpu).unwrap();
        model.store.double();
        let parameters = Parameters::new(&model.store);
        Run {
            experiment,
            processes,
            model,
            sums: GradientSums::new(processes, &parameters).unwrap(),
            parameters,
        }
    }

    /// The loss and the gradients of the batch of a step, of which each process has its part.
    fn learn(&mut self, step: i64) -> (f64, Vec<Tensor>) {
        tch::manual_seed(100 + step);
        let (rank, size) = (self.processes.rank() as i64, self.processes.size() as i64);
        let n = BATCH / size;
        let view = |_| View::from(Tensor::randn([BATCH, 3, 8, 8], (Kind::Double, Device::Cpu)).narrow(0, rank * n, n));
        let views: Vec<_> = (0..self.model.learner.views()).map(view).collect();
        let (loss, _) = train::forward(self.experiment, &mut self.model, self.processes, &views).unwrap();
        self.sums.begin();
        train::backward(self.experiment, self.processes, &loss, 1.0).unwrap();
        self.sums.finish(&mut self.parameters).unwrap();
        let gradients = self.parameters.groups.iter().map(|group| group.grads.copy());
        (loss.value.double_value(&[]), gradients.collect())
    }

    fn step(&mut self, optimizer: &mut dyn Stepper, step: i64) {
        optimizer.step(&mut self.parameters, self.experiment.train.lr);
        self.parameters.zero_grad();
        self.model
            .learner
            .after_step(&self.parameters, step as f64 / STEPS as f64)
            .unwrap();
    }

    /// All that the learner keeps.
    fn variables(&self) -> Vec<(String, Tensor)> {
        let mut variables: Vec<_> = self.model.store.variables().into_iter().collect();
        variables.sort_by(|a, b| a.0.cmp(&b.0));
        variables
    }
}

fn assert_close(what: &str, found: &Tensor, expected: &Tensor, tolerance: f64) {
    let scale = expected.abs().max().double_value(&[]).max(1.0);
    let off = (found - expected).abs().max().double_value(&[]) / scale;
    assert!(off < tolerance, "{what}: off by {off:e}");
}

/// In a process among others: the same as alone, `steps` steps long.
fn check(sets: &[String], steps: i64, together: &Rc<dyn Processes>, alone: &Rc<dyn Processes>) {
    let experiment = experiment(sets);
    let what = format!("{sets:?}, rank {} of {}", together.rank(), together.size());
    let mut runs = [together, alone].map(|processes| {
        let run = Run::new(&experiment, processes);
        let optimizer = experiment.optimizer.build(&run.parameters);
        (run, optimizer)
    });
    for step in 0..steps {
        let [(loss, gradients), (expected_loss, expected)] = runs.each_mut().map(|(run, _)| run.learn(step));
        // Steps enlarge what rounding leaves.
        let tolerance = if step == 0 { 1e-10 } else { 1e-8 };
        let off = (loss - expected_loss).abs() / expected_loss.abs().max(1.0);
        assert!(off < tolerance, "{what}: the loss is {loss}, not {expected_loss}");
        for (gradient, expected) in gradients.iter().zip(&expected) {
            assert!(
                expected.abs().max().double_value(&[]) > 1e-6,
                "{what}: there is no gradient"
            );
            assert_close(&format!("{what}: a gradient"), gradient, expected, tolerance);
        }
        for (run, optimizer) in &mut runs {
            run.step(&mut **optimizer, step);
        }
    }
    let [found, expected] = runs.each_ref().map(|(run, _)| run.variables());
    for ((name, found), (_, expected)) in found.iter().zip(&expected) {
        assert_close(&format!("{what}: {name} after {steps} steps"), found, expected, 1e-8);
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

/// Every architecture, small, and SimCLR with hard negatives, which are of a kind of their own.
fn architectures() -> Vec<Vec<String>> {
    let small = |part: &Listing| {
        let has = |key: &str| part.defaults.as_ref().is_some_and(|options| options.contains_key(key));
        let sizes = [("queue", 20), ("hidden", 16), ("out", 8)]
            .into_iter()
            .filter(|(key, _)| has(key));
        let sizes = sizes.map(|(key, size)| format!("architecture.{key}={size}"));
        [format!("architecture={}", part.name)]
            .into_iter()
            .chain(sizes)
            .collect()
    };
    let mut all: Vec<Vec<String>> = registry::list::<dyn Architecture>().iter().map(small).collect();
    all.push(vec!["architecture={ name = \"simclr\", hard_negatives = true }".into()]);
    all
}

/// The first test's body in each process.
fn every_objective() {
    tch::set_num_threads(1);
    // Several tiles a process, and some that do not divide the batch.
    estimator::set_tile(Some(3));
    let alone = join("single", toml::Table::new());
    // Gradients of a small model in many buckets.
    let together = join("c10d", toml::toml! { bucket_cap_mb = 0.001 });
    for architecture in architectures() {
        check(&architecture, STEPS, &together, &alone);
        for objective in objectives() {
            check(&[architecture.clone(), objective].concat(), 1, &together, &alone);
        }
    }
    for negatives in ["within", "cross", "both"] {
        check(&[format!("objective.negatives={negatives}")], 1, &together, &alone);
    }
    // The factor of the ratio and the shift of the critic are those of all negatives.
    for architecture in architectures() {
        let with = |more: &[&str]| {
            [
                &architecture[..],
                &more.iter().map(ToString::to_string).collect::<Vec<_>>(),
            ]
            .concat()
        };
        let batch = with(&[
            "objective.similarity={ name = \"gaussian\", mu = \"batch\" }",
            "objective.divergence=js",
            "objective.alpha=2",
        ]);
        check(&batch, 1, &together, &alone);
        for (mu, learn) in [
            ("2", "true"),
            ("\"batch\"", "[\"sigma\"]"),
            ("\"uniform\"", "[\"sigma\"]"),
        ] {
            let learned = format!("objective.similarity={{ name = \"gaussian\", mu = {mu}, learn = {learn} }}");
            check(
                &with(&[&learned, "objective.divergence=js", "objective.alpha=2"]),
                1,
                &together,
                &alone,
            );
        }
        for divergence in registry::list::<dyn Divergence>() {
            let part = Part::<dyn Divergence>::new(divergence.name, toml::Table::new()).unwrap();
            // The best shift takes back a mu of which the penalty is a multiple.
            let learn = if part.has_exponential_conjugate() {
                "[\"sigma\"]"
            } else {
                "true"
            };
            let divergence = format!("objective.divergence={}", divergence.name);
            let learned = format!("objective.similarity={{ name = \"gaussian\", mu = 2, learn = {learn} }}");
            check(
                &with(&[&learned, &divergence, "objective.shift=best"]),
                1,
                &together,
                &alone,
            );
            check(&with(&[&divergence, "objective.shift=best"]), 1, &together, &alone);
        }
    }
    // Norms of images.
    let resnet = "backbone={ name = \"resnet\", stem = \"cifar\", width = 2 }".to_string();
    check(&[resnet], STEPS, &together, &alone);
    together.wait().unwrap();
}

#[test]
#[cfg_attr(not(gloo), ignore = "built without gloo: run scripts/setup and build again")]
fn many_processes_have_the_loss_the_gradients_and_the_weights_of_one() {
    match common::rank() {
        Some(_) => every_objective(),
        None => [2, 4].into_iter().for_each(|size| {
            common::pass_in(
                "same_as_one::many_processes_have_the_loss_the_gradients_and_the_weights_of_one",
                size,
            );
        }),
    }
}

#[test]
#[cfg_attr(not(gloo), ignore = "built without gloo: run scripts/setup and build again")]
fn gradients_that_are_summed_after_the_backward_pass_are_the_same() {
    let test = "same_as_one::gradients_that_are_summed_after_the_backward_pass_are_the_same";
    if common::rank().is_none() {
        return common::pass_in(test, 2);
    }
    let together = join("c10d", toml::toml! { bucket_cap_mb = 0.0 });
    check(&[], STEPS, &together, &join("single", toml::Table::new()));
    together.wait().unwrap();
}
