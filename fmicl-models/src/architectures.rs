//! Architectures, one file each.

mod branch;
mod moco;
mod moco_v3;
mod simclr;

pub use moco::Moco;
pub use moco_v3::MocoV3;
pub use simclr::SimClr;

#[cfg(test)]
mod tests {
    use crate::golden::{assert_close, noise, read};
    use fmicl_core::normalize;
    use fmicl_core::tch::Kind;

    #[test]
    fn features_are_normalised_as_by_pytorch_down_to_a_row_of_zeros() {
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
