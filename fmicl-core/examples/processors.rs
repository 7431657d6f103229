//! Runs tests as on every lesser processor that this one can stand in for:
//!
//! `cargo test --release --workspace --no-run --message-format=json | target/release/examples/processors fmicl-core ...`
//!
//! The arguments are the packages whose tests run. Fails at the end where any did.

use fmicl_core::testing::processors;
use serde_json::Value;
use std::io::{BufRead, stdin};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

/// A test program and the folder of its package.
struct Program {
    path: PathBuf,
    folder: PathBuf,
}

/// The program that a line of cargo's is about, if it is a test of one of the packages.
fn program(line: &str, packages: &[String]) -> Option<Program> {
    let message: Value = serde_json::from_str(line).ok()?;
    let is_test = message["profile"]["test"].as_bool()?;
    let path = message["executable"].as_str().filter(|_| is_test)?;
    let folder = Path::new(message["manifest_path"].as_str()?).parent()?;
    let name = folder.file_name()?.to_str()?;
    packages.iter().any(|package| package == name).then(|| Program {
        path: path.into(),
        folder: folder.into(),
    })
}

fn main() -> ExitCode {
    let packages: Vec<String> = std::env::args().skip(1).collect();
    let lines: Result<Vec<_>, _> = stdin().lock().lines().collect();
    let lines = lines.unwrap_or_else(|error| panic!("stdin: {error}")).into_iter();
    let programs: Vec<_> = lines.filter_map(|line| program(&line, &packages)).collect();
    if programs.is_empty() {
        eprintln!("processors: no tests of {} on stdin", packages.join(", "));
        return ExitCode::from(2);
    }
    let mut failed = Vec::new();
    let all = processors();
    if all.len() < 2 {
        eprintln!("processors: this one can stand in for no lesser one");
        return ExitCode::from(2);
    }
    // The last is this processor as it is, for which `cargo test` is enough.
    for processor in &all[..all.len() - 1] {
        for Program { path, folder } in &programs {
            println!("processors: {} with {}", path.display(), processor.name);
            let mut command = Command::new(path);
            // Those that try every processor by themselves have done so.
            command
                .current_dir(folder)
                .args(["--quiet", "--skip", "on_every_processor"]);
            processor.stand_in(&mut command);
            if !command.status().is_ok_and(|status| status.success()) {
                failed.push(format!("{} with {}", path.display(), processor.name));
            }
        }
    }
    for failure in &failed {
        eprintln!("processors: failed: {failure}");
    }
    println!(
        "processors: {} test programs as on {} lesser processors",
        programs.len(),
        all.len() - 1
    );
    ExitCode::from(u8::from(!failed.is_empty()))
}
