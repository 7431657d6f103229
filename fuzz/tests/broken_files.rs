//! Every registered dataset and evaluation takes broken files for errors: the registry is walked, so a dataset that is added later is
//! covered as it is.

use fmicl_core::registry;
use fmicl_core::testing::{check_dataset_files, check_evaluation_files};
use fmicl_core::toml;
use fmicl_core::{Dataset, Evaluation, Part, Split};
use fmicl_fuzz::{MOST, memory_of};
use fmicl_runner as _;
use proptest::{prop_assert, proptest, test_runner::Config};
proptest! {
    #![proptest_config(Config { cases: 16, ..Config::default() })]
    #[test]
    fn broken_files_are_errors_and_make_nobody_allocate_much_more_than_they_hold(seed: u64) {
        let datasets = registry::list::<dyn Dataset>();
        // Without a default for every option, a dataset is made of others.
        let names: Vec<_> = datasets.iter().filter(|part| part.defaults.is_some()).map(|part| part.name).collect();
        prop_assert!(names.len() >= 7, "{names:?}");
        for evaluation in registry::list::<dyn Evaluation>() {
            // One that judges by a dataset's labels has no files of its own.
            let part = Part::<dyn Evaluation>::new(evaluation.name, toml::Table::new());
            if part.is_ok_and(|part| part.wants_labels()) {
                continue;
            }
            check_evaluation_files(evaluation.name, tempfile::tempdir().unwrap().path(), seed);
        }
        for name in names {
            let folder = tempfile::tempdir().unwrap();
            let taken = memory_of(|| check_dataset_files(name, folder.path(), seed));
            prop_assert!(taken <= MOST, "{name} took {taken} bytes");
        }
    }
}

#[test]
fn what_a_header_claims_is_not_allocated() {
    let folder = tempfile::tempdir().unwrap();
    let imagenet = Part::<dyn Dataset>::new("imagenet", toml::Table::new()).unwrap();
    let options = imagenet.example(folder.path()).unwrap();
    let path = folder.path().join("train/n01440764/n01440764_0.JPEG");
    let mut bytes = std::fs::read(&path).unwrap();
    // The frame's header: marker, length, precision, height, width.
    let frame = bytes.windows(2).position(|pair| pair == [0xff, 0xc0]).unwrap();
    bytes[frame + 5..][..4].copy_from_slice(&[0xff, 0x00, 0xff, 0x00]);
    std::fs::write(&path, bytes).unwrap();
    let samples = Part::<dyn Dataset>::new("imagenet", options)
        .unwrap()
        .open(Split::Train)
        .unwrap();
    let mut error = String::new();
    let taken = memory_of(|| error = samples.image(0).unwrap_err().to_string());
    assert!(
        error.contains("n01440764_0.JPEG: ") && error.contains("cannot hold the 65280 x 65280 pixels"),
        "{error}"
    );
    assert!(taken <= MOST, "{taken}");
}

#[test]
fn a_missing_folder_is_named_with_what_would_work() {
    for part in registry::list::<dyn Dataset>()
        .iter()
        .filter(|part| part.options.contains(&"root"))
    {
        let options = toml::Table::from_iter([("root".to_string(), "/nowhere".into())]);
        let dataset = Part::<dyn Dataset>::new(part.name, options).unwrap();
        let error = dataset.open(Split::Train).map(|_| ()).unwrap_err().to_string();
        assert!(
            error.starts_with("/nowhere") && error.contains("`root`"),
            "{}: {error}",
            part.name
        );
    }
}
