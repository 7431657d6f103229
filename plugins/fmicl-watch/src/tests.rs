//! Pictures of made-up runs.

use crate::draw::draw;
use crate::plain;
use crate::terminal::press;
use crate::watched::Watched;
use fmicl_core::{OUTPUT_MARK, disk};
use ratatui::Terminal;
use ratatui::backend::TestBackend;
use ratatui::crossterm::event::{KeyCode, KeyModifiers};
use serde_json::json;
use std::fmt::Write;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};
use tempfile::TempDir;

/// A time, at which every file was written, and what is now.
fn then() -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_secs(1_767_225_600)
}

fn now() -> SystemTime {
    then() + Duration::from_secs(125)
}

/// A finished run of 20 epochs of 11 steps.
fn make(run: &Path) {
    fs::create_dir_all(run).unwrap();
    let mut epochs = String::new();
    for epoch in 1..=20u32 {
        let share = f64::from(epoch) / 20.0;
        let line = json!({
            "epoch": epoch, "step": 11 * epoch, "lr": 0.002 * (1.0 - share), "loss": 4.0 * (-3.0 * share).exp(), "f_mi": share,
            "projections": { "of": "x", "effective_rank": 10.0 + share, "mean_cosine": 0.1, "dimensions": 64 },
            "images_per_second": 28.2, "waiting": 0.0134, "evaluations": { "knn": { "accuracy": 50.0 + 40.0 * share } },
        });
        writeln!(epochs, "{line}").unwrap();
    }
    let steps: String = (1..=4)
        .map(|step| format!("{{\"epoch\":{step},\"step\":{},\"loss\":1.5}}\n", 50 * step))
        .collect();
    write(run, "metrics.jsonl", &epochs);
    write(run, "steps.jsonl", &steps);
    write(run, "config.toml", "[train]\nepochs = 20\n");
    write(run, "result.json", "{\"epochs\":20,\"seconds\":745.3}");
    write(
        run,
        "log.txt",
        "2026-01-01T00:00:00.123456Z  INFO epoch   20  loss 0.1991\n2026-01-01T00:00:01.5Z  WARN the disk\u{1b}[2J is slow\n",
    );
}

fn write(run: &Path, name: &str, text: &str) {
    let path = run.join(name);
    fs::write(&path, text).unwrap();
    File::options()
        .write(true)
        .open(path)
        .unwrap()
        .set_modified(then())
        .unwrap();
}

fn made() -> (TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let run = folder.path().join("x-1");
    make(&run);
    (folder, run)
}

fn screen(watched: &Watched, (width, height): (u16, u16)) -> String {
    let mut terminal = Terminal::new(TestBackend::new(width, height)).unwrap();
    terminal.draw(|frame| draw(frame, watched, now())).unwrap();
    let buffer = terminal.backend().buffer().clone();
    let row = |y: u16| -> String {
        let row: String = (0..width).map(|x| buffer[(x, y)].symbol()).collect();
        format!("{}\n", row.trim_end())
    };
    (0..height).map(row).collect()
}

/// The picture of a run that is named as it lies in its folder, beside the golden one; `FMICL_GOLDEN=1` writes that.
fn same_as_golden(watched: &Watched, size: (u16, u16), name: &str) {
    let shown = screen(watched, size);
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("golden").join(name);
    if std::env::var_os("FMICL_GOLDEN").is_some() {
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, &shown).unwrap();
    }
    assert_eq!(shown, fs::read_to_string(&path).unwrap(), "{name}:\n{shown}");
}

fn watched(path: &Path) -> Watched {
    let mut watched = Watched::new(path, None).unwrap();
    // The folder of a test has another name each time.
    watched.name = "runs/x-1".into();
    watched
}

#[test]
fn a_run_has_its_curves_beside_a_list_or_alone() {
    let (_folder, run) = made();
    let mut watched = watched(&run);
    same_as_golden(&watched, (80, 24), "run-80x24.txt");
    same_as_golden(&watched, (40, 12), "run-40x12.txt");
    watched.turn(2);
    same_as_golden(&watched, (80, 24), "f_mi-80x24.txt");
    // Whatever the size, something is drawn.
    for size in [(1, 1), (3, 5), (10, 3), (200, 60), (59, 13), (500, 2)] {
        screen(&watched, size);
    }
}

#[test]
fn a_sweep_has_a_list_of_its_runs_and_the_curves_of_one() {
    let folder = tempfile::tempdir().unwrap();
    for cell in ["kl_seed-0", "kl_seed-1"] {
        make(&folder.path().join("runs").join(cell));
    }
    let second = folder.path().join("runs/kl_seed-1");
    fs::remove_file(second.join("result.json")).unwrap();
    fs::write(folder.path().join("results.csv"), "state\nw\nw\nw\n").unwrap();
    fs::write(folder.path().join(OUTPUT_MARK), "").unwrap();
    let mut watched = watched(folder.path());
    same_as_golden(&watched, (80, 24), "sweep-80x24.txt");
    same_as_golden(&watched, (40, 12), "sweep-40x12.txt");
    let chosen = |watched: &Watched| watched.run().unwrap().observed.path.clone();
    assert!(chosen(&watched).ends_with("kl_seed-0"));
    press(&mut watched, KeyCode::Down.into());
    press(&mut watched, KeyCode::Down.into());
    assert_eq!(chosen(&watched), second);
    press(&mut watched, KeyCode::Up.into());
    assert!(chosen(&watched).ends_with("kl_seed-0"));
    // One that begins is listed, and the chosen one stays.
    make(&folder.path().join("runs/a_seed-0"));
    watched.update();
    assert_eq!((watched.cells().0.len(), watched.cells().1), (3, 1));
    // What runs is chosen first.
    let held = disk::lock(&second.join(OUTPUT_MARK)).unwrap();
    assert_eq!(chosen(&self::watched(folder.path())), second);
    drop(held);
}

