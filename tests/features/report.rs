//! The page of a run: `fmicl report`, and what training sees: `fmicl views`.

use crate::run::{fmicl, text};
use crate::trained::{run_of, run_on_texts, train};
use fmicl_core::{Dataset, Part};
use std::path::Path;
use std::process::Command;

const HOSTILE: &str = "<script>alert(1)<!--";

fn page(run: &Path) -> String {
    std::fs::read_to_string(run.join("report.html")).unwrap()
}

/// Opens a page in a browser, where there is one.
fn browse(page: &Path) {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("scripts/check_report.py");
    let Ok(output) = Command::new("python3").arg(script).arg(page).output() else {
        println!("skipped: there is no python3");
        return;
    };
    let [stdout, stderr] = [output.stdout, output.stderr].map(|bytes| String::from_utf8_lossy(&bytes).into_owned());
    println!("{stdout}");
    assert!(output.status.success(), "{stderr}");
}

/// The exit code and the one line of a command that fails.
fn refused(args: &[&str]) -> (i32, String) {
    let output = Command::new(env!("CARGO_BIN_EXE_fmicl")).args(args).output().unwrap();
    let stderr = String::from_utf8(output.stderr).unwrap();
    assert!(output.stdout.is_empty() && stderr.lines().count() == 1, "{stderr}");
    (output.status.code().unwrap(), stderr)
}

#[test]
fn a_run_has_a_page_of_everything_the_same_each_time() {
    let (_folder, run) = train(&["eval.every=1"]);
    let printed = fmicl(&["report", text(&run)]);
    let place = run.join("report.html");
    assert!(printed.starts_with(&format!("report: {} (", place.display())) && printed.lines().count() == 1);
    let first = page(&run);
    for id in [
        "results",
        "curves",
        "map",
        "neighbours",
        "confusion",
        "views",
        "pairs",
        "config",
        "again",
    ] {
        assert!(first.contains(&format!("<section id=\"{id}\"")), "{id}");
    }
    assert!(first.contains("t-SNE") && first.contains("id=\"sprite0\"") && first.contains("<li>crop "));
    assert!(first.contains("Distances of pairs") && first.len() < 5_000_000);
    // What result.json says.
    let result: serde_json::Value =
        serde_json::from_str(&std::fs::read_to_string(run.join("result.json")).unwrap()).unwrap();
    let own = result["reports"].as_array().unwrap().iter();
    let trained = own.filter(|it| it["representation"] == "trained encoder");
    let values = trained.map(|it| format!(">{:.1}<", it["metrics"][0]["value"].as_f64().unwrap()));
    values.for_each(|value| assert!(first.contains(&value), "{value}"));
    fmicl(&["report", text(&run)]);
    assert!(first == page(&run), "other bytes");
    browse(&place);
}

#[test]
fn runs_on_hostile_folders_are_compared_and_without_their_data_the_rest_is_written() {
    let data = tempfile::tempdir().unwrap();
    let there = data.path().join("there");
    let photos: Part<dyn Dataset> = Part::new("image-folder", toml::Table::new()).unwrap();
    let mut dataset = photos.example(&there).unwrap();
    dataset.insert("name".into(), "image-folder".into());
    for split in ["train", "test", "val"] {
        let class = there.join(split).join("two");
        if class.is_dir() {
            std::fs::rename(class, there.join(split).join(HOSTILE)).unwrap();
        }
    }
    let set = format!("dataset={}", toml::Value::Table(dataset));
    let (folder, run) = train(&[&set, "train={epochs=1,batch_size=8,warmup_epochs=0}"]);
    let (_other_folder, other) = run_of(set);
    let out = folder.path().join("both.html");
    fmicl(&["report", text(&run), text(&other), "--out", text(&out)]);
    let both = std::fs::read_to_string(&out).unwrap();
    assert!(!both.contains("<script>alert") && both.contains("&lt;script&gt;alert(1)&lt;!--"));
    assert_eq!(both.matches("data-map=").count(), 2);
    browse(&out);

    // A test image under another name: its place in the split may be another's.
    let class = there.join("test").join(HOSTILE);
    let is_there = class.is_dir();
    if is_there {
        let file = std::fs::read_dir(&class).unwrap().next().unwrap().unwrap().path();
        let other = class.join(format!("zz.{}", file.extension().unwrap().display()));
        std::fs::rename(&file, &other).unwrap();
        fmicl(&["report", text(&run)]);
        let first = page(&run);
        assert!(
            first.contains(
                "Map and neighbours are left out: the test split is not the one that the run was evaluated on"
            )
        );
        assert!(!first.contains("<section id=\"map\"") && first.contains("<section id=\"views\""));
        std::fs::rename(&other, &file).unwrap();
        let class = there.join("train").join(HOSTILE);
        let file = std::fs::read_dir(&class).unwrap().next().unwrap().unwrap().path();
        let more = class.join(format!("zz.{}", file.extension().unwrap().display()));
        std::fs::copy(&file, &more).unwrap();
        fmicl(&["report", text(&run)]);
        let first = page(&run);
        assert!(first.contains("not what the run was trained on") && !first.contains("<section id=\"views\""));
        std::fs::remove_file(&more).unwrap();
    }
    assert!(is_there, "the example has a test split of a class `two`");

    std::fs::rename(&there, data.path().join("moved")).unwrap();
    fmicl(&["report", text(&run)]);
    let first = page(&run);
    assert!(first.contains("Map, neighbours, pairs and views are left out: ") && first.contains("<h3>Loss</h3>"));
    assert!(!first.contains("<section id=\"map\""));
    let moved = format!("dataset.root={}", data.path().join("moved").display());
    fmicl(&["report", text(&run), "--set", &moved]);
    assert!(page(&run).contains("<section id=\"map\""));
    fmicl(&["report", text(&run), "--files-only"]);
    assert!(page(&run).contains("the page is of the files alone"));
}

