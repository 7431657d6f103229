use super::*;
use fmicl_core::tch::{Device, Kind};
use fmicl_core::{LabelledFeatures, Part, Samples};

/// An encoder of sentences.
struct By<F>(F);

impl<F: Fn(Arc<dyn Samples>) -> Result<Tensor>> Representation for By<F> {
    fn encode(&self, samples: Arc<dyn Samples>) -> Result<Tensor> {
        (self.0)(samples)
    }

    fn labelled(&self) -> Result<&LabelledFeatures> {
        Err(Error::Run("there are no labels".into()))
    }
}

/// Features of a sentence that are nothing but its words' letters.
fn letters(samples: Arc<dyn Samples>) -> Result<Tensor> {
    let mut counts = vec![0f32; samples.len() * 26];
    for index in 0..samples.len() {
        let texts = samples.texts(index)?;
        let letters = texts[0].bytes().filter(u8::is_ascii_alphabetic);
        letters.for_each(|letter| counts[index * 26 + usize::from(letter.to_ascii_lowercase() - b'a')] += 1.0);
    }
    Ok(Tensor::from_slice(&counts).view([-1, 26]))
}

fn open(data: &Path, tasks: &[&str]) -> Result<Box<dyn Task>> {
    let tasks = tasks.iter().map(|task| task.to_string()).collect();
    Sts {
        data: data.into(),
        tasks,
    }
    .open()
}

fn names(report: &Report) -> Vec<&str> {
    report.metrics.iter().map(|metric| metric.name.as_str()).collect()
}

#[test]
fn sentevals_seven_tasks_have_an_average() {
    let folder = tempfile::tempdir().unwrap();
    senteval::tests::write(&folder.path().join("downstream"));
    let report = open(folder.path(), &[]).unwrap().judge(&By(letters)).unwrap();
    let seven = TASKS.map(|task| task.name);
    let rest = ["average", "STS-B dev", "alignment", "uniformity"];
    assert_eq!(names(&report), [&seven[..], &rest].concat());
    let value = |index: usize| report.metrics[index].value;
    let mean = (0..7).map(value).sum::<f64>() / 7.0;
    assert!((value(7) - mean).abs() < 1e-12 && mean.is_finite());
}

#[test]
fn what_is_not_there_is_said_and_what_is_not_wanted_is_left_out() {
    let folder = tempfile::tempdir().unwrap();
    senteval::tests::write(folder.path());
    std::fs::remove_dir_all(folder.path().join("SICK")).unwrap();
    let report = open(folder.path(), &[]).unwrap().judge(&By(letters)).unwrap();
    assert!(!names(&report).contains(&"average") && !names(&report).contains(&"SICK-R"));
    assert!(
        report.notes.contains(&"not there: SICK-R".to_string()),
        "{:?}",
        report.notes
    );
    let report = open(folder.path(), &["STS12"]).unwrap().judge(&By(letters)).unwrap();
    assert_eq!(names(&report), ["STS12"]);
    let error = open(folder.path(), &["STS12", "SICK-R"]).err().unwrap().to_string();
    assert!(error.ends_with("does not hold SICK-R, which `tasks` names"), "{error}");
}

#[test]
fn a_file_is_enough() {
    let folder = tempfile::tempdir().unwrap();
    let options = Sts::default().example(folder.path()).unwrap();
    assert_eq!(options["data"].as_str(), folder.path().to_str());
    std::fs::copy(folder.path().join("dev.csv"), folder.path().join("test.csv")).unwrap();
    let whole = open(folder.path(), &[]).unwrap().judge(&By(letters)).unwrap();
    assert_eq!(names(&whole), ["STS-B", "STS-B dev", "alignment", "uniformity"]);
    let file = open(&folder.path().join("dev.csv"), &[])
        .unwrap()
        .judge(&By(letters))
        .unwrap();
    assert_eq!(file.metrics[..], whole.metrics[1..]);
}

/// Two pairs, of which one has a score above 4: cosine 0.6 (5.0), and 0 (4.0, which is not above).
#[test]
fn alignment_and_uniformity_are_their_formulas() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("x.csv");
    std::fs::write(&path, "a,b,5\na,c,4\n").unwrap();
    let features = |_: Arc<dyn Samples>| Ok(Tensor::from_slice(&[2f32, 0.0, 1.2, 1.6, 0.0, 7.0]).view([3, 2]));
    let report = open(&path, &[]).unwrap().judge(&By(features)).unwrap();
    let value = |name: &str| report.metrics.iter().find(|metric| metric.name == name).unwrap().value;
    assert_eq!(names(&report)[0], "STS-B x");
    assert!((value("STS-B x") - 100.0).abs() < 1e-9);
    assert!((value("alignment") - 0.8).abs() < 1e-6);
    // The four sentences a, a, b, c: cosines of a and a 1, of a and b 0.6 twice, of a and c 0 twice, of b and c 0.8.
    let potential = |cosine: f64| (4.0 * cosine - 4.0).exp();
    let expected = ((1.0 + 2.0 * potential(0.6) + 2.0 * potential(0.0) + potential(0.8)) / 6.0).ln();
    assert!((value("uniformity") - expected).abs() < 1e-6);
}

#[test]
fn an_encoder_that_diverged_is_an_error_and_one_that_collapsed_has_no_correlation() {
    let folder = tempfile::tempdir().unwrap();
    Sts::default().example(folder.path()).unwrap();
    let task = open(folder.path(), &[]).unwrap();
    let filled = |value: f64| {
        move |samples: Arc<dyn Samples>| {
            Ok(Tensor::full(
                [samples.len() as i64, 3],
                value,
                (Kind::Float, Device::Cpu),
            ))
        }
    };
    let error = task.judge(&By(filled(f64::NAN))).unwrap_err().to_string();
    assert!(error.contains("not finite"), "{error}");
    let report = task.judge(&By(filled(1.0))).unwrap();
    assert!(report.metrics[0].value.is_nan(), "{report:?}");
    assert!(
        report.metrics[2].value.abs() < 1e-12,
        "the uniformity of one point is 0"
    );
}

