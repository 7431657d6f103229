//! Tensors that trackers are shown: a row of views, and the cosines of pairs.

use fmicl_core::tch::{Device, Kind, Tensor, no_grad};
use fmicl_core::{Negatives, Pairing};

/// Views in a picture, side by side.
const VIEWS: i64 = 8;
/// Features of each side whose pairs are negative ones: of a large batch, or a bank, the first.
const FEATURES: i64 = 1024;

/// The first eight views of images `[N, C, H, W]`, normalised floats, side by side: bytes `[C, H, N' W]` on the CPU, scaled
/// to the range that these views have, since their normalisation is not known here. `None` of other inputs.
pub fn picture(views: &Tensor) -> Option<Tensor> {
    let &[count, channels, height, width] = &views.size()[..] else {
        return None;
    };
    let is_image = matches!(channels, 1 | 3) && views.kind() != Kind::Int64 && count * height * width > 0;
    is_image.then(|| {
        no_grad(|| {
            let shown = views.narrow(0, 0, count.min(VIEWS));
            let shown = shown.to_device(Device::Cpu).to_kind(Kind::Float);
            let (low, high) = (shown.min().double_value(&[]), shown.max().double_value(&[]));
            let scale = 255.0 / (high - low).max(f64::MIN_POSITIVE);
            let bytes = ((shown - low) * scale).round().clamp(0.0, 255.0).to_kind(Kind::Uint8);
            bytes.permute([1, 2, 0, 3]).contiguous().view([channels, height, -1])
        })
    })
}

/// Cosines of positive and of negative pairs, `[pairs]`, by the names that trackers are given. In a batch of two views the
/// negative pairs are those of anchors; of more than 1,024 features of a side the first are taken.
pub fn cosines(pairing: &Pairing) -> Vec<(&'static str, Tensor)> {
    no_grad(|| {
        vec![
            ("cosines/positive", pairing.positive_cosines()),
            ("cosines/negative", negatives(pairing)),
        ]
    })
}

/// A copy of the rows of a bank whose cosines are shown.
pub fn first_of_bank(bank: &Tensor) -> Tensor {
    no_grad(|| bank.narrow(0, 0, bank.size()[0].min(FEATURES)).copy())
}

fn negatives(pairing: &Pairing) -> Tensor {
    let first = |rows: &Tensor| rows.narrow(0, 0, rows.size()[0].min(FEATURES));
    let (others, own_is_none) = match &pairing.negatives {
        Negatives::Batch => (&pairing.anchors, true),
        Negatives::Keys => (&pairing.positives, true),
        Negatives::Candidates(candidates) => (candidates, true),
        Negatives::Bank(bank) => (bank, false),
    };
    let (anchors, others) = (first(&pairing.anchors), first(others).to_kind(pairing.anchors.kind()));
    let all = anchors.matmul(&others.tr());
    if !own_is_none {
        return all.flatten(0, 1);
    }
    let with_itself = Tensor::eye_m(all.size()[0], all.size()[1], (Kind::Bool, all.device()));
    all.masked_select(&with_itself.logical_not())
}

#[cfg(test)]
mod tests {
    use super::*;
    use fmicl_core::testing::unit_rows;

    fn sorted(values: Vec<f64>) -> Vec<f64> {
        let mut values = values;
        values.sort_by(f64::total_cmp);
        values
    }

    fn pairing(negatives: Negatives) -> Pairing {
        Pairing {
            anchors: unit_rows(4, 3, Kind::Double, 1),
            positives: unit_rows(4, 3, Kind::Double, 2),
            negatives,
        }
    }

    /// The cosines of rows `i` and `j` for which `pairs` is true.
    fn by_hand(x: &Tensor, y: &Tensor, pairs: impl Fn(i64, i64) -> bool) -> Vec<f64> {
        let mut found = Vec::new();
        for i in 0..x.size()[0] {
            for j in (0..y.size()[0]).filter(|&j| pairs(i, j)) {
                found.push(x.get(i).dot(&y.get(j)).double_value(&[]));
            }
        }
        sorted(found)
    }

    #[test]
    fn cosines_are_those_of_the_pairs_that_the_architecture_means() {
        let rows = |count| unit_rows(count, 3, Kind::Double, 7);
        let [candidates, bank] = [rows(6), rows(5)];
        let cases = [
            (Negatives::Batch, unit_rows(4, 3, Kind::Double, 1), true),
            (Negatives::Keys, unit_rows(4, 3, Kind::Double, 2), true),
            (Negatives::Candidates(candidates.copy()), candidates, true),
            (Negatives::Bank(bank.copy()), bank, false),
        ];
        for (negatives, others, without_own) in cases {
            let pairing = pairing(negatives);
            let [(_, positive), (_, negative)] = <[_; 2]>::try_from(cosines(&pairing)).unwrap();
            let close = |found: &Tensor, expected: Vec<f64>| {
                let found = sorted(Vec::try_from(found).unwrap());
                assert_eq!(found.len(), expected.len(), "{pairing:?}");
                let off = found.iter().zip(expected).map(|(a, b)| (a - b).abs());
                assert!(off.fold(0.0, f64::max) < 1e-12, "{pairing:?}");
            };
            close(&positive, by_hand(&pairing.anchors, &pairing.positives, |i, j| i == j));
            close(
                &negative,
                by_hand(&pairing.anchors, &others, |i, j| !(without_own && i == j)),
            );
        }
    }

    #[test]
    fn a_picture_has_eight_views_side_by_side_in_their_range() {
        let views = Tensor::arange(9 * 3 * 2 * 2, (Kind::Float, Device::Cpu)).view([9, 3, 2, 2]) - 50.0;
        let pixels = picture(&views).unwrap();
        assert_eq!((pixels.size(), pixels.kind()), (vec![3, 2, 16], Kind::Uint8));
        // 96 values; the view after the eighth has no share.
        let at = |c, y, x| pixels.int64_value(&[c, y, x]);
        assert_eq!((at(0, 0, 0), at(2, 1, 15)), (0, 255));
        // The second view's first value is 12 of 95.
        assert_eq!(at(0, 0, 2), 32);
        let flat = picture(&Tensor::zeros([1, 1, 2, 2], (Kind::Float, Device::Cpu))).unwrap();
        assert_eq!(flat.size(), [1, 2, 2]);
        assert!(picture(&Tensor::zeros([2, 5], (Kind::Int64, Device::Cpu))).is_none());
    }
}
