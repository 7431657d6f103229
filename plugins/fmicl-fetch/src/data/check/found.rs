//! What was found in a split.

use super::picture::{Picture, Seen};
use fmicl_core::{Modality, Samples, Source};
use fmicl_data::datasets::path_below;
use serde::Serialize;
use serde_json::{Value, json};
use std::collections::{BTreeMap, HashMap};

/// Smallest, middle and largest of some numbers.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Spread {
    pub least: u32,
    pub median: u32,
    pub most: u32,
}

impl Spread {
    fn of(mut numbers: Vec<u32>) -> Self {
        numbers.sort_unstable();
        match &numbers[..] {
            [] => Spread::default(),
            [least, ..] => Spread {
                least: *least,
                median: numbers[numbers.len() / 2],
                most: numbers[numbers.len() - 1],
            },
        }
    }
}

/// A split.
pub struct Found<'a> {
    pub name: &'static str,
    pub samples: &'a dyn Samples,
    source: &'a Source,
    pub seen: Vec<Seen>,
    /// Samples of the same content, the first of each first.
    pub same: Vec<Vec<usize>>,
    /// Samples that look alike, and are not all the same; those of `same` that are in them, too.
    pub alike: Vec<Vec<usize>>,
    pub unreadable: Vec<usize>,
    /// Labels that are no class.
    pub out_of_range: Vec<usize>,
    /// Samples of each class; empty without labels.
    pub counts: Vec<usize>,
    names: Vec<String>,
    /// Files by their extension.
    pub kinds: BTreeMap<String, usize>,
    pub sizes: [Spread; 2],
    /// Gray images, or samples with an empty text.
    pub plain: usize,
    /// Images that are too small or too plain to look like another.
    pub not_compared: usize,
}

impl<'a> Found<'a> {
    /// What was seen in a split of the dataset that comes from `source`; what looks alike is added later.
    pub fn of(name: &'static str, samples: &'a dyn Samples, seen: Vec<Seen>, source: &'a Source) -> Self {
        let mut by_content: HashMap<_, Vec<usize>> = HashMap::new();
        for (index, picture) in readable(&seen) {
            by_content.entry(picture.content).or_default().push(index);
        }
        let mut same: Vec<_> = by_content.into_values().filter(|group| group.len() > 1).collect();
        same.sort_unstable();
        let mut counts = vec![0; samples.classes()];
        let mut out_of_range = Vec::new();
        if !counts.is_empty() {
            for index in 0..samples.len() {
                match counts.get_mut(samples.label(index)) {
                    Some(count) => *count += 1,
                    None => out_of_range.push(index),
                }
            }
        }
        let mut kinds = BTreeMap::new();
        for path in (0..samples.len()).map_while(|index| samples.path(index)) {
            let kind = path
                .extension()
                .map_or("none".into(), |kind| kind.to_string_lossy().to_lowercase());
            *kinds.entry(kind).or_default() += 1;
        }
        let sizes = [0, 1].map(|side| Spread::of(readable(&seen).map(|(_, picture)| picture.size[side]).collect()));
        Found {
            name,
            samples,
            source,
            same,
            alike: Vec::new(),
            unreadable: (0..seen.len()).filter(|&index| seen[index].is_err()).collect(),
            out_of_range,
            counts,
            names: samples.class_names(),
            kinds,
            sizes,
            plain: readable(&seen).filter(|(_, picture)| picture.is_plain).count(),
            not_compared: readable(&seen).filter(|(_, picture)| picture.look.is_none()).count(),
            seen,
        }
    }

    /// Samples that can be read, with their indices.
    pub fn readable(&self) -> impl Iterator<Item = (usize, &Picture)> {
        readable(&self.seen)
    }

    /// A sample's path below the dataset's folder; empty where it has none.
    pub fn path(&self, index: usize) -> String {
        let path = self.samples.path(index);
        path.map_or(String::new(), |path| path_below(self.source, &path))
    }

    /// A sample in words.
    pub fn shown(&self, index: usize) -> String {
        match self.path(index) {
            path if path.is_empty() => format!("{} {index}", self.name),
            path => path,
        }
    }

    /// Samples of a group beyond the first.
    pub fn copies(groups: &[Vec<usize>]) -> usize {
        groups.iter().map(|group| group.len() - 1).sum()
    }

    /// Groups of the same content in which samples are of different classes.
    pub fn contradicting(&self) -> usize {
        self.same.iter().filter(|group| self.is_contradicting(group)).count()
    }

    /// Returns true if samples of a group are of different classes.
    pub fn is_contradicting(&self, group: &[usize]) -> bool {
        let first = self.samples.label(group[0]);
        !self.counts.is_empty() && group.iter().any(|&index| self.samples.label(index) != first)
    }

    /// The names of the classes without a sample.
    pub fn missing_classes(&self) -> Vec<String> {
        let missing = (0..self.counts.len()).filter(|&class| self.counts[class] == 0);
        missing.map(|class| self.class(class)).collect()
    }

    /// A class in words.
    pub fn class(&self, class: usize) -> String {
        let name = self.names.get(class);
        name.cloned().unwrap_or_else(|| class.to_string())
    }

    /// The class with the fewest samples, or the most.
    pub fn extreme(&self, most: bool) -> Option<(usize, String)> {
        let classes = 0..self.counts.len();
        let class = match most {
            true => classes.rev().max_by_key(|&class| self.counts[class]),
            false => classes.min_by_key(|&class| self.counts[class]),
        }?;
        Some((self.counts[class], self.class(class)))
    }

    /// All of it.
    pub fn to_json(&self, modality: Modality) -> Value {
        let sample = |&index: &usize| json!({ "sample": index, "path": self.path(index) });
        let group = |group: &Vec<usize>| group.iter().map(sample).collect::<Vec<_>>();
        let why = |&index: &usize| {
            let mut found = sample(&index);
            found["why"] = self.seen[index].as_ref().err().cloned().into();
            found
        };
        let [one, other] = &self.sizes;
        let mut found = json!({
            "split": self.name,
            "samples": self.seen.len(),
            "unreadable": self.unreadable.iter().map(why).collect::<Vec<_>>(),
            "same": self.same.iter().map(group).collect::<Vec<_>>(),
            "files": self.kinds,
            "labels_out_of_range": self.out_of_range.iter().map(sample).collect::<Vec<_>>(),
            "classes": (0..self.counts.len()).map(|class| json!({ "name": self.class(class), "samples": self.counts[class] })).collect::<Vec<_>>(),
        });
        let more = match modality {
            Modality::Images => vec![
                ("alike", self.alike.iter().map(group).collect::<Vec<_>>().into()),
                ("width", json!(one)),
                ("height", json!(other)),
                ("gray", self.plain.into()),
                ("not_compared", self.not_compared.into()),
            ],
            Modality::Texts => vec![("characters", json!(one)), ("empty", self.plain.into())],
        };
        more.into_iter().for_each(|(key, value): (_, Value)| found[key] = value);
        found
    }
}

fn readable(seen: &[Seen]) -> impl Iterator<Item = (usize, &Picture)> {
    let seen = seen.iter().enumerate();
    seen.filter_map(|(index, seen)| Some((index, seen.as_ref().ok()?)))
}
