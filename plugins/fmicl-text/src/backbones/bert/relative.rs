//! Relative position bias of MPNet: T5's buckets (Raffel et al., JMLR 2020, arXiv 1910.10683), the same in all layers.

use super::shape::{Family, Shape};
use super::source::Source;
use super::variable::Variable;
use fmicl_core::Result;
use fmicl_core::tch::{Device, Kind, Tensor};

/// Number of buckets: half for distances to the left, half for those to the right.
pub(super) const BUCKETS: i64 = 32;
/// Distances below it have a bucket each.
const EXACT: i64 = BUCKETS / 4;
/// From it on all are in the last.
const FURTHEST: f64 = 128.0;

/// A number for each bucket and head, `[32, heads]`.
#[derive(Debug, Clone)]
pub(super) struct Relative(Variable);

impl Relative {
    /// Relative position bias, for a family that has one.
    pub fn of(source: &Source, shape: &Shape) -> Result<Option<Self>> {
        match shape.family {
            Family::Mpnet => {
                let table = source.at("encoder.relative_attention_bias");
                Ok(Some(Relative(table.normal("weight", &[BUCKETS, shape.heads])?)))
            }
            Family::Bert | Family::Roberta | Family::Distilbert => Ok(None),
        }
    }

    /// Bias of the scores of `length` tokens, `[1, heads, length, length]`.
    pub fn bias(&self, length: i64) -> Tensor {
        let places = Tensor::arange(length, (Kind::Int64, Device::Cpu));
        let right = places.unsqueeze(0) - places.unsqueeze(1);
        let buckets = buckets(&right).to_device(self.0.device());
        let bias = Tensor::embedding(&self.0, &buckets, -1, false, false);
        bias.permute([2, 0, 1]).unsqueeze(0)
    }
}

/// The bucket of each distance to the right, which may be below 0.
fn buckets(right: &Tensor) -> Tensor {
    let half = BUCKETS / 2;
    let distance = right.abs();
    // As transformers rounds it, in f32.
    let far: Tensor = (distance.to_kind(Kind::Float) / EXACT as f64).log();
    let far: Tensor = far / (FURTHEST / EXACT as f64).ln() * (half - EXACT) as f64;
    // Of a distance of 0 it is no number, which is not taken.
    let far = far.clamp(0.0, half as f64).to_kind(Kind::Int64) + EXACT;
    let bucket = distance.where_self(&distance.lt(EXACT), &far.clamp_max(half - 1));
    bucket + right.gt(0).to_kind(Kind::Int64) * half
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn near_distances_have_a_bucket_each_and_far_ones_share_them() {
        let right = Tensor::from_slice(&[0i64, -1, -7, -8, -15, -127, -128, -500, 1, 7, 8, 128]);
        let found = Vec::<i64>::try_from(buckets(&right)).unwrap();
        assert_eq!(found, [0, 1, 7, 8, 9, 15, 15, 15, 17, 23, 24, 31]);
    }
}