#[test]
fn errors_say_what_data_should_name() {
    let error = |data: &Path| open(data, &[]).err().unwrap().to_string();
    assert!(
        error(Path::new(""))
            .starts_with("data: is missing: set it, by --data or in the experiment, to SentEval's data")
    );
    assert!(error(Path::new("/nowhere")).starts_with("/nowhere: there is no such file or folder; `data` should name"));
    let folder = tempfile::tempdir().unwrap();
    assert!(error(folder.path()).contains("holds no STS task; `data` should name SentEval's data"));
    let options = toml::Table::from_iter([("tasks".to_string(), vec!["STS-12"].into())]);
    let error = Part::<dyn Evaluation>::new("sts", options).unwrap_err().to_string();
    assert!(
        error.starts_with("tasks: no task named `STS-12` (did you mean `STS12`?); there are STS12, STS13"),
        "{error}"
    );
}

#[test]
fn a_file_of_all_splits_is_the_benchmark_and_its_development_split() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("stsbenchmark.tsv.gz");
    let header = "split\tgenre\tscore\tsentence1\tsentence2\n";
    let row = |split: &str, n: usize| format!("{split}\tg\t{n}\tab \"c\t{}\n", &"abcdefg"[n..]);
    let rows = ["train", "dev", "test"].map(|split| (0..6).map(|n| row(split, n)).collect::<String>());
    let text = header.to_string() + &rows.concat();
    std::fs::write(&path, crate::files::tests::gzip(text.as_bytes())).unwrap();
    for data in [&*path, folder.path()] {
        let report = open(data, &[]).unwrap().judge(&By(letters)).unwrap();
        assert_eq!(names(&report), ["STS-B", "STS-B dev", "alignment", "uniformity"]);
    }
    std::fs::write(folder.path().join("train.tsv"), header.to_string() + &row("train", 3)).unwrap();
    let error = open(&folder.path().join("train.tsv"), &[]).err().unwrap().to_string();
    assert!(error.contains("has only rows of the split train"), "{error}");
}

#[test]
fn each_split_is_judged_once_by_the_file_that_is_named_after_it() {
    let header = "split\tscore\tsentence1\tsentence2\n";
    let rows = |split: &str, count: usize| {
        (0..count)
            .map(|n| format!("{split}\t{}\tab \"c\t{}\n", n % 6, &"abcdefg"[n..]))
            .collect::<String>()
    };
    let both = |dev: usize, test: usize| [header, &rows("dev", dev), &rows("test", test)].concat();
    let plain = |count: usize| both(0, count).replace("test\t", "").replace("split\t", "");
    // The files, and how many pairs of the test and of the development split are judged.
    let report = |files: &[(&str, String)]| {
        let folder = tempfile::tempdir().unwrap();
        for (name, text) in files {
            std::fs::write(folder.path().join(name), text).unwrap();
        }
        let mut sentences = Distinct::default();
        let found = layout::read(folder.path(), &[], &mut sentences).unwrap();
        let tasks: Vec<_> = found.tasks.iter().map(|(name, pairs)| (&**name, pairs.len())).collect();
        assert!(
            tasks.iter().all(|(name, _)| *name == "STS-B") && tasks.len() < 2,
            "{tasks:?}"
        );
        let left_out = found.notes.iter().filter(|note| note.contains("are left out")).count();
        let dev = found.geometry.map_or(0, |(_, pairs)| pairs.len());
        (tasks.first().map_or(0, |task| task.1), dev, left_out)
    };
    assert_eq!(report(&[("test.tsv", both(2, 3))]), (3, 2, 0));
    assert_eq!(report(&[("test.tsv", both(2, 3)), ("dev.tsv", plain(4))]), (3, 4, 1));
    assert_eq!(report(&[("test.tsv", plain(5)), ("dev.tsv", both(4, 2))]), (5, 4, 1));
    let whole = ("stsbenchmark.tsv", both(2, 3));
    assert_eq!(report(&[("test.tsv", plain(5)), whole.clone()]), (5, 2, 1));
    assert_eq!(report(&[("dev.tsv", plain(5)), whole.clone()]), (3, 5, 1));
    assert_eq!(
        report(&[("dev.tsv", plain(5)), ("test.tsv", plain(6)), whole]),
        (6, 5, 0)
    );
}

#[test]
fn what_became_of_alignment_is_said() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("dev.tsv");
    let note = |text: &str, expected: &str| {
        std::fs::write(&path, text).unwrap();
        let report = open(&path, &[]).unwrap().judge(&By(letters)).unwrap();
        assert!(
            report.notes.iter().any(|note| note.contains(expected)),
            "{:?}",
            report.notes
        );
        names(&report).contains(&"alignment")
    };
    let header = "sentence1\tsentence2\tlabel\n";
    assert!(note(
        &format!("{header}a\tb\t0.9\na\tc\t0.2\n"),
        "from 0 to 1, are multiplied by 5"
    ));
    assert!(note(
        &format!("{header}a\tb\t0.9\na\tc\t0.2\n"),
        "alignment of the 1 pairs of STS-B dev"
    ));
    assert!(!note(
        &format!("{header}a\tb\t3\na\tc\t2\n"),
        "no alignment, for no pair of STS-B dev has a score above 4"
    ));
}
