//! The text of an experiment, to checked parts.

use crate::Target;
use fmicl_runner::config::{Experiment, load_text};
use std::path::Path;

/// Lines that begin so are no TOML but `--set`.
const SET: &str = "#set ";

const SEEDS: [&str; 3] = [
    r#"dataset = "cifar10"
backbone = { name = "resnet", depth = 18, stem = "cifar" }
architecture = { name = "moco", out = 128, queue = 4096 }
objective = { name = "f-micl", divergence = { name = "tsallis", alpha = 2.0 }, similarity = { name = "gaussian", sigma = 0.5 } }
optimizer = { name = "sgd", momentum = 0.9, weight_decay = 5e-4 }
[train]
epochs = 200
batch_size = 256
lr = 0.06
warmup_epochs = 10
"#,
    r#"dataset = { name = "subset", of = { name = "image-folder", root = "a" }, classes = 3 }
backbone = { name = "vit", image_size = 64 }
architecture = "moco-v3"
objective = { name = "infonce", temperature = 0.2 }
optimizer = "lars"
seed = 18446744073709551615
device = "cuda:1"
init = "w.safetensors"
views = { size = 64, crop = { scale = [0.2, 1.0] }, blur = true, jitter = false, order = ["crop", "grayscale", "blur", "solarize", "flip"], each = [{ blur = 0.1 }, { solarize = { threshold = 100 } }] }
train = { epochs = 1, batch_size = 2, lr = 1e-3 }
"#,
    r#"dataset = { name = "sentences", path = ["a.txt", "b.txt"], format = "wikitext" }
backbone = { name = "bert", hidden = 64, layers = 2 }
views = { name = "text", tokenizer = "t.json" }
architecture = "simclr"
objective = "f-micl"
optimizer = "adamw"
evaluations = { sts = { data = "d", tasks = ["STS-B"] }, knn = { k = 20 }, linear = false, again = "knn" }
train.lr = 0.1
#set train.epochs=3
#set objective={name="f-micl",divergence="js",similarity="cosine"}
"#,
];

/// An experiment is complete, and written out gives itself; or every error is a line that begins with a place.
pub(super) fn config() -> Target {
    let seeds = SEEDS.map(|text| text.as_bytes().to_vec()).to_vec();
    Target::new("config", seeds, |input| {
        let Ok(text) = std::str::from_utf8(input) else {
            return;
        };
        let sets: Vec<String> = text
            .lines()
            .filter_map(|line| line.strip_prefix(SET))
            .map(String::from)
            .collect();
        match load(text, &sets) {
            Ok(experiment) => is_itself_again(&experiment),
            Err(errors) => {
                assert!(!errors.is_empty(), "refused without a word");
                for error in errors {
                    let starts = error.starts_with("x.toml:") || error.starts_with("--set ");
                    assert!(starts && !error.contains('\n'), "{error}");
                }
            }
        }
    })
}

fn load(text: &str, sets: &[String]) -> Result<Experiment, Vec<String>> {
    let loaded = load_text(Path::new("x.toml"), text, sets);
    loaded.map_err(|errors| errors.iter().map(ToString::to_string).collect())
}

fn is_itself_again(experiment: &Experiment) {
    // A part's whole number above 2^63 has no form in TOML.
    let Ok(text) = experiment.to_toml() else { return };
    let again = load(&text, &[]).unwrap_or_else(|errors| panic!("{text}\nis refused: {errors:?}"));
    let again = again
        .to_toml()
        .unwrap_or_else(|error| panic!("{text}\nis not written again: {error}"));
    assert_eq!(text, again, "a config is another one when it is read again");
}
