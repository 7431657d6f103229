//! Sets of negative pairs, and those of a pairing.

use super::grid::Grid;
use crate::{InBatch, Negatives, Pairing};
use tch::Tensor;

/// Set of pairs over which the estimator sums. All features are unit-length rows; a pair is an anchor with another
/// feature. There must be at least two anchors, or a bank: the mean over no pair is NaN.
#[derive(Debug, Clone, Copy)]
pub enum Pairs<'a> {
    /// `x_i` and `x_j`, `i != j`: `N (N - 1)` pairs of `[N, d]`.
    Within(&'a Tensor),
    /// `x_i` and `y_j`, `i != j`: `N (M - 1)` pairs of `[N, d]` and `[M, d]`, `M >= N`.
    Cross(&'a Tensor, &'a Tensor),
    /// All of `x` and `y` among themselves but for each with itself and with its positive: `2N (2N - 2)`. The anchors
    /// are the rows of `x`, then those of `y`.
    Both(&'a Tensor, &'a Tensor),
    /// `x_i` and `b_k`: `N K` pairs of `[N, d]` and a bank `[K, d]` without gradient.
    Bank(&'a Tensor, &'a Tensor),
}

/// The sums of an objective: over the positive pairs, and over the negative ones, whatever their source.
impl Pairing {
    /// Cosines of the positive pairs, `[N]`, with gradient.
    pub fn positive_cosines(&self) -> Tensor {
        (&self.anchors * &self.positives).sum_dim_intlist([1].as_slice(), false, self.anchors.kind())
    }

    /// Negative pairs. `in_batch` chooses them where anchors and positives are views from one network; elsewhere the
    /// architecture has: an anchor has all keys or candidates but its own (MoCo v3, SimCSE), or a whole bank (MoCo).
    pub fn negative_pairs(&self, in_batch: InBatch) -> Pairs<'_> {
        let (x, y) = (&self.anchors, &self.positives);
        match &self.negatives {
            Negatives::Batch => match in_batch {
                InBatch::Within => Pairs::Within(x),
                InBatch::Cross => Pairs::Cross(x, y),
                InBatch::Both => Pairs::Both(x, y),
            },
            Negatives::Keys => Pairs::Cross(x, y),
            Negatives::Candidates(candidates) => Pairs::Cross(x, candidates),
            Negatives::Bank(bank) => Pairs::Bank(x, bank),
        }
    }

    /// Negative pairs of the positives among themselves, for an objective in which each view repels itself: the anchors' are
    /// those of [`InBatch::Within`]. `None` where the positives are no anchors, or the architecture chooses the negatives.
    pub fn pairs_within_positives(&self) -> Option<Pairs<'_>> {
        matches!(self.negatives, Negatives::Batch).then_some(Pairs::Within(&self.positives))
    }
}

impl Pairs<'_> {
    /// Number of pairs per anchor.
    pub fn others(&self) -> i64 {
        match self {
            Pairs::Within(x) | Pairs::Cross(_, x) => x.size()[0] - 1,
            Pairs::Both(x, _) => 2 * x.size()[0] - 2,
            Pairs::Bank(_, bank) => bank.size()[0],
        }
    }

    /// The features that the pairs begin with; of [`Pairs::Both`] the first half.
    pub fn anchors(&self) -> &Tensor {
        match self {
            Pairs::Within(x) | Pairs::Cross(x, _) | Pairs::Both(x, _) | Pairs::Bank(x, _) => x,
        }
    }

    /// Values of the positive pairs `[N]` as values of the anchors: each twice where both views are anchors.
    pub fn of_anchors(&self, of_pairs: &Tensor) -> Tensor {
        match self {
            Pairs::Both(..) => of_pairs.repeat([2]),
            _ => of_pairs.shallow_clone(),
        }
    }

    pub(super) fn grid(&self) -> Grid {
        match self {
            Pairs::Within(x) => Grid::symmetric(x.shallow_clone(), vec![0]),
            Pairs::Cross(x, y) => Grid::rectangular(x.shallow_clone(), y.shallow_clone(), vec![0]),
            Pairs::Both(x, y) => {
                let n = x.size()[0];
                Grid::symmetric(Tensor::cat(&[*x, *y], 0), vec![0, n, -n])
            }
            Pairs::Bank(x, bank) => Grid::rectangular(x.shallow_clone(), bank.detach(), vec![]),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::unit_rows;
    use tch::Kind;

    #[test]
    fn every_source_of_negatives_gives_its_pairs() {
        let rows = |count, seed| unit_rows(count, 3, Kind::Float, seed);
        let pairing = |negatives| Pairing {
            anchors: rows(4, 1),
            positives: rows(4, 2),
            negatives,
        };
        let others = |negatives| {
            let pairing = pairing(negatives);
            let others = |in_batch| pairing.negative_pairs(in_batch).others();
            let of_positives = pairing.pairs_within_positives().map(|pairs| pairs.others());
            (
                [InBatch::Within, InBatch::Cross, InBatch::Both].map(others),
                of_positives,
            )
        };
        assert_eq!(others(Negatives::Batch), ([3, 3, 6], Some(3)));
        // Where the architecture chooses, the objective's choice has no effect.
        assert_eq!(others(Negatives::Keys), ([3; 3], None));
        assert_eq!(others(Negatives::Candidates(rows(9, 3))), ([8; 3], None));
        assert_eq!(others(Negatives::Bank(rows(7, 4))), ([7; 3], None));

        let batch = pairing(Negatives::Batch);
        let of_pairs = batch.positive_cosines();
        let of_anchors = |in_batch| batch.negative_pairs(in_batch).of_anchors(&of_pairs).size();
        assert_eq!(
            (of_anchors(InBatch::Both), of_anchors(InBatch::Within)),
            (vec![8], vec![4])
        );
    }
}
