use super::*;
use crate::support::{Fake, sees_no_test_label};
use fmicl_core::{Supervised, Trainable, weights};
use tch::Kind;

fn options() -> Finetune {
    Finetune {
        epochs: 12,
        batch_size: 16,
        lr: 1.0,
        ..Finetune::default()
    }
}

fn judge(options: &Finetune, fake: &Fake) -> Result<Report> {
    options.validate()?;
    options.open()?.judge(fake)
}

fn value(report: &Report, name: &str) -> f64 {
    report
        .metric(name)
        .unwrap_or_else(|| panic!("{report:?} has no {name}"))
        .value
}

#[test]
fn the_network_learns_and_the_encoder_stays() {
    let fake = Fake::new(60, 30, 3, 0);
    let before: Vec<_> = fake
        .store
        .variables()
        .into_iter()
        .map(|(name, var)| (name, var.copy()))
        .collect();
    let report = judge(&options(), &fake).unwrap();
    assert!(value(&report, ACCURACY) > 90.0, "{report:?}");
    let after = fake.store.variables();
    for (name, value) in before {
        assert_eq!(after[&name], value, "{name} has changed");
    }
    assert_eq!(report, judge(&options(), &fake).unwrap(), "the same each time");
    let note = "finetune: 12 epochs of sgd on 60 labelled training samples (100 % of each class), crops and flips; the last is judged.";
    assert_eq!(report.notes[0], note);
    let other = Finetune { seed: 1, ..options() };
    assert_ne!(trained(&other), trained(&options()), "another seed, another order");
}

/// The weights at the end.
fn trained(options: &Finetune) -> Vec<(String, Tensor)> {
    let fake = Fake::new(20, 6, 3, 0);
    let trained = options.train(&fake, (0..20).collect(), vec![]).unwrap();
    let mut weights = trained.tuning.snapshot();
    weights.sort_by(|(a, _), (b, _)| a.cmp(b));
    weights
}

#[test]
fn neither_training_nor_the_choice_of_an_epoch_sees_a_test_label() {
    for held_out in [0.0, 0.2] {
        let options = Finetune {
            labels: Labels::Share(0.5),
            held_out,
            ..options()
        };
        sees_no_test_label(|fake| judge(&options, fake).unwrap());
    }
}

#[test]
fn the_best_epoch_is_taken_and_saved() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("net.safetensors");
    let options = Finetune {
        held_out: 0.25,
        save: Some(path.clone()),
        layer_decay: 0.5,
        label_smoothing: 0.1,
        warmup_epochs: 1,
        ..options()
    };
    let fake = Fake::new(60, 30, 3, 0);
    let report = judge(&options, &fake).unwrap();
    assert!(value(&report, HELD_OUT) > 80.0, "{report:?}");
    assert!(
        report.notes[0].contains(" is the best on 15 held-out training samples"),
        "{report:?}"
    );
    let read = weights::read(&path).unwrap();
    assert_eq!(read["fc.weight"].size(), [3, 8]);
    assert_eq!(weights::about(&path).as_deref(), Some("{}"));
    let logits = |read: &std::collections::HashMap<String, Tensor>| {
        let Trainable { store, encoder, .. } = fake.trainable().unwrap();
        for (name, mut var) in store.variables() {
            tch::no_grad(|| var.copy_(&read[&name]));
        }
        let predicted = fake
            .in_order(Split::Test, (0..30).collect())
            .unwrap()
            .items
            .map(|batch| {
                let batch = batch.unwrap();
                let features = tch::no_grad(|| encoder.forward(&batch.view, false));
                let likeliest = features
                    .linear(&read["fc.weight"], Some(&read["fc.bias"]))
                    .argmax(1, false);
                likeliest.eq_tensor(&batch.labels).sum(Kind::Int64).int64_value(&[])
            });
        predicted.sum::<i64>()
    };
    assert!(
        (logits(&read) as f64 / 0.3 - value(&report, ACCURACY)).abs() < 1e-9,
        "the file is the network that is judged"
    );
}

#[test]
fn the_network_is_that_of_the_best_epoch() {
    let options = Finetune {
        lr: 30.0,
        schedule: Part::new("cosine", toml::Table::new()).unwrap(),
        ..options()
    };
    let fake = Fake::new(60, 6, 3, 0);
    let (left, out) = held_out::indices(60, 0.4);
    let trained = options.train(&fake, left, out.clone()).unwrap();
    let again = predict(&fake, &trained.tuning, Split::Train, out).unwrap().accuracy();
    assert_eq!(Some(again), trained.held_out);
    assert!(trained.epoch < options.epochs, "{} says nothing", trained.epoch);
}

