//! Labels of the training split that are held out, to choose by without a look at the test split.

use fmicl_core::{Features, Result, Sizes, require, split_mix};
use tch::Tensor;

/// Checks a share of labels to hold out.
///
/// # Errors
/// A config error at `held_out` if it is not from 0 to 0.5.
pub fn validate(share: f64) -> Result<()> {
    require((0.0..=0.5).contains(&share), "held_out", || {
        format!("{share} is not from 0 to 0.5, a share of the labelled training samples")
    })
}

/// The samples that are left, and a share that is held out: those whose hash is least, the same in every run.
pub fn split(train: &Features, share: f64) -> (Features, Features) {
    let (left, out) = indices(train.labels.numel(), share);
    let select = |indices: Vec<usize>| {
        let indices: Vec<_> = indices.into_iter().map(|index| index as i64).collect();
        train.select(&Tensor::from_slice(&indices).to_device(train.labels.device()))
    };
    (select(left), select(out))
}

/// Bytes of the copies of the training features that a choice on held-out labels takes, f32.
pub fn bytes(sizes: &Sizes, width: usize, chooses: bool) -> u64 {
    if chooses { 4 * (sizes.train * width) as u64 } else { 0 }
}

/// Which of `count` samples are left, and which are held out: at least one of each, where there are two.
pub fn indices(count: usize, share: f64) -> (Vec<usize>, Vec<usize>) {
    let mut order: Vec<usize> = (0..count).collect();
    order.sort_by_key(|&index| split_mix(split_mix(HELD_OUT, 0) ^ index as u64, 0));
    let held_out = ((share * count as f64).round() as usize).clamp(1, count.max(2) - 1);
    let left = order.split_off(held_out.min(count));
    (left, order)
}

/// Apart from the draws of few labels.
const HELD_OUT: u64 = 1 << 32;

#[cfg(test)]
mod tests {
    use super::*;
    use tch::Kind;

    #[test]
    fn a_share_is_held_out_and_the_rest_is_left() {
        let labels = Tensor::arange(50, (Kind::Int64, tch::Device::Cpu));
        let train = Features {
            values: labels.unsqueeze(1).to_kind(Kind::Float),
            labels,
        };
        let values = |features: &Features| features.labels.iter::<i64>().unwrap().collect::<Vec<_>>();
        let (left, out) = split(&train, 0.1);
        assert_eq!((values(&left).len(), values(&out).len()), (45, 5));
        let mut all = [values(&left), values(&out)].concat();
        all.sort();
        assert_eq!(all, (0..50).collect::<Vec<_>>());
        assert_eq!(values(&split(&train, 0.1).1), values(&out), "the same each time");
        assert_eq!(values(&split(&train, 0.001).1).len(), 1, "one at least");
    }
}
