//! Features of unit length.

use fmicl_core::tch::{Kind, Tensor};

/// Rows `[N, d]` scaled to unit length, as `torch.nn.functional.normalize`: divided by `max(norm, 1e-12)`. bfloat16
/// outputs are normalised in f32.
pub(crate) fn normalize(rows: &Tensor) -> Tensor {
    let rows = match rows.kind() {
        Kind::BFloat16 => &rows.to_kind(Kind::Float),
        _ => rows,
    };
    rows / rows.norm_scalaropt_dim(2.0, [1i64].as_slice(), true).clamp_min(1e-12)
}

#[cfg(test)]
mod tests {
    use super::normalize;
    use crate::golden::{assert_close, noise, read};
    use fmicl_core::tch::Kind;

    #[test]
    fn normalize_is_that_of_pytorch_down_to_a_row_of_zeros() {
        let x = noise("rows", &[5, 7]);
        let _ = x.get(1).zero_();
        let _ = x.get(2).g_mul_scalar_(1e-13);
        let x = x.set_requires_grad(true);
        let out = normalize(&x);
        (&out * noise("loss", &[5, 7])).sum(Kind::Double).backward();
        let golden = read("normalize");
        assert_close("rows", &out.detach(), &golden["output"], 1e-14);
        for row in 0..5 {
            assert_close(
                &format!("gradient of row {row}"),
                &x.grad().get(row),
                &golden["grad"].get(row),
                1e-12,
            );
        }
    }
}
