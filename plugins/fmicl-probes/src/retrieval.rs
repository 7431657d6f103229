//! `retrieval`: how well the samples nearest to a query are those of its class.
//!
//! Each test sample is a query; the others of the test split, or the training split, are ranked by their cosine with it.
//! With `R` samples of the query's class among them:
//!
//! * `recall@k`: the share of queries with one of their class among the `k` nearest;
//! * `map`: the mean over queries of the average precision, `(1 / R) sum_{rank of the class} precision at that rank`;
//! * `map@r`: the same over the `R` nearest alone.
//!
//! Source: Oh Song et al., CVPR 2016, arXiv 1511.06452, section 5 (recall); Manning et al., "Introduction to Information Retrieval",
//! 2008, section 8.4 (mean average precision); Musgrave et al., ECCV 2020, arXiv 2003.08505, section 3.2 (map@r).

use crate::tiles::{self, tiles};
use fmicl_core::{
    Documented, Error, Evaluation, Features, Metric, MetricNames, Report, Representation, Result, Sizes, Task,
    normalize, register, require,
};
use serde::{Deserialize, Serialize};
use tch::{Kind, Tensor};

/// What is ranked for a query.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Gallery {
    /// The other test samples.
    #[default]
    Test,
    /// The training samples.
    Train,
}

/// Test samples as queries, each of which finds those of its class by the cosine of features.
#[derive(Debug, Documented, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Retrieval {
    /// Ranks `k` of `recall@k`, at least 1 each, and at most the samples that are ranked; `[1, 5, 10]` by default. The first one is the
    /// main metric.
    pub k: Vec<usize>,
    /// `test` (the default), a query's other test samples, or `train`, the labelled training samples.
    pub gallery: Gallery,
}

register!(
    Evaluation,
    "retrieval",
    Retrieval,
    "recall at k and mean average precision of samples of a query's class, by the cosine of features"
);

impl Default for Retrieval {
    fn default() -> Self {
        Retrieval {
            k: vec![1, 5, 10],
            gallery: Gallery::Test,
        }
    }
}

impl Evaluation for Retrieval {
    fn validate(&self) -> Result<()> {
        require(!self.k.is_empty(), "k", || "has no rank; [1] is the least".into())?;
        for (index, k) in self.k.iter().enumerate() {
            require(*k >= 1, "k", || format!("{k} is not at least 1"))?;
            require(!self.k[..index].contains(k), "k", || format!("{k} is there twice"))?;
        }
        Ok(())
    }

    fn wants_labels(&self) -> bool {
        true
    }

    fn validate_for(&self, sizes: &Sizes) -> Result<()> {
        let ranked = match self.gallery {
            Gallery::Test => sizes.test.saturating_sub(1),
            Gallery::Train => sizes.train,
        };
        let most = self.k.iter().copied().max().unwrap_or_default();
        require(most <= ranked, "k", || {
            format!("{most} is more than the {ranked} samples that are ranked for a query; take at most that many")
        })
    }

    fn memory(&self, _sizes: &Sizes, _width: usize) -> u64 {
        tiles::BYTES
    }

    fn open(&self) -> Result<Box<dyn Task>> {
        Ok(Box::new(self.clone()))
    }
}

impl Task for Retrieval {
    fn metrics(&self, _in_training: bool) -> MetricNames {
        let recalls: Vec<String> = self.k.iter().map(|k| recall(*k)).collect();
        let others = recalls[1..].iter().cloned().chain(["map", "map@r"].map(String::from));
        MetricNames::new(&recalls[0], others)
    }

