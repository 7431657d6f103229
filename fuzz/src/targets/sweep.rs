//! The text of a sweep file, to the runs of its grid.

use crate::Target;
use fmicl_core::Error;
use fmicl_sweep::titles;

/// What a sweep names: those of this repository.
const BESIDE: [(&str, &str); 4] = [
    (
        "paper/cifar10-simclr.toml",
        include_str!("../../../experiments/paper/cifar10-simclr.toml"),
    ),
    (
        "paper/scales.toml",
        include_str!("../../../experiments/paper/scales.toml"),
    ),
    (
        "views/cifar10.toml",
        include_str!("../../../experiments/views/cifar10.toml"),
    ),
    (
        "views/digits.toml",
        include_str!("../../../experiments/views/digits.toml"),
    ),
];

/// Shortened from `experiments/paper/`: `similarity.toml`, `batch-size.toml` with numbers as in `alpha.toml`; and from
/// `experiments/compare/`: `moco.toml` with the plot of `alignment-uniformity.toml`.
const SEEDS: [&str; 3] = [
    r#"experiment = "cifar10-simclr.toml"
scales = "scales.toml"
seeds = [0, 1, 2]
[[axis]]
name = "divergence"
key = "objective.divergence"
values = ["kl", "js", { name = "tsallis", alpha = 2.0 }]
[[axis]]
name = "similarity"
key = "objective.similarity"
values = [{ name = "gaussian", temperature = 0.2 }, "cosine"]
[report]
columns = "similarity"
metrics = ["linear", "knn"]
"#,
    r#"experiment = "cifar10-simclr.toml"
scales = "scales.toml"
[[axis]]
name = "objective"
values = [
    { label = "kl", set = ["objective.divergence=kl"] },
    { label = "infonce", set = ["objective={ name='infonce', temperature=0.5 }"] },
]
[[axis]]
name = "batch size"
values = [{ label = "64", set = ["train.batch_size=64", "train.lr=0.015"] }, { label = "128", set = [] }]
scale.laptop = [{ label = "32", set = ["train.batch_size=32"] }]
[report]
columns = "batch size"
metrics = ["linear"]
plot = "lines"
x = "batch size"
[reference]
source = "table 1"
[reference.numbers.linear]
kl = { 64 = "90.61 (0.47)", 32 = 89 }
"#,
    r#"experiment = "cifar10-simclr.toml"
seeds = [0, 18446744073709551615]
set = ["architecture={ name='moco', queue=4096 }", "objective.similarity.mu=1.0"]
[[axis]]
name = "dataset"
values = [{ label = "CIFAR-10", set = [] }, { label = "STL-10", set = ["dataset=stl10", "views={ size=96, blur=true }"] }]
scale.laptop = [{ label = "digits", set = [] }]
[scale.laptop]
set = ["dataset=digits", "views.size=16"]
seeds = [3]
[report]
metrics = ["alignment", "uniformity"]
plot = "scatter"
"#,
];

/// A sweep has a title for each of its runs, at full size and at a scale; or every error is a line that names a file.
pub(super) fn sweep() -> Target {
    let folder = tempfile::tempdir().unwrap_or_else(|error| panic!("no temporary folder: {error}"));
    let write = move |name: &str, bytes: &[u8]| {
        let path = folder.path().join(name);
        let made = std::fs::create_dir_all(path.with_file_name(""));
        made.and_then(|()| std::fs::write(&path, bytes))
            .unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        path
    };
    for (name, text) in BESIDE {
        write(name, text.as_bytes());
    }
    let seeds = SEEDS.map(|text| text.as_bytes().to_vec()).to_vec();
    Target::new("sweep", seeds, move |input| {
        let path = write("paper/sweep.toml", input);
        let folder = path.with_file_name("").display().to_string();
        for scale in [None, Some("laptop")] {
            match titles(&path, scale) {
                Ok(titles) => assert!(!titles.is_empty(), "no runs, without a word"),
                Err(errors) => errors.iter().for_each(|error| is_a_line_about(error, &folder)),
            }
        }
    })
}

fn is_a_line_about(error: &Error, folder: &str) {
    let line = error.to_string();
    let placed = line.starts_with(folder) || line.starts_with("--scale laptop: ");
    assert!(error.is_usage() && placed && !line.contains('\n'), "{line}");
}
