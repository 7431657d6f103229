//! Every reader takes broken files for errors that name them, or for sound text: nothing panics.

use flate2::{Compression, write::GzEncoder};
use fmicl_core::testing::{break_each_file, check_dataset_files, check_evaluation_files};
use fmicl_core::{Dataset, Error, Evaluation, Part, Split, registry, toml};
use fmicl_text as _;
use std::io::Write;
use std::path::Path;

/// Damages of each file.
const SEEDS: u64 = 60;

/// The parts of a kind that this crate registers.
fn own<T: registry::Kind + ?Sized>() -> Vec<&'static str> {
    let parts = registry::list::<T>();
    parts
        .iter()
        .filter(|part| part.crate_name == "fmicl-text")
        .map(|part| part.name)
        .collect()
}

#[test]
fn every_dataset_and_evaluation_survives_broken_files() {
    let (datasets, evaluations) = (own::<dyn Dataset>(), own::<dyn Evaluation>());
    assert_eq!((datasets.len(), evaluations.len()), (3, 2));
    for seed in 0..SEEDS {
        for name in &datasets {
            check_dataset_files(name, tempfile::tempdir().unwrap().path(), seed);
        }
        for name in &evaluations {
            check_evaluation_files(name, tempfile::tempdir().unwrap().path(), seed);
        }
    }
}

/// Opens and reads all of it; an error must name a path in the folder.
fn read(dataset: &dyn Dataset, folder: &Path) {
    let all = dataset
        .open(Split::Pretrain)
        .and_then(|samples| (0..samples.len()).try_for_each(|index| samples.texts(index).map(drop)));
    if let Err(error) = all {
        names_a_path(&error, folder);
    }
}

fn names_a_path(error: &Error, folder: &Path) {
    let start = folder.display().to_string();
    assert!(error.to_string().starts_with(&start), "{error}");
    assert_eq!(error.to_string().lines().count(), 1, "{error}");
}

#[test]
fn gzipped_sentences_and_wikitext_survive_damage() {
    let folder = tempfile::tempdir().unwrap();
    let text = "\u{feff} = Title = \n\n A part @-@ time job . \" Was it ? \" \n Émile asked 1 @,@ 000 people . \r\n";
    let mut gzipped = GzEncoder::new(Vec::new(), Compression::fast());
    gzipped.write_all(text.repeat(20).as_bytes()).unwrap();
    std::fs::write(folder.path().join("a.txt"), text).unwrap();
    std::fs::write(folder.path().join("b.txt.gz"), gzipped.finish().unwrap()).unwrap();
    for (file, format) in [
        ("a.txt", "wikitext"),
        ("b.txt.gz", "wikitext"),
        ("a.txt", "lines"),
        ("b.txt.gz", "lines"),
    ] {
        let path = folder.path().join(file).to_str().unwrap().to_string();
        let options = toml::Table::from_iter([("path".into(), path.into()), ("format".into(), format.into())]);
        let dataset = Part::<dyn Dataset>::new("sentences", options).unwrap();
        read(&*dataset, folder.path());
        for seed in 0..SEEDS {
            break_each_file(folder.path(), seed, || read(&*dataset, folder.path()));
        }
    }
}

#[test]
fn senteval_survives_damage() {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str| {
        let path = folder.path().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    };
    for subset in ["FNWN", "headlines", "OnWN"] {
        write(
            &format!("STS/STS13-en-test/STS.input.{subset}.txt"),
            "A b .\tA c .\nD e .\tF é .\n",
        );
        write(&format!("STS/STS13-en-test/STS.gs.{subset}.txt"), "4.25\n\n");
    }
    let row = "news\tMSR\t2012\t0001\t4.500\tA b c.\tA b.\n";
    write("STS/STSBenchmark/sts-dev.csv", row);
    write("STS/STSBenchmark/sts-test.csv", row);
    write(
        "SICK/SICK_test_annotated.txt",
        "pair_ID\tsentence_A\n6\tNo boy plays\tA boy plays\t3.3\tNEUTRAL\n",
    );
    let data = folder.path().to_str().unwrap().to_string();
    let options = toml::Table::from_iter([("data".to_string(), data.into())]);
    let sts = Part::<dyn Evaluation>::new("sts", options).unwrap();
    sts.open().map(drop).unwrap();
    for seed in 0..SEEDS {
        break_each_file(folder.path(), seed, || {
            if let Err(error) = sts.open() {
                names_a_path(&error, folder.path());
            }
        });
    }
}