#[test]
fn sentences_have_neighbours_tokens_and_a_map_without_classes() {
    let (folder, run) = run_on_texts("bert");
    fmicl(&["report", text(&run)]);
    let page = page(&run);
    for part in [
        "<section id=\"map\"",
        "class=\"sentence\"",
        "<span>[CLS]</span>",
        "principal components",
    ] {
        assert!(page.contains(part), "{part}");
    }
    let printed = fmicl(&["views", text(&run), "--samples", "2"]);
    let lines: Vec<_> = printed.lines().collect();
    assert_eq!(lines.len(), 4, "{printed}");
    assert!(
        lines[0].starts_with("sample 0, view 1: [CLS] ") && lines[2].ends_with(" [SEP]"),
        "{printed}"
    );
    let same = "sample 0, view 2: the tokens of view 1; in training they differ by the encoder's dropout alone";
    assert_eq!(lines[1], same);
    let picture = folder.path().join("x.png");
    let refused = Command::new(env!("CARGO_BIN_EXE_fmicl"))
        .args(["views", text(&run), "--out", text(&picture)])
        .output()
        .unwrap();
    assert!(refused.status.code() == Some(2) && !picture.exists());
}

#[test]
fn views_are_those_of_the_epoch_with_a_line_each_and_in_the_picture() {
    let (folder, run) = run_of("views={size=16,crop={scale=[0.2,0.9]},blur=1.0,grayscale=1.0}".into());
    let picture = folder.path().join("views.png");
    let args = ["views", text(&run), "--samples", "3", "--out", text(&picture)];
    let printed = fmicl(&args);
    let lines: Vec<_> = printed.lines().collect();
    assert_eq!(lines.len(), 1 + 3 * 2, "{printed}");
    assert!(lines[0].starts_with(&format!("{}: 3 samples", picture.display())));
    for line in &lines[1..] {
        let told = ["crop ", " pixels from column ", "; grayscale", "; blur sigma "];
        assert!(told.iter().all(|part| line.contains(part)), "{line}");
    }
    let bytes = std::fs::read(&picture).unwrap();
    let caption = lines[1].as_bytes();
    assert!(bytes.windows(caption.len()).any(|part| part == caption), "no caption");
    let again = fmicl(&args);
    assert!(again == printed && std::fs::read(&picture).unwrap() == bytes);
    assert_ne!(
        fmicl(&[&args[..], &["--epoch", "2"]].concat()).lines().nth(1),
        Some(lines[1])
    );
    assert_eq!(refused(&["views", text(&run)]).0, 2);
    // The bytes are what the name says.
    for (name, begin) in [
        ("x.JPG", &[0xff, 0xd8, 0xff][..]),
        ("x.jpeg", &[0xff, 0xd8]),
        ("x.png", b"\x89PNG"),
    ] {
        let out = folder.path().join(name);
        fmicl(&["views", text(&run), "--samples", "1", "--out", text(&out)]);
        assert!(std::fs::read(&out).unwrap().starts_with(begin), "{name}");
    }
    let out = folder.path().join("x.gif");
    let (code, line) = refused(&["views", text(&run), "--out", text(&out)]);
    let why = "the picture is a PNG or a JPEG file; name one that ends in .png or .jpg";
    assert_eq!((code, line), (2, format!("error: --out: {}: {why}\n", out.display())));
}

