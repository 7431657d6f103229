//! Ranks of what queries look for.

use fmicl_core::tch::{Device, IndexOp, Kind, Tensor};
use std::collections::{BTreeMap, BTreeSet};

/// Cosines that are held at a time: 64 MiB of f32.
const NUMBERS: usize = 1 << 24;

/// Queries, the gallery that is ranked for each of them, and what each should find there. All are sentences by their index in a pool.
pub(super) struct Sought {
    queries: Vec<i64>,
    gallery: Vec<i64>,
    /// Places in the gallery for each query, at least one.
    right: Vec<Vec<i64>>,
}

impl Sought {
    /// `one` are the queries, `two` what each should find, `others` what is ranked beside it; each sentence counts once.
    pub fn new(one: &[usize], two: &[usize], others: &[usize]) -> Self {
        let gallery: BTreeSet<usize> = two.iter().chain(others).copied().collect();
        let places: BTreeMap<usize, i64> = gallery.iter().copied().zip(0..).collect();
        let mut right: BTreeMap<usize, BTreeSet<i64>> = BTreeMap::new();
        for (query, wanted) in one.iter().zip(two) {
            right.entry(*query).or_default().insert(places[wanted]);
        }
        Sought {
            queries: right.keys().map(|query| *query as i64).collect(),
            gallery: gallery.into_iter().map(|sentence| sentence as i64).collect(),
            right: right.into_values().map(|places| places.into_iter().collect()).collect(),
        }
    }

    pub fn queries(&self) -> usize {
        self.queries.len()
    }

    pub fn ranked(&self) -> usize {
        self.gallery.len()
    }

    /// `features`, `[n, d]`, f32, are those of the pool, of length 1. Of equal cosines the sentence that came first is nearer.
    pub fn find(&self, features: &Tensor) -> Found {
        let rows =
            |indices: &[i64]| features.index_select(0, &Tensor::from_slice(indices).to_device(features.device()));
        let gallery = rows(&self.gallery).tr();
        let tile = (NUMBERS / self.ranked().max(1)).max(1);
        let (mut first, mut precision) = (Vec::new(), Vec::new());
        for (queries, right) in self.queries.chunks(tile).zip(self.right.chunks(tile)) {
            let cosines = rows(queries).matmul(&gallery);
            for (row, places) in right.iter().enumerate() {
                let mut ranks = ranks(&cosines.i(row as i64), places);
                ranks.sort_unstable();
                first.push(ranks[0]);
                let hits = ranks.iter().zip(1..).map(|(rank, hit)| f64::from(hit) / *rank as f64);
                precision.push(hits.sum::<f64>() / ranks.len() as f64);
            }
        }
        Found {
            first: Tensor::from_slice(&first),
            precision: Tensor::from_slice(&precision),
        }
    }
}

/// The ranks, from 1, of so many places by their cosines `[N]`.
fn ranks(cosines: &Tensor, places: &[i64]) -> Vec<i64> {
    let device = cosines.device();
    let at = Tensor::from_slice(places).to_device(device);
    let own = cosines.index_select(0, &at).unsqueeze(1);
    let before = Tensor::arange(cosines.numel() as i64, (Kind::Int64, device)).lt_tensor(&at.unsqueeze(1));
    let nearer = cosines
        .gt_tensor(&own)
        .logical_or(&cosines.eq_tensor(&own).logical_and(&before));
    let counts = nearer.sum_dim_intlist([1].as_slice(), false, Kind::Int64) + 1;
    // One dimension of i64 converts.
    Vec::try_from(counts.to_device(Device::Cpu)).unwrap_or_default()
}

/// For each query.
pub(super) struct Found {
    /// The rank of the first that is right, `[Q]`, from 1.
    first: Tensor,
    /// Average precision, `[Q]`.
    pub precision: Tensor,
}

impl Found {
    /// Whether one that is right is among the first `k`, `[Q]`.
    pub fn recalled(&self, k: usize) -> Tensor {
        self.first.le(k as i64)
    }
}
