//! A few labels: which they are, and how many.

use crate::score::counts;
use fmicl_core::{Result, require, split_mix};
use tch::{Kind, Tensor};

/// How few labels are chosen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FewLabels {
    /// Labels a class.
    pub few: usize,
    /// Random choices of those labels that are averaged.
    pub draws: usize,
}

impl FewLabels {
    /// Ten labels a class, five times.
    pub const DEFAULT: Self = FewLabels { few: 10, draws: 5 };

    /// Checks the ranges.
    ///
    /// # Errors
    /// A config error at `few` or `draws` if it is 0.
    pub fn validate(self) -> Result<()> {
        require(self.few >= 1, "few", || "0 is not at least 1".into())?;
        require(self.draws >= 1, "draws", || "0 is not at least 1".into())
    }
}

/// The size of a choice of few labels of each class.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Few {
    of: FewLabels,
    /// Its labels, of all classes.
    pub labels: usize,
    /// The classes with fewer, which give all that they have.
    pub classes_with_fewer: usize,
}

impl Few {
    /// Of labels `[N]` of so many classes.
    pub fn of(of: FewLabels, labels: &Tensor, classes: usize) -> Self {
        let (counts, few) = (counts(labels, classes), of.few as f64);
        let value = |tensor: Tensor| tensor.sum(Kind::Double).double_value(&[]) as usize;
        Few {
            of,
            labels: value(counts.clamp_max(few)),
            classes_with_fewer: value(counts.lt(few)),
        }
    }

    /// How the numbers with few labels are obtained.
    pub fn note(self, classes: usize) -> String {
        let FewLabels { few, draws } = self.of;
        let draws = format!("mean of {draws} random choices");
        match self.classes_with_fewer {
            0 => format!("few-labels: {few} labels a class, {draws}."),
            fewer => format!(
                "few-labels: up to {few} labels a class, {draws} of {} samples, as {fewer} of {classes} classes have fewer than \
                 {few}.",
                self.labels
            ),
        }
    }
}

/// The indices of `few` samples of each class, the same in every run: those whose hash is least. The evaluation must not touch
/// the random state of training.
pub fn few(few: usize, labels: &Tensor, draw: u64) -> Tensor {
    let labels_here: Vec<i64> = labels.iter::<i64>().map(Iterator::collect).unwrap_or_default();
    let mut order: Vec<usize> = (0..labels_here.len()).collect();
    order.sort_by_key(|&index| split_mix(split_mix(draw, 0) ^ index as u64, 0));
    let mut taken = std::collections::HashMap::new();
    order.retain(|&index| {
        let count: &mut usize = taken.entry(labels_here[index]).or_default();
        *count += 1;
        *count <= few
    });
    let indices: Vec<i64> = order.into_iter().map(|index| index as i64).collect();
    Tensor::from_slice(&indices).to_device(labels.device())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn few_labels_are_ten_of_each_class_and_differ_from_draw_to_draw() {
        let labels = Tensor::from_slice(&(0..300).map(|i| i % 3).collect::<Vec<i64>>());
        let draws: Vec<Vec<i64>> = (0..2)
            .map(|draw| few(10, &labels, draw).iter::<i64>().unwrap().collect())
            .collect();
        for draw in &draws {
            let count = |class| draw.iter().filter(|&&index| index % 3 == class).count();
            assert_eq!([count(0), count(1), count(2)], [10; 3]);
        }
        assert_ne!(draws[0], draws[1]);
        assert_eq!(draws[0], few(10, &labels, 0).iter::<i64>().unwrap().collect::<Vec<_>>());
    }

    #[test]
    fn few_labels_are_counted_as_they_are_there() {
        let labels: Vec<i64> = [(0, 12), (1, 3), (2, 10)]
            .into_iter()
            .flat_map(|(class, count)| std::iter::repeat_n(class, count))
            .collect();
        let of = |classes| {
            let few = Few::of(FewLabels::DEFAULT, &Tensor::from_slice(&labels), classes);
            (few.labels, few.classes_with_fewer)
        };
        assert_eq!(of(3), (23, 1));
        // A class without any, as of few `eval.train_samples`.
        assert_eq!(of(4), (23, 2));
    }
}
