//! Before the processes have met: whom a process waits for, how it says that nobody came, and how it is stopped.

use crate::common;
use fmicl_core::registry::{API, Entry};
use fmicl_core::{Error, Optimizer, inventory};
use std::net::{TcpListener, TcpStream};
use std::os::unix::process::ExitStatusExt;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};
use tempfile::TempDir;

/// A version that only this program has.
const VERSION: &str = "1.0.0-of-the-first";
/// As long as [`VERSION`].
const OTHER: &str = "1.0.1-of-the-other";

inventory::submit! {
    Entry::<dyn Optimizer> {
        name: "versioned",
        summary: "stands for a plugin of some version",
        crate_name: "versioned-plugin",
        crate_version: VERSION,
        api: API,
        docs: || &[],
        options: || &[],
        build: |_| Err(Error::config("it has but a version")),
    }
}

const EXPERIMENT: &str = r#"
dataset = { name = "subset", train = 24, of = "digits" }
backbone = { name = "vit", width = 12, depth = 1, heads = 2 }
architecture = { name = "simclr", out = 16 }
objective = "infonce"
optimizer = "sgd"
device = "cpu"
views.size = 16
train = { epochs = 1, batch_size = 8, lr = 0.1, threads = 1 }
"#;

/// Starts `fmicl train` in two processes, with a limit of so many seconds.
fn train(test: &str, timeout: f64, more: impl Fn(usize, &mut Command)) -> (TempDir, Vec<Child>) {
    let folder = tempfile::tempdir().unwrap();
    let [file, run] = ["x.toml", "run"].map(|name| folder.path().join(name));
    std::fs::write(&file, EXPERIMENT).unwrap();
    let engine = format!("engine={{ name = \"c10d\", timeout = {timeout:?} }}");
    let [file, run] = [file, run].map(|path| path.to_str().unwrap().to_string());
    let processes = common::start_fmicl(test, 2, &["train", &file, "--out", &run, "--set", &engine], more);
    (folder, processes)
}

/// This program as one that is linked with another version of the plugin.
fn other_program() -> PathBuf {
    let own = std::env::current_exe().unwrap();
    let mut bytes = std::fs::read(&own).unwrap();
    let places: Vec<_> = (0..bytes.len() - VERSION.len())
        .filter(|&place| bytes[place..].starts_with(VERSION.as_bytes()))
        .collect();
    assert!(!places.is_empty());
    for place in places {
        bytes[place..][..OTHER.len()].copy_from_slice(OTHER.as_bytes());
    }
    // Beside its own, from where libtorch is found.
    let path = own.with_extension(format!("other-{}", std::process::id()));
    std::fs::copy(&own, &path).unwrap();
    std::fs::write(&path, bytes).unwrap();
    path
}

#[test]
#[cfg_attr(not(gloo), ignore = "built without gloo: run scripts/setup and build again")]
fn two_versions_of_the_program_are_refused() {
    let test = "meeting::two_versions_of_the_program_are_refused";
    if common::rank().is_some() {
        return common::fmicl();
    }
    let other = other_program();
    let (folder, processes) = train(test, 60.0, |rank, command| {
        if rank == 1 {
            let mut changed = Command::new(&other);
            changed.args(command.get_args());
            changed.envs(command.get_envs().filter_map(|(key, value)| Some((key, value?))));
            changed.stdout(Stdio::piped()).stderr(Stdio::piped());
            *command = changed;
        }
    });
    let outputs = common::finish(processes);
    std::fs::remove_file(&other).unwrap();
    let plugin = |version: &str| format!("`versioned-plugin {version}`");
    let expected = format!(
        "error: the program of rank 1 is not that of rank 0: {} and {}; start all processes alike\n",
        plugin(OTHER),
        plugin(VERSION)
    );
    for output in outputs {
        assert_eq!(common::stderr(&output), expected);
    }
    assert!(!folder.path().join("run").exists(), "no run began");
}

#[test]
#[cfg_attr(not(gloo), ignore = "built without gloo: run scripts/setup and build again")]
fn a_host_without_an_address_is_said_at_once() {
    let test = "meeting::a_host_without_an_address_is_said_at_once";
    if common::rank().is_some() {
        return common::fmicl();
    }
    let begun = Instant::now();
    let (_folder, processes) = train(test, 60.0, |_, command| {
        command.env("MASTER_ADDR", "no-such-host.invalid");
    });
    for (rank, output) in common::finish(processes).iter().enumerate() {
        let said = common::stderr(output);
        let expected = format!("error: `no-such-host.invalid`, where rank {rank} joins the others, has no address: ");
        assert!(said.starts_with(&expected) && said.lines().count() == 1, "{said}");
    }
    assert!(
        begun.elapsed() < Duration::from_secs(40),
        "it took {:?}",
        begun.elapsed()
    );
}

#[test]
#[cfg_attr(not(gloo), ignore = "built without gloo: run scripts/setup and build again")]
fn who_finds_nobody_says_so_in_a_line() {
    let test = "meeting::who_finds_nobody_says_so_in_a_line";
    if common::rank().is_some() {
        return common::fmicl();
    }
    // The first one keeps the store, where nobody else comes; the other one looks for it elsewhere.
    let nobody = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let (_folder, processes) = train(test, 4.0, |rank, command| {
        if rank == 1 {
            command.env("MASTER_PORT", nobody.to_string());
        }
    });
    for (rank, output) in common::finish(processes).iter().enumerate() {
        let said = common::stderr(output);
        let expected = format!("error: rank {rank} of 2 did not join the others at 127.0.0.1:");
        assert!(said.starts_with(&expected) && said.lines().count() == 1, "{said}");
    }
}

#[test]
#[cfg_attr(not(gloo), ignore = "built without gloo: run scripts/setup and build again")]
fn who_waits_for_the_others_stops_at_a_signal() {
    let test = "meeting::who_waits_for_the_others_stops_at_a_signal";
    if common::rank().is_some() {
        return common::fmicl();
    }
    // The first one waits at its own store, the other one at the test's, which does not answer.
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let ports = [
        TcpListener::bind("127.0.0.1:0").unwrap().local_addr(),
        silent.local_addr(),
    ]
    .map(|at| at.unwrap().port());
    let (_folder, mut processes) = train(test, 60.0, |rank, command| {
        command.env("MASTER_PORT", ports[rank].to_string());
    });
    let _waits = silent.accept().unwrap();
    let begun = Instant::now();
    while TcpStream::connect(("127.0.0.1", ports[0])).is_err() {
        assert!(begun.elapsed() < Duration::from_secs(60), "no store in a minute");
        std::thread::sleep(Duration::from_millis(20));
    }
    let begun = Instant::now();
    for (process, signal) in processes.iter().zip(["-TERM", "-INT"]) {
        let id = process.id().to_string();
        assert!(Command::new("kill").args([signal, &id]).status().unwrap().success());
    }
    // One that goes on waiting would do so for ever.
    while processes
        .iter_mut()
        .any(|process| process.try_wait().unwrap().is_none())
    {
        if begun.elapsed() > Duration::from_secs(10) {
            processes.iter_mut().for_each(|process| process.kill().unwrap());
        }
        std::thread::sleep(Duration::from_millis(20));
    }
    let signals: Vec<_> = common::finish(processes)
        .iter()
        .map(|output| output.status.signal())
        .collect();
    // 143 and 130 in a shell.
    assert_eq!(signals, [Some(15), Some(2)]);
    assert!(
        begun.elapsed() < Duration::from_secs(10),
        "it took {:?}",
        begun.elapsed()
    );
}
