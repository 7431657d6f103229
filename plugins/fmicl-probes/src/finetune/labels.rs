//! Which labelled training samples are learnt from: a share of each class, or those of a list.
//!
//! Source: SimCLR, arXiv 2002.05709, section 4.2: 1 % and 10 % of ImageNet, about as many of each class, which its code has as
//! lists of file names (`imagenet_subsets/1percent.txt`).

use fmicl_core::{Error, Result, Samples, encoding, read_file, require, split_mix, word_of};
use serde::de::{self, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::collections::{BTreeSet, HashMap};
use std::ffi::OsString;
use std::fmt;
use std::path::{Path, PathBuf};

/// The option `labels`.
#[derive(Debug, Clone, PartialEq)]
pub enum Labels {
    /// A share of the samples of each class, above 0 and at most 1.
    Share(f64),
    /// A file with the names of samples' files, a line each.
    List(PathBuf),
}

impl Labels {
    /// Checks the range of a share.
    ///
    /// # Errors
    /// A config error at `labels`.
    pub fn validate(&self) -> Result<()> {
        match self {
            Labels::Share(share) => require(*share > 0.0 && *share <= 1.0, "labels", || {
                format!("{share} is not above 0 and at most 1; 0.01 is 1 % of each class")
            }),
            Labels::List(_) => Ok(()),
        }
    }

    /// Reads the list, if it is one.
    ///
    /// # Errors
    /// [`Error::Data`] or [`Error::Io`] if there is no such file, or it is none of names.
    pub fn open(&self) -> Result<Chosen> {
        match self {
            Labels::Share(share) => Ok(Chosen::Share(*share)),
            Labels::List(path) => {
                let bytes = read_file(path, MOST, "give a file with the name of a sample's file in each line")?;
                let lines = encoding::whole(&bytes, path)?.lines().map(str::trim);
                let lines = lines.filter(|line| !line.is_empty());
                let names: Vec<_> = lines.map(PathBuf::from).collect();
                if names.is_empty() {
                    return Err(Error::data(path, "names no file"));
                }
                let path = path.clone();
                Ok(Chosen::Named { path, names })
            }
        }
    }
}

/// The most bytes of a list: ten times ImageNet's names.
const MOST: u64 = 512 << 20;

impl fmt::Display for Labels {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        match self {
            Labels::Share(share) => write!(f, "{} % of each class", (1e8 * share).round() / 1e6),
            Labels::List(path) => write!(f, "those of {}", path.display()),
        }
    }
}

/// The option, with the list read.
#[derive(Debug)]
pub enum Chosen {
    /// A share of each class.
    Share(f64),
    /// Names of files.
    Named {
        /// The list.
        path: PathBuf,
        /// What its lines say.
        names: Vec<PathBuf>,
    },
}

impl Chosen {
    /// Indices of the chosen samples, in order. Of a share, each class gives that much of its samples, rounded, and at least one:
    /// those whose hash with `seed` is least, so that a larger share holds all of a smaller one. A name matches the end of a sample's
    /// path: `a.JPEG`, or `n01440764/a.JPEG`.
    ///
    /// # Errors
    /// [`Error::Data`] with the first name that no sample has, or that several have; or if samples have no files.
    pub fn of(&self, samples: &dyn Samples, seed: u64) -> Result<Vec<usize>> {
        match self {
            Chosen::Share(share) => Ok(share_of(*share, samples, seed)),
            Chosen::Named { path, names } => named(path, names, samples),
        }
    }
}

fn share_of(share: f64, samples: &dyn Samples, seed: u64) -> Vec<usize> {
    let stream = split_mix(seed ^ word_of("a share of labels"), 0);
    let mut classes: HashMap<usize, Vec<usize>> = HashMap::new();
    (0..samples.len()).for_each(|index| classes.entry(samples.label(index)).or_default().push(index));
    let mut chosen = Vec::new();
    for mut own in classes.into_values() {
        let count = ((share * own.len() as f64).round() as usize).clamp(1, own.len());
        own.sort_by_key(|&index| split_mix(stream ^ index as u64, 0));
        chosen.extend_from_slice(&own[..count]);
    }
    chosen.sort_unstable();
    chosen
}

fn named(path: &Path, names: &[PathBuf], samples: &dyn Samples) -> Result<Vec<usize>> {
    let mut by_file: HashMap<OsString, Vec<usize>> = HashMap::new();
    for index in 0..samples.len() {
        let file = samples.path(index);
        let Some(name) = file.as_deref().and_then(Path::file_name) else {
            let message = "lists files, and the samples of this dataset have none; take a share, such as labels = 0.1";
            return Err(Error::data(path, message));
        };
        by_file.entry(name.to_owned()).or_default().push(index);
    }
    let mut chosen = BTreeSet::new();
    for name in names {
        let alike = name.file_name().and_then(|file| by_file.get(file));
        let mut found = alike.into_iter().flatten().filter(|&&index| {
            let file = samples.path(index);
            file.is_some_and(|file| file.ends_with(name))
        });
        let shown = name.display();
        match (found.next(), found.next()) {
            (Some(index), None) if chosen.insert(*index) => {}
            (Some(_), None) => return Err(Error::data(path, format!("names {shown} twice"))),
            (None, _) => {
                let message = format!("names {shown}, and no labelled training sample is that file");
                return Err(Error::data(path, message));
            }
            (Some(_), Some(_)) => {
                let message =
                    format!("names {shown}, and several training samples are such files; put the folder before it");
                return Err(Error::data(path, message));
            }
        }
    }
    Ok(chosen.into_iter().collect())
}

