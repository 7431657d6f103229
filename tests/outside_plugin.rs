//! A plugin crate outside this workspace, with a three-line main of its own: built against this one by path, found by
//! name, trained with. The crates are made in a temporary folder and built into this workspace's target directory, so
//! that libtorch's bindings are not compiled again.

#![expect(clippy::unwrap_used, reason = "helpers of tests")]

use std::fs;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::LazyLock;

/// Two plugins that register the same name, and the binaries that link one of them, both, or neither.
const BINARIES: [(&str, &str); 3] = [
    ("fmicl-outside-one", "use outside_first as _;"),
    ("fmicl-outside-both", "use {outside_first as _, outside_second as _};"),
    ("fmicl-outside-none", ""),
];

const PLUGIN: &str = r#"
//! Twice the template's reverse KL.
use fmicl_core::{Divergence, register, tch::Tensor};

/// Without options.
#[derive(Debug, Default, serde::Serialize, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Outside {}

register!(Divergence, "outside", Outside, "a divergence that fmicl has never seen");

impl Divergence for Outside {
    fn generator(&self, log_u: &Tensor) -> Tensor { log_u * -1.0 }
    fn critic(&self, log_u: &Tensor) -> Tensor { -(-log_u).exp() }
    fn conjugate(&self, t: &Tensor) -> Tensor { -1.0 - (-t).log() }
    fn domain(&self) -> (f64, f64) { (f64::NEG_INFINITY, -0.01) }
    fn penalty(&self, log_u: &Tensor) -> Tensor { log_u - 1.0 }
}
"#;

const EXPERIMENT: &str = r#"
dataset = "digits"
backbone = { name = "resnet", depth = 18, stem = "cifar", width = 8 }
architecture = { name = "simclr", out = 16 }
objective = { name = "f-micl", divergence = "outside", similarity = "gaussian" }
optimizer = "sgd"
device = "cpu"
views.size = 8
train = { epochs = 1, batch_size = 512, lr = 0.01 }
"#;

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Where this build's binaries lie: `target/release`.
fn binaries() -> &'static Path {
    Path::new(env!("CARGO_BIN_EXE_fmicl")).parent().unwrap()
}

/// The folder of the outside crates, built once for all tests.
static OUTSIDE: LazyLock<PathBuf> = LazyLock::new(|| {
    // The same folder each time, so that the target directory does not fill up with the builds of every run.
    let mut hasher = DefaultHasher::new();
    root().hash(&mut hasher);
    let folder = std::env::temp_dir().join(format!("fmicl-outside-{:x}", hasher.finish()));
    let write = |path: &str, text: &str| {
        let path = folder.join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        // A file that is written again would be compiled again.
        if fs::read_to_string(&path).is_ok_and(|old| old == text) {
            return;
        }
        fs::write(path, text).unwrap();
    };
    let package = |name: &str, dependencies: &str| {
        format!("[package]\nname = \"{name}\"\nversion = \"1.2.3\"\nedition = \"2024\"\n[dependencies]\n{dependencies}")
    };
    let (core, runner) = (root().join("fmicl-core"), root().join("fmicl-runner"));
    let needs = format!("fmicl-core.path = {core:?}\nserde = {{ version = \"1\", features = [\"derive\"] }}\n");
    for plugin in ["outside-first", "outside-second"] {
        write(&format!("{plugin}/Cargo.toml"), &package(plugin, &needs));
        write(&format!("{plugin}/src/lib.rs"), PLUGIN);
    }
    let needs = format!(
        "fmicl-runner.path = {runner:?}\noutside-first.path = \"outside-first\"\n\
         outside-second.path = \"outside-second\"\n[workspace]\n"
    );
    write("Cargo.toml", &package("host", &needs));
    for (name, links) in BINARIES {
        let main = format!("{links}\nfn main() -> std::process::ExitCode {{ fmicl_runner::cli() }}");
        write(&format!("src/bin/{name}.rs"), &main);
    }
    write("x.toml", EXPERIMENT);
    fs::copy(root().join("Cargo.lock"), folder.join("Cargo.lock")).unwrap();

    let mut cargo = Command::new(env!("CARGO"));
    cargo.current_dir(&folder).args(["build", "--offline", "--bins"]);
    // The same link flags and libtorch as here, or everything would be compiled again.
    cargo.arg("--config").arg(root().join(".cargo/config.toml"));
    cargo.arg("--target-dir").arg(binaries().parent().unwrap());
    if binaries().ends_with("release") {
        cargo.arg("--release");
    }
    let output = cargo.output().unwrap();
    let log = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{log}");
    assert!(
        !log.contains("Compiling torch-sys"),
        "libtorch's bindings were compiled again:\n{log}"
    );
    folder
});

/// Runs one of the binaries in the outside folder.
fn run(binary: &str, args: &[&str]) -> Output {
    Command::new(binaries().join(binary))
        .args(args)
        .current_dir(&*OUTSIDE)
        .output()
        .unwrap()
}

fn stdout(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned()
}

fn stderr(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

#[test]
fn a_crate_outside_the_workspace_is_listed_and_trained_with() {
    let list = run("fmicl-outside-one", &["list", "divergence"]);
    let line = "outside     a divergence that fmicl has never seen (outside-first 1.2.3)";
    assert!(stdout(&list).contains(line), "{}", stdout(&list));

    let out = tempfile::tempdir().unwrap();
    let out = out.path().join("run");
    let train = run(
        "fmicl-outside-one",
        &["train", "x.toml", "--out", out.to_str().unwrap()],
    );
    assert!(train.status.success(), "{}", stderr(&train));
}

#[test]
fn a_name_that_two_crates_register_is_an_error_that_names_both() {
    let check = run("fmicl-outside-both", &["check", "x.toml"]);
    assert_eq!(check.status.code(), Some(2));
    assert_eq!(
        stderr(&check),
        "error: x.toml:5:32: objective.divergence: the divergence `outside` is registered twice, by the crates \
         outside-first and outside-second: rename one or link only one of them\n"
    );
}

#[test]
fn a_crate_that_is_listed_but_not_used_registers_nothing() {
    let list = run("fmicl-outside-none", &["list", "divergence"]);
    assert!(stdout(&list).contains("kl"), "{}", stdout(&list));
    assert!(!stdout(&list).contains("outside"), "{}", stdout(&list));
}
