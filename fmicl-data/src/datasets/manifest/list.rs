//! The list of a manifest as it was read, and the samples of a split of it.

use super::classes::Classes;
use super::named::Named;
use super::rows::{self, Columns, Row};
use super::there::There;
use super::{Manifest, Part};
use crate::datasets::chosen::Chosen;
use crate::datasets::photos::Photos;
use crate::shares::Shares;
use fmicl_core::{Error, Portion, Result};
use std::path::Path;
use std::sync::Arc;

/// A list as it was read.
pub struct List<'a> {
    dataset: &'a Manifest,
    /// By `Part`.
    parts: [Entries; 3],
    classes: Classes,
    /// Whether a row says of which split it is.
    has_splits: bool,
    notes: Vec<String>,
}

/// The rows of a split.
#[derive(Default)]
struct Entries {
    entries: Vec<Entry>,
    /// The first line without a label.
    first_without: Option<u64>,
}

struct Entry {
    line: u64,
    path: String,
    /// In the order of appearance.
    label: Option<usize>,
    weight: Option<f64>,
}

impl Entries {
    fn has_labels(&self) -> bool {
        self.entries.iter().any(|entry| entry.label.is_some())
    }

    /// The weight of each entry; none where the list has no weights.
    ///
    /// # Errors
    /// [`Error::Data`] where some have none and others do, or all are 0.
    fn weights(&self, file: &Path, column: &str) -> Result<Vec<f64>> {
        let weights: Vec<f64> = self.entries.iter().filter_map(|entry| entry.weight).collect();
        let without = self.entries.iter().find(|entry| entry.weight.is_none());
        match without {
            Some(entry) if !weights.is_empty() => {
                let what =
                    format_args!("has no `{column}`, and others do; `weight = \"\"` reads the list without weights");
                return Err(rows::wrong(file, entry.line, what));
            }
            _ => {}
        }
        if !weights.is_empty() && weights.iter().all(|&weight| weight == 0.0) {
            let message = format!("no row to train on has a `{column}` above 0, so that none would be drawn");
            return Err(Error::data(file, message));
        }
        Ok(weights)
    }
}

impl<'a> List<'a> {
    /// Reads the whole list: classes are those of all splits, and a file may not be in two.
    ///
    /// # Errors
    /// [`Error::Data`] with the line that is not as it should be.
    pub fn read(dataset: &'a Manifest) -> Result<Self> {
        let mut list = List {
            dataset,
            parts: Default::default(),
            classes: Classes::default(),
            has_splits: false,
            notes: vec![],
        };
        let mut named = Named::new(dataset.root());
        let columns = Columns {
            path: &dataset.path,
            label: &dataset.label,
            split: &dataset.split,
            weight: &dataset.weight,
        };
        list.notes = rows::each(&dataset.file, &columns, |row| {
            let Row {
                line,
                path,
                label,
                part,
                weight,
            } = row;
            if let Some(before) = named.add(Path::new(&path), line) {
                let what = format_args!("`{path}` is on line {before} already");
                return Err(rows::wrong(&dataset.file, line, what));
            }
            list.has_splits |= part.is_some();
            let of_part = &mut list.parts[part.unwrap_or(Part::Train) as usize];
            let label = label.map(|label| list.classes.add(label));
            if label.is_none() {
                of_part.first_without.get_or_insert(line);
            }
            of_part.entries.push(Entry {
                line,
                path,
                label,
                weight,
            });
            Ok(())
        })?;
        Ok(list)
    }

    fn of(&self, part: Part) -> &Entries {
        &self.parts[part as usize]
    }

    /// The rows to test on, and a line where they are others than the first that were looked for, and for those that are not used.
    ///
    /// # Errors
    /// [`Error::Data`] if there are none.
    pub fn tested_on(&self) -> Result<(Part, Vec<String>)> {
        if let Some(part) = self.dataset.test {
            return Ok((part, vec![]));
        }
        let labelled = |part: &Part| self.of(*part).has_labels();
        let parts = [Part::Test, Part::Val];
        let there: Vec<_> = parts
            .into_iter()
            .filter(|&part| !self.of(part).entries.is_empty())
            .collect();
        let trained_with = self.of(Part::Train).has_labels();
        let Some(taken) = there.iter().copied().find(|part| !trained_with || labelled(part)) else {
            return Err(Error::data(&self.dataset.file, self.without_test()));
        };
        let file = self.dataset.file.display();
        let note = |part: &Part| match labelled(part) || !trained_with {
            true => format!(
                "{file}: its rows of `{0}` are not used, since the test split is `{1}`; `test = \"{0}\"` tests on them",
                part.name(),
                taken.name()
            ),
            false => format!(
                "{file}: its rows of `{}` have no labels; the test split is `{}`",
                part.name(),
                taken.name()
            ),
        };
        Ok((taken, there.iter().filter(|part| **part != taken).map(note).collect()))
    }

