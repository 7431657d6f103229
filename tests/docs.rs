//! The documents: links lead to files and headings that exist, and so do the files of this repository that they name.

#![expect(clippy::unwrap_used, reason = "helpers of tests")]

use std::fs;
use std::path::{Path, PathBuf};

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// README.md, CONTRIBUTING.md and the files of docs/.
fn documents() -> Vec<PathBuf> {
    let docs = fs::read_dir(root().join("docs")).unwrap();
    let docs = docs.map(|entry| entry.unwrap().path());
    let docs = docs.filter(|path| path.extension().is_some_and(|extension| extension == "md"));
    docs.chain(["README.md", "CONTRIBUTING.md"].map(|name| root().join(name)))
        .collect()
}

/// Every path below `folder` but for built and hidden ones, relative to the root.
fn paths(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let (path, kind) = entry.map(|entry| (entry.path(), entry.file_type().unwrap())).unwrap();
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        if name == "target" || name.starts_with('.') {
            continue;
        }
        found.push(path.strip_prefix(root()).unwrap().to_path_buf());
        if kind.is_dir() {
            paths(&path, found);
        }
    }
}

/// The anchors of a document's headings, as GitHub makes them.
fn anchors(text: &str) -> Vec<String> {
    let mut is_code = false;
    let headings = text.lines().filter(|line| {
        is_code ^= line.starts_with("```");
        !is_code && line.starts_with('#')
    });
    let anchor = |heading: &str| {
        let kept = heading.trim_start_matches('#').trim().to_lowercase();
        let kept = kept.chars().filter(|c| c.is_alphanumeric() || "-_ ".contains(*c));
        kept.map(|c| if c == ' ' { '-' } else { c }).collect()
    };
    headings.map(anchor).collect()
}

#[test]
fn every_link_between_documents_leads_somewhere() {
    let mut broken = Vec::new();
    for document in documents() {
        let text = fs::read_to_string(&document).unwrap();
        for rest in text.split("](").skip(1) {
            let link = rest.split([')', ' ']).next().unwrap();
            if link.contains("://") {
                continue;
            }
            let (file, anchor) = link.split_once('#').unwrap_or((link, ""));
            let path = match file {
                "" => document.clone(),
                file => document.with_file_name(file),
            };
            let leads = path.exists()
                && (anchor.is_empty()
                    || anchors(&fs::read_to_string(&path).unwrap())
                        .iter()
                        .any(|own| own == anchor));
            if !leads {
                broken.push(format!("{}: {link}", document.display()));
            }
        }
    }
    assert!(broken.is_empty(), "{}", broken.join("\n"));
}

#[test]
fn every_file_of_this_repository_that_a_document_names_exists() {
    let mut all = Vec::new();
    paths(root(), &mut all);
    let is_folder = |name: &str| root().join(name).is_dir();
    let mut missing = Vec::new();
    for document in documents() {
        let text = fs::read_to_string(&document).unwrap();
        for line in text.lines() {
            // What is between backticks.
            for name in line.split('`').skip(1).step_by(2) {
                let is_path = name.chars().all(|c| c.is_ascii_alphanumeric() || "./_-".contains(c));
                let first = name.split_once('/').map_or("", |(first, _)| first);
                let is_ours = name.ends_with(".rs")
                    || (!["", "target"].contains(&first) && !first.starts_with('.') && is_folder(first));
                // Such as fuzz/corpus/TARGET.
                let is_pattern = name
                    .split('/')
                    .any(|part| !part.is_empty() && part.chars().all(|c| c.is_ascii_uppercase()));
                let name = name.trim_start_matches("../").trim_end_matches('/');
                if is_path && is_ours && !is_pattern && !all.iter().any(|path| path.ends_with(name)) {
                    missing.push(format!("{}: {name}", document.display()));
                }
            }
        }
    }
    assert!(missing.is_empty(), "{}", missing.join("\n"));
}