#[test]
fn odd_labels_are_no_panic() {
    let of = |train: &[usize], test: &[usize], classes| {
        judge(&options(), &Fake::of(train.to_vec(), test.to_vec(), classes, 0))
    };
    assert_eq!(value(&of(&[1; 9], &[1; 4], 2).unwrap(), ACCURACY), 100.0);
    assert!(of(&[0, 2, 0, 2], &[0, 1, 2], 3).is_ok());
    assert!(of(&[0, 1, 2, 3], &[0, 1], 50).unwrap().metric("top-5").is_some());
    let error = of(&[0], &[0, 1], 2).unwrap_err().to_string();
    assert_eq!(
        error,
        "labels: 1 labelled training samples are too few; 2 are the least"
    );
}

#[test]
fn a_loss_that_is_no_number_is_an_error_in_a_line() {
    // More than `validate` lets through.
    let options = Finetune { lr: 1e38, ..options() };
    let error = options
        .open()
        .unwrap()
        .judge(&Fake::new(60, 30, 3, 0))
        .unwrap_err()
        .to_string();
    assert!(error.starts_with("finetune: the loss of epoch "), "{error}");
}

#[test]
fn a_list_that_does_not_fit_is_found_before_training() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("1percent.txt");
    let options = Finetune {
        labels: Labels::List(path.clone()),
        ..options()
    };
    let missing = options.open().map(drop).unwrap_err();
    assert!(
        missing.is_usage() && missing.to_string().contains("there is no such file"),
        "{missing}"
    );
    std::fs::write(&path, "0.png\n5.png\nnone.png\n").unwrap();
    let fake = Fake::new(60, 30, 3, 0);
    let error = options.open().unwrap().validate_samples(&fake.samples).unwrap_err();
    let expected = "names none.png, and no labelled training sample is that file";
    assert!(error.to_string().ends_with(expected), "{error}");
    std::fs::write(&path, "0.png\n5.png\n").unwrap();
    let report = judge(&options, &fake).unwrap();
    assert!(
        report.notes[0].contains("on 2 labelled training samples (those of "),
        "{report:?}"
    );
}

#[test]
fn options_out_of_range_name_their_key() {
    let error = |change: fn(&mut Finetune)| {
        let mut options = Finetune::default();
        change(&mut options);
        options.validate().unwrap_err().to_string()
    };
    assert!(Finetune::default().validate().is_ok());
    assert_eq!(error(|it| it.lr = 0.0), "lr: 0 is not above 0 and at most 1000");
    assert_eq!(
        error(|it| it.layer_decay = 0.0),
        "layer_decay: 0 is not above 0 and at most 1; 1 is none"
    );
    assert_eq!(
        error(|it| it.label_smoothing = 1.0),
        "label_smoothing: 1 is not from 0 to below 1"
    );
    assert_eq!(
        error(|it| it.warmup_epochs = 30),
        "warmup_epochs: 30 is not below the 30 epochs; use 0 for no warm-up"
    );
    assert_eq!(
        error(|it| it.held_out = 0.6),
        "held_out: 0.6 is not from 0 to 0.5, a share of the labelled training samples"
    );
    assert_eq!(
        error(|it| it.save = Some("x.pt".into())),
        "save: x.pt does not end in .safetensors"
    );
    // A run's options are read elsewhere, too: the place is asked for where it is written.
    let elsewhere = Finetune {
        save: Some("nowhere/x.safetensors".into()),
        ..Finetune::default()
    };
    assert!(elsewhere.validate().is_ok());
    assert_eq!(
        elsewhere.open().map(drop).unwrap_err().to_string(),
        "save: there is no folder for nowhere/x.safetensors; make it, or name a file in another one"
    );
}

#[test]
fn a_network_that_the_last_step_broke_is_an_error_too() {
    let options = Finetune {
        lr: 1e38,
        epochs: 1,
        batch_size: 60,
        ..options()
    };
    let error = options
        .open()
        .unwrap()
        .judge(&Fake::new(60, 30, 3, 0))
        .unwrap_err()
        .to_string();
    assert_eq!(error, "finetune: the trained network is not finite; try a lower `lr`");
}
