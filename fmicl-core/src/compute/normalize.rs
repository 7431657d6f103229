//! Rows of unit length.

use tch::{Kind, Tensor};

/// Rows `[N, d]` scaled to unit length, as `torch.nn.functional.normalize`: divided by [`row_norms`], so that zeros stay.
/// bfloat16 rows are normalised in f32, and returned so.
pub fn normalize(rows: &Tensor) -> Tensor {
    let rows = match rows.kind() {
        Kind::BFloat16 => &rows.to_kind(Kind::Float),
        _ => rows,
    };
    rows / row_norms(rows)
}

/// Euclidean norms `[N, 1]` of rows `[N, d]`, at least 1e-12.
pub fn row_norms(rows: &Tensor) -> Tensor {
    rows.norm_scalaropt_dim(2.0, [1i64].as_slice(), true).clamp_min(1e-12)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_get_unit_length_and_zeros_stay() {
        let rows = Tensor::from_slice(&[3.0, 4.0, 0.0, 0.0, 3e-13, 4e-13]).view([3, 2]);
        let expected = Tensor::from_slice(&[0.6, 0.8, 0.0, 0.0, 0.3, 0.4]).view([3, 2]);
        assert!(normalize(&rows).allclose(&expected, 1e-15, 0.0, false));
        let narrow = normalize(&rows.to_kind(Kind::BFloat16));
        assert_eq!(narrow.kind(), Kind::Float);
        let norm = narrow.get(0).norm().double_value(&[]);
        assert!((norm - 1.0).abs() < 1e-6, "{norm}");
    }
}
