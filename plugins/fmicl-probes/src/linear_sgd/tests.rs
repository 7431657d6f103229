use super::*;
use crate::support::{Fake, sees_no_test_label};
use fmicl_core::testing::check_labelled_evaluation;

fn cached() -> LinearSgd {
    LinearSgd {
        augment: false,
        epochs: 20,
        batch_size: 16,
        ..LinearSgd::default()
    }
}

fn value(report: &Report, name: &str) -> f64 {
    report
        .metric(name)
        .unwrap_or_else(|| panic!("{report:?} has no {name}"))
        .value
}

#[test]
fn it_obeys_the_laws() {
    check_labelled_evaluation(&cached());
    let one = LinearSgd {
        lr: vec![1.0],
        held_out: 0.0,
        ..cached()
    };
    check_labelled_evaluation(&one);
}

/// With crops, on samples; and without, on features.
fn both() -> [LinearSgd; 2] {
    [
        cached(),
        LinearSgd {
            augment: true,
            ..cached()
        },
    ]
}

#[test]
fn classes_that_are_apart_are_told_apart_and_the_rate_is_said() {
    for options in both() {
        let fake = Fake::new(60, 30, 3, 0);
        let report = options.judge(&fake).unwrap();
        assert!(value(&report, ACCURACY) > 90.0, "{report:?}");
        assert!(options.lr.contains(&value(&report, LR)));
        assert_eq!(value(&report, HELD_OUT), 100.0);
        let note = &report.notes[0];
        assert!(
            note.starts_with("linear-sgd: 20 epochs on 54 labelled training samples, "),
            "{note}"
        );
        assert!(note.contains("on 6 held-out training samples"), "{note}");
        assert_eq!(report, options.judge(&fake).unwrap(), "the same each time");
    }
}

#[test]
fn neither_layers_nor_their_choice_see_a_test_label() {
    for options in both() {
        sees_no_test_label(|fake| options.judge(fake).unwrap());
    }
}

#[test]
fn odd_labels_are_no_panic() {
    for options in both() {
        let judge = |train: &[usize], test: &[usize], classes| {
            options.judge(&Fake::of(train.to_vec(), test.to_vec(), classes, 0))
        };
        // One class alone, a class that training or test has not, more classes than samples, fewer samples than a batch.
        assert_eq!(value(&judge(&[1; 9], &[1; 4], 2).unwrap(), ACCURACY), 100.0);
        assert!(judge(&[0, 2, 0, 2, 0, 2], &[0, 1, 2], 3).is_ok());
        let many = judge(&[0, 1, 2, 3], &[0, 1], 50).unwrap();
        assert!(many.metric("top-5").is_some());
        let error = judge(&[0, 1], &[0, 1], 2).unwrap_err().to_string();
        assert_eq!(
            error,
            "of 2 labelled training samples 1 are left to learn from, and 2 are the least"
        );
    }
}

#[test]
fn layers_that_all_diverge_are_an_error_in_a_line() {
    let options = LinearSgd {
        // Infinite as f32; `validate` refuses them.
        lr: vec![1e40, 1e41],
        ..cached()
    };
    let error = options.judge(&Fake::new(40, 10, 3, 0)).unwrap_err().to_string();
    assert!(
        error.starts_with("the linear layers diverged at all learning rates, 1"),
        "{error}"
    );
}

#[test]
fn options_out_of_range_name_their_key() {
    let error = |change: fn(&mut LinearSgd)| {
        let mut options = LinearSgd::default();
        change(&mut options);
        options.validate().unwrap_err().to_string()
    };
    assert!(LinearSgd::default().validate().is_ok());
    assert_eq!(error(|it| it.lr = vec![]), "lr: has no rate; [0.1] has one");
    assert_eq!(error(|it| it.lr = vec![0.1, 0.1]), "lr: 0.1 is there twice");
    assert_eq!(
        error(|it| it.lr = vec![-1.0]),
        "lr: -1 is not above 0 and at most 1000000"
    );
    assert_eq!(
        error(|it| it.held_out = 0.0),
        "held_out: 0 leaves nothing to choose one of 8 rates by; take 0.1, or a single `lr`"
    );
    assert_eq!(error(|it| it.batch_size = 1), "batch_size: 1 is not at least 2");
    assert_eq!(error(|it| it.flip = 1.5), "flip: 1.5 is not a probability, from 0 to 1");
    assert_eq!(
        error(|it| it.crop = [0.0, 1.0]),
        "crop: [0, 1] is not a range within (0, 1], of parts of the image's area"
    );
}

#[test]
fn the_memory_is_that_of_the_layers_and_not_of_the_samples() {
    // ImageNet and a ResNet-50.
    let sizes = Sizes {
        train: 1_281_167,
        test: 50_000,
        classes: 1000,
    };
    let memory = LinearSgd::default().memory(&sizes, 2048);
    assert!(memory < 512 << 20, "{memory}");
    assert_eq!(LinearSgd::default().memory(&Sizes { train: 10, ..sizes }, 2048), memory);
}