    fn judge(&self, it: &dyn Representation) -> Result<Report> {
        let on = it.labelled()?;
        let count = |features: &Features| features.labels.numel();
        self.validate_for(&Sizes {
            train: count(&on.train),
            test: count(&on.test),
            classes: on.classes,
        })?;
        let ranked = match self.gallery {
            Gallery::Test => &on.test,
            Gallery::Train => &on.train,
        };
        let found = self.rank(&on.test, ranked);
        let (queries, all) = (found.recalled.size()[0], on.test.labels.numel());
        if queries == 0 {
            return Err(Error::config(
                "no test sample has another one of its class to find; `gallery` chooses where",
            ));
        }
        let mean = |each: &Tensor| each.mean(Kind::Double).double_value(&[]);
        let recall_of = |(index, k): (usize, &usize)| {
            let recalled = found.recalled.select(1, index as i64);
            let metric = Metric::percent(&recall(*k), mean(&recalled.to_kind(Kind::Double)), None);
            match queries as usize == all && !it.is_in_training() {
                true => metric.counting(&recalled),
                false => metric,
            }
        };
        let mut metrics: Vec<Metric> = self.k.iter().enumerate().map(recall_of).collect();
        metrics.push(Metric::percent("map", mean(&found.precision), None));
        metrics.push(Metric::percent("map@r", mean(&found.precision_at_r), None));
        let among = match self.gallery {
            Gallery::Test => "the other test samples",
            Gallery::Train => "the training samples",
        };
        let mut notes = vec![format!("retrieval: {queries} queries among {among}, by cosine.")];
        let left_out = all - queries as usize;
        if left_out > 0 {
            notes.push(format!(
                "{left_out} test samples are no queries, as there is no other of their class."
            ));
        }
        Ok(Report {
            title: "test samples find those of their class".into(),
            metrics,
            main: recall(self.k[0]),
            notes,
            ..Report::default()
        })
    }
}

/// A recall's name.
fn recall(k: usize) -> String {
    format!("recall@{k}")
}

/// Of each query that has something to find.
struct Found {
    /// Whether one of its class is among the first so many, `[Q, K]`, 0 or 1.
    recalled: Tensor,
    /// The average precision, `[Q]`.
    precision: Tensor,
    /// That of the first `R`, `[Q]`.
    precision_at_r: Tensor,
}

/// Cosines `[Q, N]` of queries of unit length with features that have these lengths.
fn cosines(queries: &Tensor, gallery: &Features, lengths: &Tensor) -> Tensor {
    let (count, width) = (gallery.values.size()[0], gallery.values.size()[1]);
    let of = |(start, count)| queries.matmul(&gallery.rows(start, count).tr());
    Tensor::cat(&tiles(count, width as usize).map(of).collect::<Vec<_>>(), 1) / lengths
}