#[test]
fn keys_choose_curves_round_and_round_and_end() {
    let (_folder, run) = made();
    let mut watched = watched(&run);
    let chosen = |watched: &Watched| {
        let curves = watched.curves();
        curves[watched.chosen(&curves)].name()
    };
    assert_eq!(chosen(&watched), "loss");
    for (key, name) in [
        (KeyCode::Tab, "loss by step"),
        (KeyCode::Right, "f_mi"),
        (KeyCode::Down, "knn.accuracy"),
        (KeyCode::Down, "projections.effective_rank"),
        (KeyCode::Left, "knn.accuracy"),
        (KeyCode::Up, "f_mi"),
        (KeyCode::BackTab, "loss by step"),
        (KeyCode::Up, "loss"),
        (KeyCode::Up, "projections.mean_cosine"),
        (KeyCode::Tab, "loss"),
        (KeyCode::Char('x'), "loss"),
    ] {
        assert!(!press(&mut watched, key.into()), "{key:?}");
        assert_eq!(chosen(&watched), name, "{key:?}");
    }
    let control = ratatui::crossterm::event::KeyEvent::new(KeyCode::Char('c'), KeyModifiers::CONTROL);
    assert!(press(&mut watched, control) && press(&mut watched, KeyCode::Char('q').into()));
    assert!(!press(&mut watched, KeyCode::Char('c').into()));
}

#[test]
fn curves_without_finite_numbers_and_very_long_ones_are_drawn() {
    let (_folder, run) = made();
    let line = |step: usize, loss: &str| format!("{{\"epoch\":1,\"step\":{step},\"loss\":{loss}}}\n");
    write(&run, "steps.jsonl", "");
    let shown = |metrics: &str| {
        write(&run, "metrics.jsonl", metrics);
        let watched = watched(&run);
        let text = plain::text(&watched, now());
        (screen(&watched, (80, 24)), text)
    };
    let (picture, text) = shown("");
    assert!(
        picture.contains("no epoch is over and no step is logged yet"),
        "{picture}"
    );
    assert!(text.contains("epoch 0/20"), "{text}");
    let (picture, text) = shown(&(line(1, "null") + &line(2, "null")));
    assert!(picture.contains("none of its 2 numbers is finite"), "{picture}");
    assert!(text.contains("loss  not finite, 2 points\n"), "{text}");
    let (picture, text) = shown(&line(7, "2.5"));
    assert!(
        picture.contains("loss 2.5 (1/1)") && picture.contains("step 7"),
        "{picture}"
    );
    assert!(text.contains("between 2.5 and 2.5, 1 point\n"), "{text}");
    let dots = |text: &str| {
        text.chars()
            .filter(|letter| ('\u{2801}'..='\u{28ff}').contains(letter))
            .count()
    };
    assert_eq!(dots(&picture), 1, "{picture}");
    let long: String = (0..50_000)
        .map(|step| line(step, &(step as f64).sin().to_string()))
        .collect();
    let (picture, text) = shown(&(long + "{\"epoch\":1,\"st"));
    assert!(dots(&picture) > 200, "{picture}");
    assert!(text.contains("between -1 and 1, 50000 points\n"), "{text}");
}

#[test]
fn hostile_names_move_no_cursor() {
    let folder = tempfile::tempdir().unwrap();
    let run = folder.path().join("a\n\u{1b}[2J\u{202e}b");
    make(&run);
    let line = "{\"epoch\":1,\"step\":1,\"lo\u{1b}[31mss\":1,\"\u{202e}x\":2}\n".replace('\u{1b}', "\\u001b");
    write(&run, "metrics.jsonl", &line);
    write(&run, "log.txt", "t ERROR \u{1b}[2J\r\n");
    let watched = Watched::new(&run, None).unwrap();
    let text = plain::text(&watched, now());
    let pictures: String = [(80, 24), (40, 12)].map(|size| screen(&watched, size)).concat();
    for shown in [text, pictures] {
        let is_hostile = |letter: char| letter != '\n' && (letter.is_control() || letter == '\u{202e}');
        assert!(!shown.contains(is_hostile), "{shown:?}");
        assert!(shown.contains("lo\\u{1b}[31mss"), "{shown}");
    }
}

#[test]
fn without_a_terminal_a_run_is_a_few_lines() {
    let (_folder, run) = made();
    let text = plain::text(&watched(&run), now());
    let expected = "runs/x-1: finished
epoch 20/20  step 220/220  took 12 min 25 s
28 samples/s  1 % waiting for data
loss                            0.1991  between 0.1991 and 3.443, 20 points
loss by step                       1.5  between 1.5 and 1.5, 4 points
f_mi                                 1  between 0.05 and 1, 20 points
knn.accuracy                        90  between 52 and 90, 20 points
projections.effective_rank          11  between 10.05 and 11, 20 points
lr                                   0  between 0 and 0.0019, 20 points
images_per_second                 28.2  between 28.2 and 28.2, 20 points
waiting                         0.0134  between 0.0134 and 0.0134, 20 points
projections.dimensions              64  between 64 and 64, 20 points
projections.mean_cosine            0.1  between 0.1 and 0.1, 20 points
00:00:00 epoch   20  loss 0.1991
00:00:01 WARN the disk\\u{1b}[2J is slow
";
    assert_eq!(text, expected, "{text}");
}

#[test]
fn the_verb_obeys_the_laws() {
    fmicl_runner::testing::check_command("watch");
}
