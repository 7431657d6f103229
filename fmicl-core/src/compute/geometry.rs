//! Geometry of features on the sphere: alignment, uniformity and effective rank.

use tch::{Kind, Tensor};

/// Rows that are taken against all others at a time.
const TILE: i64 = 1024;

/// Alignment: the mean of `|x_i - y_i|^2` over positive pairs `[N, d]` of unit-length rows; 0 is perfect.
///
/// Source: Wang and Isola, ICML 2020, arXiv 2005.10242, with their exponent 2.
pub fn alignment(x: &Tensor, y: &Tensor) -> Tensor {
    (x - y).square().sum_dim_intlist([1].as_slice(), false, None).mean(None)
}

/// Uniformity: `log` of the mean of `exp(-2 |x_i - x_j|^2)` over the pairs `i != j` of unit-length rows
/// `[N, d]`; 0 where all features are one point, at best about -4 in high dimension.
///
/// Source: Wang and Isola, with their `t = 2`.
pub fn uniformity(x: &Tensor) -> Tensor {
    let (n, columns) = (x.size()[0] as f64, x.tr());
    // exp(-2 |x - y|^2) = exp(4 c - 4), and 1 for a feature with itself.
    let sum = |cosines: Tensor| (cosines * 4.0 - 4.0).exp().sum(Kind::Double);
    // Some rows at a time, so that no N x N matrix is held.
    let tiles = x.split(TILE, 0).into_iter().map(|rows| sum(rows.matmul(&columns)));
    let with_itself = sum(x.square().sum_dim_intlist([1].as_slice(), false, None));
    ((tiles.sum::<Tensor>() - with_itself) / (n * (n - 1.0))).log()
}

/// Mean cosine of the pairs `i != j` of unit-length rows `[N, d]`; 1 where all features are one point.
pub fn mean_cosine(x: &Tensor) -> Tensor {
    let n = x.size()[0] as f64;
    // All pairs together are the square of the sum; each row with itself has 1.
    let sum = x.sum_dim_intlist([0].as_slice(), false, Kind::Double);
    (sum.square().sum(None::<Kind>) - n) / (n * (n - 1.0))
}

/// Effective rank: `exp` of the entropy of the singular values of `[N, d]`, normalised to sum to 1; from 1 (all
/// on one line) to `min(N, d)`.
///
/// Source: Roy and Vetterli, EUSIPCO 2007; without centring, as RankMe (Garrido et al., arXiv 2210.02885).
pub fn effective_rank(x: &Tensor) -> Tensor {
    let x = x.to_kind(Kind::Double);
    // Their squares are the eigenvalues of the Gram matrix, exact enough in f64.
    let singular = x.tr().matmul(&x).linalg_eigvalsh("L").clamp_min(0.0).sqrt();
    let p = &singular / singular.sum(None::<Kind>);
    // 0 log 0 = 0.
    (-(&p * p.clamp_min(1e-300).log()).sum(None::<Kind>)).exp()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::unit_rows;
    use tch::Device;

    fn value(tensor: Tensor) -> f64 {
        tensor.double_value(&[])
    }

    #[test]
    fn alignment_of_equal_pairs_is_0_and_of_opposite_ones_4() {
        let x = unit_rows(10, 4, Kind::Double, 1);
        assert!(value(alignment(&x, &x)).abs() < 1e-12);
        assert!((value(alignment(&x, &-&x)) - 4.0).abs() < 1e-12);
    }

    #[test]
    fn uniformity_is_the_formula_pair_by_pair() {
        let x = unit_rows(6, 3, Kind::Double, 1);
        let pairs = (0..6).flat_map(|i| (0..6).filter(move |&j| j != i).map(move |j| (i, j)));
        let potentials = pairs.map(|(i, j)| (-2.0 * value((x.get(i) - x.get(j)).square().sum(None::<Kind>))).exp());
        let expected = (potentials.sum::<f64>() / 30.0).ln();
        assert!((value(uniformity(&x)) - expected).abs() < 1e-12);
    }

    #[test]
    fn uniformity_of_many_tiles_is_that_of_the_whole_matrix() {
        let x = unit_rows(2 * TILE + 3, 4, Kind::Double, 1);
        let potentials = (x.matmul(&x.tr()) * 4.0 - 4.0).exp();
        let n = x.size()[0] as f64;
        let expected = ((value(potentials.sum(None::<Kind>)) - n) / (n * (n - 1.0))).ln();
        assert!((value(uniformity(&x)) - expected).abs() < 1e-12);
    }

    #[test]
    fn the_mean_cosine_is_that_of_all_pairs() {
        let x = unit_rows(9, 3, Kind::Double, 1);
        let expected = (value(x.matmul(&x.tr()).sum(None::<Kind>)) - 9.0) / 72.0;
        assert!((value(mean_cosine(&x)) - expected).abs() < 1e-12);
        assert!((value(mean_cosine(&unit_rows(1, 3, Kind::Double, 1).repeat([8, 1]))) - 1.0).abs() < 1e-12);
    }

    #[test]
    fn effective_rank_counts_orthogonal_directions() {
        let eye = Tensor::eye(5, (Kind::Float, Device::Cpu));
        assert!((value(effective_rank(&eye)) - 5.0).abs() < 1e-9);
        let line = unit_rows(1, 5, Kind::Float, 1).repeat([8, 1]);
        assert!((value(effective_rank(&line)) - 1.0).abs() < 1e-4);
    }
}
