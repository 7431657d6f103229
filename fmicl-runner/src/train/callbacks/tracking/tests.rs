//! Tests of what trackers are shown, in whole runs.

use crate::config;
use crate::run::Model;
use crate::test_parts::SHOWN;
use crate::train::{Opened, TrainOptions, Worth, run};
use fmicl_core::tch::{Device, Tensor};
use fmicl_core::{Engine, Single};
use std::path::PathBuf;
use tempfile::TempDir;

/// Two epochs of three steps of MoCo with these trackers, and what those named `shown` got.
fn train(trackers: &str) -> (TempDir, Vec<(usize, String, Option<Tensor>)>) {
    let folder = tempfile::tempdir().unwrap();
    let text = format!(
        "trackers = {trackers}
         dataset = {{ name = 'subset', train = 24, of = 'digits' }}
         backbone = {{ name = 'resnet', depth = 18, stem = 'cifar', width = 8 }}
         architecture = {{ name = 'moco', queue = 20, out = 16 }}
         objective = 'infonce'
         optimizer = 'sgd'
         device = 'cpu'
         views.size = 16
         train = {{ epochs = 2, batch_size = 8, lr = 0.01, threads = 1 }}"
    );
    let file = folder.path().join("x.toml");
    std::fs::write(&file, text).unwrap();
    SHOWN.take();
    let experiment = config::load(&file, &[]).unwrap();
    let processes = Single {}.join(Device::Cpu).unwrap();
    let options = TrainOptions {
        out: Some(folder.path().join("run")),
        ..TrainOptions::default()
    };
    let (opened, found) = Opened::new(experiment, &options, &*processes).unwrap();
    let mut model = opened.model(None, Device::Cpu).unwrap();
    let judge = |_: &Model| Ok(Worth::default());
    let trained = run(
        (&opened, found),
        &mut model,
        (Device::Cpu, &processes),
        &options,
        &judge,
    );
    assert!(trained.unwrap().is_some());
    (folder, SHOWN.take())
}

fn lines(folder: &TempDir) -> usize {
    let path: PathBuf = folder.path().join("run/metrics.jsonl");
    std::fs::read_to_string(path).unwrap().lines().count()
}

/// The step itself writes its positives into the bank, whose negatives are those from before it.
#[test]
fn negatives_of_a_bank_do_not_contain_the_positives_of_the_step() {
    let (folder, shown) = train("['shown']");
    let values = |epoch: usize, name: &str| {
        let mut of_name = shown.iter().filter(|(at, own, _)| (*at, &**own) == (epoch, name));
        let values = of_name.next().and_then(|(_, _, values)| values.as_ref()).unwrap();
        Vec::<f32>::try_from(values.flatten(0, -1)).unwrap()
    };
    for epoch in [1, 2] {
        let positive = values(epoch, "cosines/positive");
        let negative = values(epoch, "cosines/negative");
        assert_eq!((positive.len(), negative.len()), (8, 8 * 20));
        for (own, others) in positive.iter().zip(negative.chunks(20)) {
            let nearest = others.iter().map(|other| (own - other).abs()).fold(f32::MAX, f32::min);
            assert!(nearest > 1e-6, "epoch {epoch}: {own} is among the negatives {others:?}");
        }
    }
    let images = shown.iter().filter(|(_, name, _)| name.starts_with("views/"));
    assert_eq!(images.count(), 2);
    assert_eq!(
        lines(&folder),
        2,
        "the run's history is written without being asked for"
    );
}

#[test]
fn trackers_of_numbers_alone_are_shown_no_tensors() {
    let (folder, shown) = train("['jsonl', { name = 'shown', tensors = false }]");
    let names: Vec<_> = shown.iter().map(|(epoch, name, _)| (*epoch, &**name)).collect();
    assert_eq!(names, [(1, "epoch"), (2, "epoch")]);
    assert_eq!(lines(&folder), 2, "the run's history is written once");
    let (_, shown) = train("[{ name = 'shown', tensors = false }, 'shown-too']");
    let count = |name: &str| shown.iter().filter(|(_, own, _)| own == name).count();
    assert_eq!((count("cosines/negative"), count("views/1"), count("epoch")), (2, 1, 4));
}
