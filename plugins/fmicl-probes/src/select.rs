//! The option `l2` of the linear probe: a number, or chosen on labels that are held out.
//!
//! Source: SimCLR (arXiv 2002.05709, appendix B.8, after Kornblith et al., arXiv 1805.08974): the best of 45 values from 1e-6 to
//! 1e5, in equal steps of the logarithm, on a validation split, then trained on both; here 12 values, a tenth of the labels.

use crate::{Classifier, Score, held_out};
use fmicl_core::Features;
use serde::de::{Error, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::cell::RefCell;
use std::fmt;
use tch::Tensor;

/// Values that are tried.
const TRIED: [f64; 12] = [1e-6, 1e-5, 1e-4, 1e-3, 1e-2, 1e-1, 1.0, 1e1, 1e2, 1e3, 1e4, 1e5];
/// Share of the labels on which they are compared.
const SHARE: f64 = 0.1;

/// Weight of half the squared norm of a probe's weights.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum L2 {
    /// A number, 0 or above.
    Number(f64),
    /// The best of twelve values from 1e-6 to 1e5 on a tenth of the labels.
    Select,
}

impl Serialize for L2 {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            L2::Number(l2) => serializer.serialize_f64(*l2),
            L2::Select => serializer.serialize_str("select"),
        }
    }
}

impl<'de> Deserialize<'de> for L2 {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct NumberOrName;
        impl Visitor<'_> for NumberOrName {
            type Value = L2;

            fn expecting(&self, f: &mut fmt::Formatter) -> fmt::Result {
                f.write_str("a number, 0 or above, or \"select\"")
            }

            fn visit_f64<E: Error>(self, l2: f64) -> Result<L2, E> {
                Ok(L2::Number(l2))
            }

            fn visit_i64<E: Error>(self, l2: i64) -> Result<L2, E> {
                Ok(L2::Number(l2 as f64))
            }

            fn visit_u64<E: Error>(self, l2: u64) -> Result<L2, E> {
                Ok(L2::Number(l2 as f64))
            }

            fn visit_str<E: Error>(self, name: &str) -> Result<L2, E> {
                match name {
                    "select" => Ok(L2::Select),
                    other => Err(E::custom(format_args!("`{other}` is neither a number nor \"select\""))),
                }
            }
        }
        deserializer.deserialize_any(NumberOrName)
    }
}

/// A probe that chooses `l2` anew for each set of labels that it learns from.
pub(crate) struct Selecting<W> {
    /// The probe with an `l2`.
    with: W,
    chosen: RefCell<Vec<f64>>,
}

impl<C: Classifier, W: Fn(f64) -> C> Selecting<W> {
    pub fn new(with: W) -> Self {
        let chosen = RefCell::default();
        Selecting { with, chosen }
    }

    /// The first choice, for a note: the one of all labels.
    pub fn note(&self) -> String {
        let first = self.chosen.borrow().first().copied().unwrap_or(f64::NAN);
        let [low, high] = [TRIED[0], TRIED[TRIED.len() - 1]];
        format!(
            "linear: logistic regression on standardised features, l2 = {first:e}, with all labels the best of {} from {low:e} to \
             {high:e} on a tenth of the labelled training samples.",
            TRIED.len()
        )
    }
}

impl<C: Classifier, W: Fn(f64) -> C> Classifier for Selecting<W> {
    fn classify(&self, train: &Features, test: &Features, classes: usize, pick: &dyn Fn(&Tensor) -> Tensor) -> Tensor {
        let (left, out) = held_out::split(train, SHARE);
        let accuracy =
            |l2: f64| Score::of(&(self.with)(l2).predict(&left, &out, classes), &out.labels, classes).accuracy;
        // Of equals the strongest penalty.
        let tried = TRIED.iter().map(|&l2| (accuracy(l2), l2));
        let best = tried
            .max_by(|(a, _), (b, _)| a.total_cmp(b))
            .map_or(TRIED[0], |(_, l2)| l2);
        self.chosen.borrow_mut().push(best);
        (self.with)(best).classify(train, test, classes, pick)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Linear;
    use fmicl_core::testing::unit_rows;
    use tch::Kind;

    /// Many features, of which one tells the class half of the time.
    fn noisy(count: i64, seed: i64) -> Features {
        let values = unit_rows(count, 60, Kind::Float, seed) * 8.0;
        let labels = (values.select(1, 0) + values.select(1, 1) * 0.7)
            .gt(0.0)
            .to_kind(Kind::Int64);
        Features { values, labels }
    }

    #[test]
    fn the_best_l2_on_labels_of_training_is_taken() {
        let (train, test) = (noisy(120, 1), noisy(2000, 2));
        let with = |l2| Linear {
            l2: L2::Number(l2),
            ..Linear::default()
        };
        let selecting = Selecting::new(with);
        let accuracy = |it: &dyn Classifier| Score::of(&it.predict(&train, &test, 2), &test.labels, 2).accuracy;
        let selected = accuracy(&selecting);
        let chosen = selecting.chosen.borrow()[0];
        assert_eq!(selected, accuracy(&with(chosen)), "then it learns from all");
        let (left, out) = held_out::split(&train, SHARE);
        let held_out = |l2| Score::of(&with(l2).predict(&left, &out, 2), &out.labels, 2).accuracy;
        assert!(TRIED.iter().all(|&l2| held_out(l2) <= held_out(chosen)), "{chosen}");
        assert!(
            selected > accuracy(&with(1e5)),
            "a penalty that leaves nothing is not chosen"
        );
        assert!(selecting.note().contains(&format!("l2 = {chosen:e}, ")));
    }

    #[test]
    fn the_choice_sees_no_test_label_and_is_the_same_each_time() {
        let (train, test) = (noisy(100, 3), noisy(100, 4));
        let flipped = Features {
            values: test.values.copy(),
            labels: -&test.labels + 1,
        };
        let selecting = Selecting::new(|l2| Linear {
            l2: L2::Number(l2),
            ..Linear::default()
        });
        let (a, b) = (
            selecting.predict(&train, &test, 2),
            selecting.predict(&train, &flipped, 2),
        );
        assert_eq!(a, b);
    }
}
