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
        lines[0].starts_with("sample 0, view 1: [CLS] ") && lines[3].ends_with(" [SEP]"),
        "{printed}"
    );
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
    let missing = Command::new(env!("CARGO_BIN_EXE_fmicl"))
        .args(["views", text(&run)])
        .output()
        .unwrap();
    assert_eq!(missing.status.code(), Some(2));
}
