//! The nearest neighbours of queries, and their votes.

use crate::tiles::tiles;
use fmicl_core::{Features, normalize};
use tch::{Kind, Tensor};

/// Number of neighbours that vote, and temperature of their votes.
pub(super) type Setting = (usize, f64);

/// Test samples that are looked at together.
const CHUNK: i64 = 512;

/// Whether queries are themselves among the training samples.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Own {
    /// They are others.
    None,
    /// They are the training samples in the same order, and have no vote for themselves.
    LeftOut,
}

/// `pick` of the votes `[Q, C]` of each setting, for some queries of `test` at a time, one below the other; the neighbours are
/// looked for once.
pub(super) fn voted(
    settings: &[Setting],
    train: &Features,
    test: &Features,
    classes: usize,
    own: Own,
    pick: &dyn Fn(&Tensor) -> Tensor,
) -> Vec<Tensor> {
    let count = test.values.size()[0];
    let most = settings.iter().map(|(k, _)| *k as i64).max().unwrap_or(1);
    // Of unit length a query at a time; the neighbours' lengths divide their cosines.
    let lengths = train.lengths();
    let mut picked: Vec<Vec<Tensor>> = settings.iter().map(|_| Vec::new()).collect();
    for start in (0..count).step_by(CHUNK as usize) {
        let queries = test.rows(start, CHUNK.min(count - start));
        let own = (own == Own::LeftOut).then_some(start);
        let (cosines, labels) = nearest(most, &normalize(&queries), train, &lengths, own);
        for ((k, temperature), picked) in settings.iter().zip(&mut picked) {
            let k = (*k as i64).min(cosines.size()[1]);
            let (cosines, labels) = (cosines.narrow(1, 0, k), labels.narrow(1, 0, k));
            // Relative to the nearest one, so that no temperature overflows.
            let weights = ((&cosines - cosines.amax([1].as_slice(), true)) / *temperature).exp();
            let votes = Tensor::zeros([queries.size()[0], classes as i64], (Kind::Float, weights.device()));
            let votes = votes.scatter_add(1, &labels, &weights);
            // A class without a vote is no candidate.
            picked.push(pick(&votes.masked_fill(&votes.eq(0.0), f64::NEG_INFINITY)));
        }
    }
    picked.iter().map(|picked| Tensor::cat(picked, 0)).collect()
}

/// The cosines and the labels `[Q, k]` of the nearest neighbours of queries `[Q, d]` of unit length, in falling order. Where the
/// queries are the training samples from `own` on, the cosine of each with itself is minus infinity.
fn nearest(k: i64, queries: &Tensor, train: &Features, lengths: &Tensor, own: Option<i64>) -> (Tensor, Tensor) {
    let mut found: Option<(Tensor, Tensor)> = None;
    let widest = CHUNK.max(train.values.size()[1]) as usize;
    for (start, count) in tiles(train.labels.size()[0], widest) {
        let mut cosines = queries.matmul(&train.rows(start, count).tr());
        cosines /= lengths.narrow(0, start, count);
        if let Some(own) = own {
            let (from, to) = (start.max(own), (start + count).min(own + queries.size()[0]));
            if from < to {
                let both = cosines
                    .narrow(0, from - own, to - from)
                    .narrow(1, from - start, to - from);
                let _ = both.diagonal(0, 0, 1).fill_(f64::NEG_INFINITY);
            }
        }
        let (cosines, indices) = cosines.topk(k.min(count), 1, true, false);
        let labels = train.labels.narrow(0, start, count);
        let labels = labels.index_select(0, &indices.flatten(0, -1)).view_as(&indices);
        found = Some(match found {
            None => (cosines, labels),
            Some((others, theirs)) => {
                let (cosines, labels) = (Tensor::cat(&[others, cosines], 1), Tensor::cat(&[theirs, labels], 1));
                let (cosines, places) = cosines.topk(k.min(cosines.size()[1]), 1, true, false);
                (cosines, labels.gather(1, &places, false))
            }
        });
    }
    let (cosines, labels) = found.unwrap_or_else(|| {
        (
            queries.narrow(1, 0, 0),
            train.labels.narrow(0, 0, 0).expand([queries.size()[0], 0], false),
        )
    });
    let (cosines, order) = cosines.sort(1, true);
    (cosines, labels.gather(1, &order, false))
}

#[cfg(test)]
mod tests {
    use super::*;
    use fmicl_core::testing::unit_rows;
    use tch::Device;

    #[test]
    fn neighbours_of_many_tiles_are_those_of_the_whole_set() {
        let (rows, k) = (3 * (1 << 13) + 17, 40);
        // Of many lengths.
        let lengths = Tensor::arange(rows, (Kind::Float, Device::Cpu)).remainder(7) + 0.5;
        let train = Features {
            values: unit_rows(rows, 6, Kind::Float, 1) * lengths.unsqueeze(1),
            // Each its own number, so that it tells which neighbour it is.
            labels: Tensor::arange(rows, (Kind::Int64, Device::Cpu)),
        };
        let queries = unit_rows(5, 6, Kind::Float, 2);
        let lengths = train.lengths();
        let (cosines, labels) = nearest(k, &queries, &train, &lengths, None);
        let all = queries.matmul(&(&train.values / lengths.unsqueeze(1)).tr());
        let (expected, indices) = all.topk(k, 1, true, true);
        assert!(cosines.allclose(&expected, 1e-5, 1e-6, false));
        assert_eq!(labels, indices);
        // As queries of their own they are their nearest neighbours, unless they are left out.
        let own = normalize(&train.values.narrow(0, (1 << 13) - 2, 5));
        let firsts = |left_out: Option<i64>| nearest(k, &own, &train, &lengths, left_out).1.select(1, 0);
        let themselves = Tensor::arange(5, (Kind::Int64, Device::Cpu)) + ((1 << 13) - 2);
        assert_eq!(firsts(None), themselves);
        let seconds = nearest(2, &own, &train, &lengths, None).1.select(1, 1);
        assert_eq!(firsts(Some((1 << 13) - 2)), seconds);
    }
}
