//! Images that cannot be read.

use super::*;

/// The folder of images of an experiment.
fn photos(text: &str) -> String {
    let text = text.replace(
        r#"{ name = "subset", train = 24, of = "digits" }"#,
        r#"{ name = "image-folder", root = "photos" }"#,
    );
    text.replace("epochs = 3, batch_size = 8,", "epochs = 1000, batch_size = 6,")
}

/// Twenty photos to train on, and eight to test.
fn example(bench: &Bench) {
    let dataset: Part<dyn Dataset> = Part::new("image-folder", toml::Table::new()).unwrap();
    dataset.example(&bench.path("photos")).unwrap();
}

#[test]
fn an_image_that_vanishes_or_is_cut_during_training_costs_no_step() {
    let bench = Bench::new(photos);
    example(&bench);
    let image = bench.path("photos/train/one/3.png");
    let good = fs::read(&image).unwrap();
    let lines = bench.path("run").join("metrics.jsonl");
    for (harm, says) in [
        (
            (|path| fs::remove_file(path).unwrap()) as fn(&Path),
            "there is no such file",
        ),
        (halve, "cannot be decoded"),
    ] {
        let mut child = bench.start("run", 3000);
        let before = fs::metadata(&lines).map_or(0, |file| file.len());
        wait_until(&mut child, "an epoch", || {
            fs::metadata(&lines).is_ok_and(|file| file.len() > before)
        });
        harm(&image);
        let (code, stderr) = ended(&child.wait_with_output().unwrap());
        assert_eq!(code, 1, "{stderr}");
        let error = stderr.lines().last().unwrap();
        assert!(
            error.starts_with("error: ") && error.contains("photos/train/one/3.png: "),
            "{stderr}"
        );
        assert!(error.contains(says), "{stderr}");
        fs::write(&image, &good).unwrap();
    }
    let newest = bench.checkpoints("run").pop().unwrap();
    let step: u64 = newest.to_str().unwrap().rsplit('-').next().unwrap().parse().unwrap();
    // No epoch's end: the step before the harm.
    bench.finish("run", step + 4);
    bench.finish("whole", step + 4);
    bench.same("whole", "run", step + 4);
}

#[test]
fn images_that_cannot_be_read_are_left_out_listed_and_capped() {
    let bench = Bench::new(|text| photos(text).replace("threads = 2", "threads = 2, on_error = 'skip'"));
    example(&bench);
    for name in ["one/3.png", "two/7.png"] {
        halve(&bench.path(&format!("photos/train/{name}")));
    }
    fs::write(bench.path("photos/test/one/1.png"), "no image").unwrap();
    bench.finish("whole", 7);
    let stderr = bench.finish("run", 4);
    assert_eq!(stderr.matches("is left out: photos/train/").count(), 2, "{stderr}");
    bench.finish("run", 7);
    bench.same("whole", "run", 7);
    for line in metrics(&bench.path("run")) {
        // 18 of the 20 samples are used in an epoch.
        let skipped = line["skipped_samples"].as_u64().unwrap();
        assert!((1..=2).contains(&skipped), "{line}");
    }
    let list = fs::read_to_string(bench.path("run/skipped.jsonl")).unwrap();
    assert_eq!(list.lines().count(), 2, "{list}");
    assert!(
        list.contains(r#"{"pass":"training","split":"train","sample":3,"error":"photos/train/one/3.png: "#),
        "{list}"
    );
    // To the end, with the evaluation of what is left.
    let mut whole = bench.train("all", 9);
    let output = whole
        .args(["--set", "train.epochs=1", "--set", "train.warmup_epochs=0"])
        .output()
        .unwrap();
    let (code, stderr) = ended(&output);
    assert_eq!(code, 0, "{stderr}");
    // Of each file once, however often the evaluation reads it.
    assert_eq!(stderr.matches(" is left out: ").count(), 3, "{stderr}");
    assert!(
        stderr.contains("sample 1 of test is left out: photos/test/one/1.png: "),
        "{stderr}"
    );
    let list = fs::read_to_string(bench.path("all/skipped.jsonl")).unwrap();
    let of = |pass: &str| list.lines().filter(|line| line.contains(pass)).count();
    let [train, test] = ["train", "test"].map(|split| of(&format!(r#"{{"pass":"evaluation","split":"{split}""#)));
    assert_eq!((train, test), (2, 1), "{list}");
    assert!((1..=2).contains(&of(r#"{"pass":"training""#)), "{list}");
    // More than may be.
    let mut capped = bench.train("capped", 9);
    let (code, stderr) = ended(&capped.args(["--set", "train.max_skipped_samples=0"]).output().unwrap());
    assert_eq!(code, 1);
    assert!(
        stderr.contains(
            "error: 1 samples of epoch 1 cannot be read, and train.max_skipped_samples is 0; the last: photos/train/"
        ),
        "{stderr}"
    );
}

#[test]
fn an_image_of_the_test_split_that_cannot_be_read_names_the_way_out() {
    let bench = Bench::new(|text| {
        let once = photos(text).replace("epochs = 1000", "epochs = 1");
        once.replace("warmup_epochs = 1", "warmup_epochs = 0")
    });
    example(&bench);
    fs::write(bench.path("photos/test/one/1.png"), "no image").unwrap();
    let (code, stderr) = ended(&bench.train("run", 9).output().unwrap());
    assert_eq!(code, 1, "{stderr}");
    let error = stderr.lines().last().unwrap();
    let way = "; train.on_error = \"skip\" leaves out what cannot be read (--set train.on_error=skip, also for eval and train \
               --resume), and `fmicl check --files` finds all of it";
    assert!(
        error.starts_with("error: photos/test/one/1.png: ") && error.contains(way),
        "{error}"
    );
    let again = "; training is complete, and its encoder is kept: `fmicl train --resume run`, with the --set that helps, evaluates it \
                 again and finishes the run";
    assert!(error.ends_with(again), "{error}");
    // The way out is one.
    let mut again = bench.train("run", 9);
    let (code, stderr) = ended(&again.args(["--set", "train.on_error=skip"]).output().unwrap());
    assert_eq!(code, 0, "{stderr}");
    let result = fs::read_to_string(bench.path("run/result.json")).unwrap();
    assert!(result.contains("\"unreadable\": 1"), "{result}");
}

#[test]
fn one_folder_of_both_splits_counts_a_broken_image_once() {
    let bench = Bench::new(|text| {
        let once = photos(text).replace("epochs = 1000", "epochs = 1, on_error = 'skip'");
        let once = once.replace("warmup_epochs = 1", "warmup_epochs = 0");
        once.replace(r#"root = "photos""#, r#"root = "photos", test = "train""#)
    });
    example(&bench);
    halve(&bench.path("photos/train/one/3.png"));
    let mut train = bench.train("run", 9);
    let output = train.output().unwrap();
    let (code, stderr) = ended(&output);
    assert_eq!(code, 0, "{stderr}");
    let table = String::from_utf8(output.stdout).unwrap();
    assert!(
        table.contains("(1 samples of both splits could not be read)"),
        "{table}"
    );
    // Nine of one class.
    assert!(table.contains("up to 10 labels a class"), "{table}");
    assert!(
        table.contains("random choices of 19 samples, as 1 of 2 classes have fewer than 10.\n"),
        "{table}"
    );
    assert_eq!(stderr.matches(" is left out: ").count(), 1, "{stderr}");
}