    /// What is wrong where nothing can be tested on, and what would work.
    fn without_test(&self) -> String {
        let instead = "`test = \"train\"` tests on the training photos, and `label = \"\"` trains without labels and tests nothing";
        let column = &self.dataset.split;
        match (self.has_splits, column.is_empty()) {
            (true, _) => format!("has no row of the split `test` or `val` with a label; {instead}"),
            (false, true) => format!("no split is read (`split = \"\"`), so that all rows are to train on; {instead}"),
            (false, false) => format!(
                "has no column `{column}`, so that all rows are to train on: add one that says `train` or `test` (the option \
                 `split` names another column); {instead}"
            ),
        }
    }

    /// The samples of a split, with these notes and more.
    ///
    /// # Errors
    /// [`Error::Data`] where there are none, some have no label and others do, or files are not there.
    pub fn samples(&self, part: Part, notes: Vec<String>) -> Result<Chosen> {
        let of_part = self.of(part);
        let Entries { entries, first_without } = of_part;
        let (dataset, file) = (self.dataset, &self.dataset.file);
        if entries.is_empty() {
            let message = format!("has no row of the split `{}`; {}", part.name(), self.counts());
            return Err(Error::data(file, message));
        }
        // Photos to train on that have no labels make a dataset without.
        let has_labels = self.of(Part::Train).has_labels();
        if let (true, Some(line)) = (has_labels, first_without) {
            let message = format_args!("has no label, and others do; `label = \"\"` reads the list without labels");
            return Err(rows::wrong(file, *line, message));
        }
        self.require_files(part)?;
        let (names, numbers) = match has_labels {
            true => self.classes.sorted(),
            false => (vec![], vec![]),
        };
        let mut photos = Photos::new(dataset.root(), &names);
        if part == Part::Train {
            photos.weights = of_part.weights(file, &dataset.weight)?;
        }
        let mut content = Vec::new();
        for Entry { path, label, .. } in entries {
            let label = label.filter(|_| has_labels).map_or(0, |label| numbers[label]);
            let name = names
                .get(label)
                .map_or(String::new(), |name| name.to_string_lossy().into_owned());
            let weight = photos.weights.get(content.len());
            let weight = weight.map_or(String::new(), |weight| format!("\0{weight}"));
            content.push(format!("{path}\0{name}{weight}\n"));
            photos.push_path(Path::new(path), label);
        }
        let own = self.notes.iter().map(|note| format!("{}: {note}", file.display()));
        let without = (!has_labels).then(|| format!("{}: its rows have no labels", file.display()));
        let weighted = Shares::of(&photos.weights).map(|shares| {
            let drawn = shares.drawn();
            format!(
                "{}: an epoch of all photos draws {drawn} of the {}, by their `{}`",
                file.display(),
                entries.len(),
                dataset.weight
            )
        });
        photos.notes = notes.into_iter().chain(own).chain(without).chain(weighted).collect();
        // No folder tells the labels.
        let portion = Portion::new("", entries.len(), content);
        Ok(Chosen::all(Arc::new(photos)).with_portions(vec![portion]))
    }

    /// Checks that the files of a split are there; where one is not, those of all splits are counted.
    fn require_files(&self, part: Part) -> Result<()> {
        let mut there = There::new(self.dataset.root());
        let mut missing = |entry: &Entry| Some((entry.line, there.require(Path::new(&entry.path)).err()?));
        let of_part = &self.of(part).entries;
        let Some((line, why)) = of_part.iter().find_map(&mut missing) else {
            return Ok(());
        };
        let all = self.parts.iter().flat_map(|part| &part.entries);
        let mut others: Vec<u64> = all.filter_map(missing).map(|(line, _)| line).collect();
        others.sort_unstable();
        others.retain(|&other| other != line);
        let named: Vec<_> = others.iter().take(NAMED).map(u64::to_string).collect();
        let more = match others.len().saturating_sub(NAMED) {
            0 => String::new(),
            more => format!(" and {more} more"),
        };
        let count = match &named[..] {
            [] => String::new(),
            named => {
                let rows: usize = self.parts.iter().map(|part| part.entries.len()).sum();
                let (missing, named) = (others.len() + 1, named.join(", "));
                format!("; {missing} of {rows} files are not there: also of lines {named}{more}")
            }
        };
        Err(rows::wrong(&self.dataset.file, line, format_args!("{why}{count}")))
    }

    /// The number of rows of each split, in words.
    fn counts(&self) -> String {
        let counts = Part::ALL.map(|part| format!("{} of `{}`", self.of(part).entries.len(), part.name()));
        format!("there are {}", counts.join(", "))
    }
}

/// The most lines that are named beside the first.
const NAMED: usize = 4;