impl Serialize for Labels {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Labels::Share(share) => serializer.serialize_f64(*share),
            Labels::List(path) => path.serialize(serializer),
        }
    }
}

impl<'de> Deserialize<'de> for Labels {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct ShareOrList;
        impl Visitor<'_> for ShareOrList {
            type Value = Labels;

            fn expecting(&self, f: &mut fmt::Formatter) -> fmt::Result {
                f.write_str("a share of the labels, such as 0.01, or a file of samples' names")
            }

            fn visit_f64<E: de::Error>(self, share: f64) -> Result<Labels, E> {
                Ok(Labels::Share(share))
            }

            fn visit_i64<E: de::Error>(self, share: i64) -> Result<Labels, E> {
                Ok(Labels::Share(share as f64))
            }

            fn visit_u64<E: de::Error>(self, share: u64) -> Result<Labels, E> {
                Ok(Labels::Share(share as f64))
            }

            fn visit_str<E: de::Error>(self, path: &str) -> Result<Labels, E> {
                Ok(Labels::List(path.into()))
            }
        }
        deserializer.deserialize_any(ShareOrList)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::support::Listed;

    fn listed(labels: Vec<usize>) -> Listed {
        let paths = labels.iter().enumerate();
        let paths = paths.map(|(index, label)| format!("data/train/{label}/{}.JPEG", index / 2).into());
        Listed {
            paths: paths.collect(),
            classes: 4,
            labels,
        }
    }

    #[test]
    fn a_share_is_of_each_class_and_the_same_for_a_seed() {
        // 1000, 200 and 10 of classes 0, 1 and 2; none of class 3.
        let counts = [1000, 200, 10];
        let labels = counts
            .iter()
            .enumerate()
            .flat_map(|(class, &count)| std::iter::repeat_n(class, count));
        let samples = listed(labels.collect());
        let chosen = |share, seed| Chosen::Share(share).of(&samples, seed).unwrap();
        let of = |share| {
            let mut found = [0; 4];
            chosen(share, 0)
                .into_iter()
                .for_each(|index| found[samples.labels[index]] += 1);
            found
        };
        assert_eq!(of(0.01), [10, 2, 1, 0], "one at least");
        assert_eq!(of(0.1), [100, 20, 1, 0]);
        assert_eq!(chosen(1.0, 0), (0..1210).collect::<Vec<_>>());
        assert_eq!(chosen(0.01, 5), chosen(0.01, 5));
        assert_ne!(chosen(0.01, 5), chosen(0.01, 6));
        let more = chosen(0.1, 0);
        assert!(chosen(0.01, 0).iter().all(|index| more.contains(index)));
    }

    #[test]
    fn names_of_a_list_are_found_or_said() {
        // Files 0.JPEG of classes 0 and 1, and 1.JPEG of class 2 twice in other folders.
        let mut samples = listed(vec![0, 1, 2, 3]);
        samples.paths[3] = "data/train/3/own.JPEG".into();
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("list.txt");
        let chosen = |text: &str| {
            std::fs::write(&path, text).unwrap();
            let chosen = Labels::List(path.clone()).open()?.of(&samples, 0);
            chosen.map_err(|error| Error::Run(error.to_string().replace(&path.display().to_string(), "L")))
        };
        assert_eq!(chosen("own.JPEG\r\n\n1/0.JPEG\n1.JPEG").unwrap(), [1, 2, 3]);
        let error = |text| chosen(text).unwrap_err().to_string();
        assert_eq!(
            error("own.JPEG\nnone.JPEG"),
            "L: names none.JPEG, and no labelled training sample is that file"
        );
        assert_eq!(error("own.JPEG\nown.JPEG"), "L: names own.JPEG twice");
        assert_eq!(
            error("0.JPEG"),
            "L: names 0.JPEG, and several training samples are such files; put the folder before it"
        );
        assert!(error("..").contains("no labelled training sample"));
        assert!(error("\n \n").ends_with("names no file"));
        std::fs::write(&path, [0xff, 0xfe]).unwrap();
        assert!(Labels::List(path.clone()).open().is_err());
        samples.paths.clear();
        std::fs::write(&path, "own.JPEG").unwrap();
        let error = Labels::List(path)
            .open()
            .unwrap()
            .of(&samples, 0)
            .unwrap_err()
            .to_string();
        assert!(
            error.ends_with("have none; take a share, such as labels = 0.1"),
            "{error}"
        );
    }

    #[test]
    fn a_share_out_of_range_is_refused() {
        for share in [0.0, -0.1, 10.0, f64::NAN] {
            let error = Labels::Share(share).validate().unwrap_err().to_string();
            assert_eq!(
                error,
                format!("labels: {share} is not above 0 and at most 1; 0.01 is 1 % of each class")
            );
        }
    }
}
