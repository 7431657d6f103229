//! Experiments that fit, and that do not.

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
        ["x.toml:2:1: backbone: cannot be built: libtorch: one tensor takes 4294967296 MiB, more memory than there is"]
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