#[test]
fn a_checkpoint_is_named_and_a_wrong_one_or_a_wrong_change_is_an_error() {
    let (_folder, run) = train(&["eval.every=1", "train.keep=9", "train.checkpoint_every=1"]);
    fmicl(&["report", text(&run)]);
    let last = page(&run);
    assert_eq!(
        last.matches(", the last checkpoint").count(),
        3,
        "map, neighbours, pairs"
    );
    assert!(last.contains("right or wrong by <bdi>knn</bdi>"));
    let step = |name: std::ffi::OsString| {
        name.to_str()
            .unwrap()
            .trim_start_matches("step-")
            .parse::<u64>()
            .unwrap()
    };
    let names = std::fs::read_dir(run.join("checkpoints")).unwrap();
    let mut steps: Vec<u64> = names.map(|entry| step(entry.unwrap().file_name())).collect();
    steps.sort_unstable();
    let (first, newest) = (steps[0], steps[steps.len() - 1]);
    assert!(first < newest, "{steps:?}");
    let before = format!("step-{first}");
    fmicl(&["report", text(&run), "--checkpoint", &before]);
    let other = page(&run);
    let of =
        format!("by the encoder after step {first}, not the last checkpoint, step {newest}, which the results are of");
    assert_eq!(other.matches(&of).count(), 2);
    // What was right at the last checkpoint is not what is right at this one.
    assert!(other.contains("right or wrong by <bdi>the nearest neighbour</bdi>"));
    std::fs::remove_file(run.join("report.html")).unwrap();
    for (args, why) in [
        (
            &["--checkpoint", "step-77777"][..],
            "error: --checkpoint: there is none of step 77777; the run has last, step-",
        ),
        (
            &["--checkpoint", "bset"],
            "error: --checkpoint: bset is not the folder of a checkpoint; use last, best, step-N",
        ),
        (
            &["--set", "train.lr=3"],
            "error: --set train.lr: the run is trained; where it is used, only dataset, ",
        ),
        (&["--set", "dataset.nothing=3"], "error: "),
        (&["--device", "cuda:77"], "error: "),
    ] {
        let (_, line) = refused(&[&["report", text(&run)], args].concat());
        assert!(line.starts_with(why), "{line}");
    }
    assert!(!run.join("report.html").exists());
}

#[test]
fn eight_runs_of_large_images_share_a_page_of_less_than_5_mb() {
    let folder = tempfile::tempdir().unwrap();
    let mut noise = 1u32;
    for (split, class) in [("train", "one"), ("train", "two"), ("test", "one"), ("test", "two")] {
        let class = folder.path().join("images").join(split).join(class);
        std::fs::create_dir_all(&class).unwrap();
        for number in 0..16 {
            let mut next = |_: usize| {
                noise = noise.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                (noise >> 24) as u8
            };
            // PPM needs no encoder.
            let pixels: Vec<u8> = (0..96 * 96 * 3).map(&mut next).collect();
            let file = [&b"P6 96 96 255\n"[..], &pixels].concat();
            std::fs::write(class.join(format!("{number}.ppm")), file).unwrap();
        }
    }
    let runs: Vec<_> = (0..8)
        .map(|seed| {
            let root = folder.path().join("images");
            let made = run_of(format!("dataset={{name='image-folder',root={root:?}}}"));
            let config = made.1.join("config.toml");
            let text = std::fs::read_to_string(&config).unwrap();
            let changed = text
                .replace("size = 16\n", "size = 96\n")
                .replace("seed = 0\n", &format!("seed = {seed}\n"));
            assert!(
                changed.contains("size = 96") && changed.contains(&format!("seed = {seed}")),
                "{text}"
            );
            std::fs::write(&config, changed).unwrap();
            made
        })
        .collect();
    let out = folder.path().join("all.html");
    let paths: Vec<&str> = runs.iter().map(|(_, run)| text(run)).collect();
    fmicl(&[&["report"], &paths[..], &["--out", text(&out)]].concat());
    let all = std::fs::read_to_string(&out).unwrap();
    assert!(all.len() < 5_000_000, "{}", all.len());
    // Each of them is there, with pictures that are smaller than where it is alone.
    assert_eq!(all.matches("data-map=").count(), 8);
    assert_eq!(all.matches("class=\"tiles\"").count(), 8);
    fmicl(&["report", paths[0]]);
    let one = page(Path::new(paths[0]));
    let of_one = |page: &str| {
        page.split("<section id=\"neighbours\"")
            .nth(1)
            .unwrap()
            .split("</section>")
            .next()
            .unwrap()
            .len()
    };
    assert!(8 * of_one(&one) > of_one(&all), "{} {}", of_one(&one), of_one(&all));
}
