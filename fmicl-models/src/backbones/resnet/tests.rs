use super::*;
use fmicl_core::tch::{Device, Kind};
use fmicl_core::testing::check_backbone;

#[test]
fn keeps_the_laws_of_a_backbone() {
    let image = View::from(Tensor::randn([6, 3, 32, 32], (Kind::Float, Device::Cpu)));
    check_backbone(
        &ResNet {
            width: 4,
            ..Default::default()
        },
        &image,
    );
    check_backbone(
        &ResNet {
            depth: 50,
            width: 4,
            stem: Stem::Cifar,
            zero_init_residual: true,
        },
        &image,
    );
}