impl Retrieval {
    fn rank(&self, queries: &Features, gallery: &Features) -> Found {
        let ranked = gallery.labels.size()[0];
        let is_own = self.gallery == Gallery::Test;
        let last = if is_own { ranked - 1 } else { ranked };
        let ranks = Tensor::arange_start(1, last + 1, (Kind::Float, queries.values.device()));
        let (mut recalled, mut precision, mut at_r) = (Vec::new(), Vec::new(), Vec::new());
        // Cosines, their order, what is right, and its running sum.
        let lengths = gallery.lengths();
        for (start, count) in tiles(queries.labels.size()[0], 6 * ranked as usize) {
            let labels = queries.labels.narrow(0, start, count).unsqueeze(1);
            let cosines = cosines(&normalize(&queries.rows(start, count)), gallery, &lengths);
            if is_own {
                // Last, and left out.
                let _ = cosines.diagonal(start, 0, 1).fill_(f64::NEG_INFINITY);
            }
            let order = cosines.argsort_stable(true, 1, true).narrow(1, 0, last);
            let right = gallery.labels.index_select(0, &order.flatten(0, -1)).view_as(&order);
            let right = right.eq_tensor(&labels).to_kind(Kind::Float);
            let to_find = right.sum_dim_intlist([1].as_slice(), true, Kind::Float);
            let is_query = to_find.squeeze_dim(1).gt(0.0).nonzero().squeeze_dim(1);
            let (right, to_find) = (right.index_select(0, &is_query), to_find.index_select(0, &is_query));
            let first = |k: &usize| right.narrow(1, 0, (*k as i64).min(last)).amax([1].as_slice(), false);
            recalled.push(Tensor::stack(&self.k.iter().map(first).collect::<Vec<_>>(), 1));
            let precisions = right.cumsum(1, Kind::Float) / &ranks * &right;
            let mean = |of: &Tensor| (of.sum_dim_intlist([1].as_slice(), true, Kind::Double) / &to_find).squeeze_dim(1);
            precision.push(mean(&precisions));
            at_r.push(mean(&(&precisions * ranks.le_tensor(&to_find))));
        }
        Found {
            recalled: Tensor::cat(&recalled, 0),
            precision: Tensor::cat(&precision, 0),
            precision_at_r: Tensor::cat(&at_r, 0),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use fmicl_core::testing::{check_labelled_evaluation, unit_rows};

    fn features(count: i64, classes: i64, seed: i64) -> Features {
        Features {
            values: unit_rows(count, 5, Kind::Float, seed) * 3.0,
            labels: Tensor::arange(count, (Kind::Int64, tch::Device::Cpu)).remainder(classes),
        }
    }

    /// By definition, a query at a time: recalls, average precision and that of the first R.
    fn naive(k: &[usize], queries: &Features, gallery: &Features, is_own: bool) -> Vec<f64> {
        let rows =
            |features: &Features| Vec::<Vec<f64>>::try_from(normalize(&features.values).to_kind(Kind::Double)).unwrap();
        let labels = |features: &Features| Vec::<i64>::try_from(&features.labels).unwrap();
        let (q, g) = (rows(queries), rows(gallery));
        let (q_labels, g_labels) = (labels(queries), labels(gallery));
        let mut sums = vec![0.0; k.len() + 2];
        let mut count = 0.0;
        for (index, query) in q.iter().enumerate() {
            let mut others: Vec<usize> = (0..g.len()).filter(|other| !is_own || *other != index).collect();
            let cosine = |other: usize| query.iter().zip(&g[other]).map(|(a, b)| a * b).sum::<f64>();
            others.sort_by(|a, b| cosine(*b).total_cmp(&cosine(*a)));
            let right: Vec<bool> = others.iter().map(|other| g_labels[*other] == q_labels[index]).collect();
            let total = right.iter().filter(|right| **right).count();
            if total == 0 {
                continue;
            }
            count += 1.0;
            for (sum, k) in sums.iter_mut().zip(k) {
                *sum += f64::from(u8::from(right[..*k].contains(&true)));
            }
            let precision = |most: usize| {
                let hits = (0..most).filter(|rank| right[*rank]);
                let at = hits.map(|rank| right[..=rank].iter().filter(|it| **it).count() as f64 / (rank + 1) as f64);
                at.sum::<f64>() / total as f64
            };
            sums[k.len()] += precision(right.len());
            sums[k.len() + 1] += precision(total);
        }
        sums.into_iter().map(|sum| sum / count).collect()
    }

    #[test]
    fn it_is_the_definition_by_a_naive_ranking() {
        let (test, train) = (features(61, 7, 1), features(90, 9, 2));
        for gallery in [Gallery::Test, Gallery::Train] {
            let is_own = gallery == Gallery::Test;
            let ranked = if is_own { &test } else { &train };
            let part = Retrieval {
                k: vec![1, 3, 10],
                gallery,
            };
            let found = part.rank(&test, ranked);
            let mean = |each: &Tensor| each.mean(Kind::Double).double_value(&[]);
            let recalls = (0..3).map(|index| mean(&found.recalled.select(1, index)));
            let values: Vec<f64> = recalls
                .chain([mean(&found.precision), mean(&found.precision_at_r)])
                .collect();
            let expected = naive(&part.k, &test, ranked, is_own);
            for (value, expected) in values.iter().zip(&expected) {
                assert!((value - expected).abs() < 1e-6, "{values:?}, {expected:?}");
            }
        }
    }

    #[test]
    fn what_has_nothing_to_find_is_no_query() {
        // Class 0 alone twice.
        let test = Features {
            values: unit_rows(4, 3, Kind::Float, 1),
            labels: Tensor::from_slice(&[0i64, 1, 2, 0]),
        };
        let found = Retrieval::default().rank(&test, &test);
        assert_eq!(found.precision.size(), [2]);
    }

    #[test]
    fn it_obeys_the_laws() {
        for gallery in [Gallery::Test, Gallery::Train] {
            check_labelled_evaluation(&Retrieval {
                gallery,
                ..Retrieval::default()
            });
        }
    }

    #[test]
    fn a_rank_beyond_the_gallery_is_refused_before_training() {
        let sizes = Sizes {
            train: 20,
            test: 10,
            classes: 2,
        };
        let error = Retrieval {
            k: vec![1, 10],
            ..Retrieval::default()
        }
        .validate_for(&sizes)
        .unwrap_err();
        let expected = "k: 10 is more than the 9 samples that are ranked for a query; take at most that many";
        assert_eq!(error.to_string(), expected);
    }
}
