//! `fmicl data` as a user meets it, without a network.

#![expect(clippy::unwrap_used, reason = "helpers of tests")]

// The crates that the program links.
#[expect(dead_code, reason = "the tests have a `main` of their own")]
#[path = "../src/main.rs"]
mod program;

use fmicl_core::{Dataset, Part};
use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::{Command, Output, Stdio};
use std::sync::mpsc;
use std::time::{Duration, Instant};

/// `fmicl data ...` in a folder of its own, where nothing is.
fn data(folder: &Path, args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_fmicl"));
    command.arg("data").args(args).current_dir(folder);
    for name in [
        "FMICL_DATA",
        "http_proxy",
        "HTTP_PROXY",
        "https_proxy",
        "HTTPS_PROXY",
        "all_proxy",
        "ALL_PROXY",
    ] {
        command.env_remove(name);
    }
    command
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

fn run(args: &[&str]) -> Output {
    data(tempfile::tempdir().unwrap().path(), args).output().unwrap()
}

/// The exit code and the last line of stderr, before which only the address may stand.
fn error(args: &[&str]) -> (i32, String) {
    let output = run(args);
    let stderr = text(&output.stderr);
    assert!(output.stdout.is_empty() && stderr.lines().count() <= 2, "{stderr}");
    (
        output.status.code().unwrap(),
        stderr.lines().last().unwrap().to_string(),
    )
}

#[test]
fn every_registered_dataset_is_listed() {
    let list = run(&["info"]);
    let list = text(&list.stdout);
    let lines: Vec<&str> = list.lines().collect();
    for part in fmicl_core::registry::list::<dyn fmicl_core::Dataset>() {
        assert!(
            lines.iter().any(|line| line.split(' ').next() == Some(part.name)),
            "{}: {list}",
            part.name
        );
    }
    assert!(
        lines
            .iter()
            .any(|line| line.starts_with("digits ") && line.contains(" yes ")),
        "{list}"
    );
    assert!(
        lines
            .iter()
            .any(|line| line.starts_with("cifar10 ") && line.contains(" 170.1 MB ")),
        "{list}"
    );
}

#[test]
fn the_data_folder_is_that_of_the_environment() {
    let folder = tempfile::tempdir().unwrap();
    let output = data(folder.path(), &["info", "stl10"])
        .env("FMICL_DATA", "/disk/data")
        .output()
        .unwrap();
    let info = text(&output.stdout);
    assert_eq!(output.status.code(), Some(1), "it is not there");
    assert_eq!(
        text(&output.stderr),
        "error: stl10 is not there; `fmicl data fetch stl10` downloads it\n"
    );
    assert!(
        info.contains("looks in  /disk/data/stl10_binary (is not there)\n"),
        "{info}"
    );
    assert!(
        info.contains("stl10_binary.tar.gz: 2.6 GB, MD5 91f7769df0f17e558f3565bffb0c7dfb"),
        "{info}"
    );
}

#[test]
fn what_is_asked_for_and_is_not_there_is_an_error_behind_all_that_is_known() {
    let output = run(&["info", "image-folder", "--set", "root=nowhere"]);
    let (stdout, stderr) = (text(&output.stdout), text(&output.stderr));
    assert_eq!(output.status.code(), Some(1), "{stderr}");
    assert!(
        stdout.contains("not found nowhere: there is no such folder"),
        "{stdout}"
    );
    assert!(
        stderr.starts_with("error: image-folder is not there: nowhere: there is no such folder"),
        "{stderr}"
    );
    let output = run(&["info", "image-folder"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(
        text(&output.stderr).starts_with("error: root: is missing: "),
        "{}",
        text(&output.stderr)
    );
    assert_eq!(run(&["info", "digits"]).status.code(), Some(0));
}

#[test]
fn an_experiment_stands_for_its_dataset() {
    let experiment = concat!(env!("CARGO_MANIFEST_DIR"), "/experiments/cifar10-small.toml");
    let info = text(&run(&["info", experiment, "--set", "dataset.of.root=/elsewhere"]).stdout);
    assert!(
        info.contains("looks in  /elsewhere/cifar-10-batches-bin (is not there)"),
        "{info}"
    );
    let (code, line) = error(&["fetch", experiment, "--to", "x"]);
    assert!(
        code == 2 && line.starts_with("error: --to x: goes with a dataset's name"),
        "{line}"
    );
}

#[test]
fn what_cannot_be_fetched_says_why() {
    let (code, line) = error(&["fetch", "cifr10"]);
    assert!(
        code == 2 && line.starts_with("error: no dataset named `cifr10` (did you mean `cifar10`?)"),
        "{line}"
    );
    let (code, line) = error(&["fetch", "imagenet"]);
    assert!(
        code == 1 && line.starts_with("error: imagenet cannot be fetched: get it from https://image-net.org"),
        "{line}"
    );
    let (code, line) = error(&["fetch", "image-folder"]);
    assert!(code == 2 && line.starts_with("error: root: is missing: "), "{line}");
    let output = run(&["fetch", "digits"]);
    assert_eq!(output.status.code(), Some(0));
    assert!(text(&output.stdout).starts_with("digits is there already: 1437 images"));
}

#[test]
fn what_is_wrong_with_a_dataset_ends_with_a_line_and_a_code() {
    let output = run(&["check", "digits"]);
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
    assert!(text(&output.stdout).contains("test samples that are also trained on: 0\n"));

    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    let dataset: Part<dyn Dataset> = Part::new("image-folder", toml::Table::new()).unwrap();
    dataset.example(&at("photos")).unwrap();
    std::fs::write(at("photos/train/two/4.png"), "").unwrap();
    let args = [
        "check",
        "image-folder",
        "--set",
        "root=photos",
        "--list",
        "list.csv",
        "--json",
        "found.json",
    ];
    let output = data(folder.path(), &args).output().unwrap();
    let (stdout, stderr) = (text(&output.stdout), text(&output.stderr));
    let expected = "error: train: 1 of 20 samples cannot be read; test samples that are also trained on: 8\n";
    assert_eq!((output.status.code(), &*stderr), (Some(1), expected), "{stdout}");
    assert!(stdout.contains("\n  photos/train/two/4.png: is empty\n"), "{stdout}");
    assert!(at("list.csv").is_file() && at("found.json").is_file());

    let (code, line) = error(&["check", "cifr10"]);
    assert!(
        code == 2 && line.starts_with("error: no dataset named `cifr10`"),
        "{line}"
    );
    let (code, line) = error(&["check", "digits", "--list", "no/list.csv"]);
    let expected = "error: --list: there is no folder no; make it, or name a file in another one";
    assert_eq!((code, &*line), (2, expected));
}

#[test]
fn a_network_that_is_not_there_is_one_line_with_what_would_work() {
    for name in [
        "cifar10",
        "cifar100",
        "stl10",
        "tiny-imagenet",
        "mnist",
        "fashion-mnist",
    ] {
        // Else Debian's package may be found.
        let args = ["fetch", name, "--to", "elsewhere", "--from", "http://127.0.0.1:9"];
        let (code, line) = error(&args);
        assert_eq!(code, 1, "{line}");
        assert!(
            line.starts_with("error: http://127.0.0.1:9/") && line.contains(": it cannot be reached: "),
            "{line}"
        );
        assert!(line.contains("--from FILE"), "{line}");
    }
}

#[test]
fn an_interrupt_leaves_what_the_next_run_goes_on_from() {
    let folder = tempfile::tempdir().unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let partial = folder.path().join("data/cifar-10-binary.tar.gz.partial");
    let start = || {
        let mut command = data(folder.path(), &["fetch", "cifar10", "--from", &url]);
        command.stderr(Stdio::null()).spawn().unwrap()
    };
    let (send, ranges) = mpsc::channel();
    std::thread::spawn(move || {
        let mut open: Vec<TcpStream> = Vec::new();
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            let lines = BufReader::new(stream.try_clone().unwrap()).lines();
            let header: Vec<String> = lines
                .map(|line| line.unwrap())
                .take_while(|line| !line.is_empty())
                .collect();
            let range = header.iter().find(|line| line.to_lowercase().starts_with("range: "));
            send.send(range.cloned()).unwrap();
            // Of the published size, 100,000 bytes; then nothing, and the connection stays.
            write!(
                stream,
                "HTTP/1.1 200 OK\r\nContent-Length: 170052171\r\nETag: \"v1\"\r\n\r\n"
            )
            .unwrap();
            stream.write_all(&[7; 100_000]).unwrap();
            open.push(stream);
        }
    });

    let mut child = start();
    assert_eq!(ranges.recv_timeout(Duration::from_secs(60)).unwrap(), None);
    let begin = Instant::now();
    while std::fs::metadata(&partial).map_or(0, |file| file.len()) < 100_000 {
        assert!(begin.elapsed() < Duration::from_secs(60), "nothing arrives");
        std::thread::sleep(Duration::from_millis(10));
    }
    Command::new("kill")
        // As Ctrl-C does, but for a process whose parent has it ignored: a job in the background.
        .args(["-TERM", &child.id().to_string()])
        .status()
        .unwrap();
    assert!(!child.wait().unwrap().success());
    assert_eq!(std::fs::metadata(&partial).unwrap().len(), 100_000);

    let mut child = start();
    let range = ranges.recv_timeout(Duration::from_secs(60)).unwrap().unwrap();
    assert_eq!(range.to_lowercase(), "range: bytes=100000-");
    child.kill().unwrap();
    child.wait().unwrap();
}
