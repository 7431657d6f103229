//! Kinds of TOML file that the program reads, for `fmicl schema`: a crate that reads one of its own submits it.

use crate::config::{Eval, Experiment, Train};
use fmicl_core::registry::{self, Docs, Documented, Shape};

/// A kind of TOML file.
#[derive(Debug)]
pub struct Document {
    /// Its name on the command line, such as `experiment`.
    pub name: &'static str,
    /// One sentence.
    pub summary: &'static str,
    /// Its shape, or that of the value at a path within it.
    pub shape: fn(&[&str]) -> Shape,
    /// The doc comments of the keys of the table at a dotted key, empty for the whole file.
    pub docs: fn(&str) -> Docs,
}

fmicl_core::inventory::collect!(Document);

fmicl_core::inventory::submit! {
    Document {
        name: "experiment",
        summary: "An experiment: what is trained, on what, and how it is evaluated.",
        shape: registry::shape::<Experiment>,
        docs: |at| match at {
            "" => Experiment::OPTIONS,
            "train" => Train::OPTIONS,
            "eval" => Eval::OPTIONS,
            _ => &[],
        },
    }
}

/// Every linked kind of file, sorted by name.
pub fn documents() -> Vec<&'static Document> {
    let mut documents: Vec<_> = fmicl_core::inventory::iter::<Document>.into_iter().collect();
    documents.sort_by_key(|document| document.name);
    documents
}
