//! Fingerprint of a dataset's content, without reading all of it.

use serde::{Deserialize, Serialize};

/// Portion of a split with a name, such as the photos of a class or a file of text. Equal portions have the same
/// samples in the same order, as far as can be known without reading every file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Portion {
    /// Name, unique in the split and independent of the dataset's location; empty if the portion is the whole split.
    pub name: String,
    /// The number of samples.
    pub samples: usize,
    /// CRC-32 of the samples' paths or bytes, in eight hexadecimal digits.
    pub crc32: String,
}

impl Portion {
    /// Portion of `samples` samples with the CRC-32 of `content`.
    pub fn new<T: AsRef<[u8]>>(name: impl Into<String>, samples: usize, content: impl IntoIterator<Item = T>) -> Self {
        let mut hasher = crc32fast::Hasher::new();
        content.into_iter().for_each(|piece| hasher.update(piece.as_ref()));
        Portion {
            name: name.into(),
            samples,
            crc32: format!("{:08x}", hasher.finalize()),
        }
    }

    /// Describes the difference between two lists of portions of a dataset: the number of samples, and the first
    /// portion that is new, missing or changed. `None` if they are equal.
    pub fn difference(now: &[Portion], before: &[Portion]) -> Option<String> {
        if now == before {
            return None;
        }
        let count = |portions: &[Portion]| portions.iter().map(|portion| portion.samples).sum::<usize>();
        let counts = match (count(now), count(before)) {
            (now, before) if now == before => format!("the dataset changed, with the same number of samples ({now})"),
            (now, before) => format!("the dataset has {now} samples and had {before}"),
        };
        let pairs = now.iter().map(Some).chain(std::iter::repeat(None));
        let pairs = pairs.zip(before.iter().map(Some).chain(std::iter::repeat(None)));
        let differs = pairs
            .take(now.len().max(before.len()))
            .find(|(now, before)| now != before);
        let detail = match differs {
            Some((Some(now), Some(before))) if now.name == before.name => match (now.samples, before.samples) {
                _ if now.name.is_empty() => None,
                (n, b) if n == b => Some(format!("`{}` has other samples or another order", now.name)),
                (n, b) => Some(format!("`{}` has {n} and had {b}", now.name)),
            },
            Some((Some(new), _)) if before.iter().all(|portion| portion.name != new.name) => {
                Some(format!("{} is new", called(new)))
            }
            Some((_, Some(gone))) if now.iter().all(|portion| portion.name != gone.name) => {
                Some(format!("{} is gone", called(gone)))
            }
            _ => Some("in another order".to_string()),
        };
        Some(detail.map_or(counts.clone(), |detail| format!("{counts}: {detail}")))
    }
}

/// A portion in words; one without a name is of samples that lie in no folder of their own.
fn called(portion: &Portion) -> String {
    match &*portion.name {
        "" => "what lies outside of folders".into(),
        name => format!("`{name}`"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Names of portions, and the files of each.
    type Files = &'static [(&'static str, &'static [&'static str])];

    fn difference(now: Files, before: Files) -> Option<String> {
        let portions = |portions: Files| -> Vec<Portion> {
            let portion = |(name, files): &(&str, &[&str])| Portion::new(*name, files.len(), files.iter());
            portions.iter().map(portion).collect()
        };
        Portion::difference(&portions(now), &portions(before))
    }

    #[test]
    fn a_difference_names_the_numbers_and_the_portion() {
        let before: Files = &[("cat", &["1", "2"]), ("dog", &["1"])];
        assert_eq!(difference(before, before), None);
        let cases: [(Files, &str); 6] = [
            (
                &[("cat", &["1", "2", "3"]), ("dog", &["1"])],
                "the dataset has 4 samples and had 3: `cat` has 3 and had 2",
            ),
            (
                &[("ant", &["1"]), ("cat", &["1", "2"]), ("dog", &["1"])],
                "the dataset has 4 samples and had 3: `ant` is new",
            ),
            (
                &[("cat", &["1", "2"])],
                "the dataset has 2 samples and had 3: `dog` is gone",
            ),
            (
                &[("cat", &["1", "3"]), ("dog", &["1"])],
                "the dataset changed, with the same number of samples (3): `cat` has other samples or another order",
            ),
            (
                &[("cat", &["1"]), ("dog", &["1", "2"])],
                "the dataset changed, with the same number of samples (3): `cat` has 1 and had 2",
            ),
            (
                &[("dog", &["1"]), ("cat", &["1", "2"])],
                "the dataset changed, with the same number of samples (3): in another order",
            ),
        ];
        for (now, expected) in cases {
            assert_eq!(difference(now, before).as_deref(), Some(expected));
        }
        let nameless = difference(&[("", &["a"])], &[("", &["b"])]);
        assert_eq!(
            nameless.as_deref(),
            Some("the dataset changed, with the same number of samples (1)")
        );
    }
}
