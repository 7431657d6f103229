//! The readers: those that the registry knows, and those beside it.

mod archive;
mod bands;
mod checkpoint;
mod config;
mod dataset;
mod hugging_face;
mod image;
mod pickle;
mod sweep;
mod weights;

use crate::Target;

/// A target that is not there before it is asked for: its name, and how to make it.
pub type Make = (String, Box<dyn FnOnce() -> Target>);

type Fixed = (&'static str, fn() -> Target);

/// Every target, by name. Each registered dataset and evaluation is one, so that what is added is covered as it is.
pub fn all() -> Vec<Make> {
    let fixed: [Fixed; 12] = [
        ("config", config::config),
        ("sweep", sweep::sweep),
        ("image", image::image),
        ("bands", bands::bands),
        ("weights", weights::weights),
        ("pickle", pickle::pickle),
        ("checkpoint", checkpoint::checkpoint),
        ("tar", archive::tar),
        ("zip", archive::zip),
        ("hugging-face", hugging_face::hugging_face),
        ("wikitext", dataset::wikitext),
        ("cifar10-python", dataset::cifar10_python),
    ];
    let fixed = fixed.map(|(name, make)| (name.to_string(), Box::new(make) as Box<dyn FnOnce() -> Target>));
    fixed.into_iter().chain(dataset::registered()).collect()
}
