//! Samples of training and of the test split that are the same or look alike, and samples of one split that look alike.

use super::found::Found;
use super::near::pairs;
use std::collections::{BTreeMap, HashMap, HashSet};

/// A training sample that is in the test split, too.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Leak {
    /// Its split's place, and its index.
    pub split: usize,
    pub sample: usize,
    /// The same of the test sample.
    pub test: (usize, usize),
    /// The bits in which their hashes differ; nothing if both are the same.
    pub bits: Option<u32>,
}

/// All such samples, in their order.
#[derive(Debug, Default)]
pub struct Leaks {
    pub all: Vec<Leak>,
    /// Test samples that are the same as a training sample.
    pub same_tests: usize,
    /// Test samples that look like a training sample and are the same as none.
    pub near_tests: usize,
}

/// The name of the split that is tested on.
pub const TEST: &str = "test";

/// Groups of each split that look alike, and the leaks.
pub fn between(splits: &[Found], distance: u32) -> (Vec<Vec<Vec<usize>>>, Leaks) {
    let looks = Looks::of(splits);
    let mut groups: Vec<Groups> = splits.iter().map(|_| Groups::of(looks.values.len())).collect();
    let test = splits.iter().position(|split| split.name == TEST);
    let has = |split: usize, place: usize| !looks.samples[place][split].is_empty();
    let trained = |place: usize| (0..splits.len()).any(|split| Some(split) != test && has(split, place));
    let tested = |place: usize| test.is_some_and(|test| has(test, place));
    // The nearest test sample of each, and the tests that look like some training sample.
    let mut nearest: HashMap<usize, (u32, usize)> = HashMap::new();
    let mut near: HashSet<usize> = HashSet::new();
    let mut meet = |one: usize, other: usize, bits: u32| {
        if trained(one) && tested(other) {
            let entry = nearest.entry(one).or_insert((bits, other));
            *entry = (*entry).min((bits, other));
            near.insert(other);
        }
    };
    (0..looks.values.len()).for_each(|place| meet(place, place, 0));
    pairs(&looks.values, distance, |one, other, bits| {
        meet(one, other, bits);
        meet(other, one, bits);
        for (split, groups) in groups.iter_mut().enumerate() {
            if has(split, one) && has(split, other) {
                groups.join(one, other);
            }
        }
    });
    let alike = splits
        .iter()
        .enumerate()
        .map(|(split, found)| looks.alike(split, found, &mut groups[split]));
    let alike = alike.collect();
    let Some(test) = test else {
        return (alike, Leaks::default());
    };

    let mut contents = HashMap::new();
    for (index, picture) in splits[test].readable() {
        contents.entry(picture.content).or_insert(index);
    }
    let mut leaks = Leaks::default();
    let mut same = HashSet::new();
    for (split, found) in splits.iter().enumerate().filter(|(split, _)| *split != test) {
        for (sample, picture) in found.readable() {
            if let Some(&index) = contents.get(&picture.content) {
                same.insert(picture.content);
                leaks.all.push(Leak {
                    split,
                    sample,
                    test: (test, index),
                    bits: None,
                });
                continue;
            }
            let place = picture.look.and_then(|look| looks.places.get(&look));
            if let Some(&(bits, other)) = place.and_then(|place| nearest.get(place)) {
                leaks.all.push(Leak {
                    split,
                    sample,
                    test: (test, looks.samples[other][test][0]),
                    bits: Some(bits),
                });
            }
        }
    }
    for (_, picture) in splits[test].readable() {
        let place = picture.look.and_then(|look| looks.places.get(&look));
        if same.contains(&picture.content) {
            leaks.same_tests += 1;
        } else if place.is_some_and(|place| near.contains(place)) {
            leaks.near_tests += 1;
        }
    }
    (alike, leaks)
}

/// The different hashes of all splits.
struct Looks {
    values: Vec<u64>,
    places: HashMap<u64, usize>,
    /// By hash and split, the samples that have it.
    samples: Vec<Vec<Vec<usize>>>,
}

impl Looks {
    fn of(splits: &[Found]) -> Self {
        let mut looks = Looks {
            values: vec![],
            places: HashMap::new(),
            samples: vec![],
        };
        for (split, found) in splits.iter().enumerate() {
            for (index, picture) in found.readable() {
                let Some(look) = picture.look else { continue };
                let next = looks.values.len();
                let place = *looks.places.entry(look).or_insert(next);
                if place == next {
                    looks.values.push(look);
                    looks.samples.push(vec![vec![]; splits.len()]);
                }
                looks.samples[place][split].push(index);
            }
        }
        looks
    }

    /// The groups of a split's samples, but for those that are all of one content.
    fn alike(&self, split: usize, found: &Found, groups: &mut Groups) -> Vec<Vec<usize>> {
        let mut by_first: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
        for place in 0..self.values.len() {
            let samples = &self.samples[place][split];
            if !samples.is_empty() {
                by_first.entry(groups.first(place)).or_default().extend(samples);
            }
        }
        let content = |index: &usize| found.seen[*index].as_ref().ok().map(|picture| picture.content);
        let differ = |group: &Vec<usize>| group.iter().any(|index| content(index) != content(&group[0]));
        let mut alike: Vec<_> = by_first.into_values().filter(differ).collect();
        alike.iter_mut().for_each(|group| group.sort_unstable());
        alike.sort_unstable();
        alike
    }
}

/// Hashes that were joined, one with the next.
struct Groups(Vec<usize>);

impl Groups {
    fn of(count: usize) -> Self {
        Groups((0..count).collect())
    }

    fn first(&mut self, mut place: usize) -> usize {
        while self.0[place] != place {
            self.0[place] = self.0[self.0[place]];
            place = self.0[place];
        }
        place
    }

    fn join(&mut self, one: usize, other: usize) {
        let (one, other) = (self.first(one), self.first(other));
        self.0[one.max(other)] = one.min(other);
    }
}
