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

#[test]
fn gray_views_have_a_first_layer_of_one_channel() {
    let image = View::from(Tensor::randn([6, 1, 32, 32], (Kind::Float, Device::Cpu)));
    let part = ResNet {
        width: 4,
        ..Default::default()
    };
    check_backbone(&part, &image);
    let store = nn::VarStore::new(Device::Cpu);
    let gray = Input::Images { size: 32, channels: 1 };
    part.build_for(&store.root(), gray).unwrap();
    assert_eq!(store.variables()["conv1.weight"].size(), [4, 1, 7, 7]);
}

fn check_golden(file: &str, size: i64, part: &ResNet) {
    let build = |path: &nn::Path| part.build(path).expect("builds");
    crate::golden::check_network(file, &[3, 3, size, size], build, |encoder, x, train| {
        encoder.forward(&View::from(x.shallow_clone()), train)
    });
}

#[test]
fn outputs_gradients_and_running_statistics_are_those_of_torchvision() {
    for (depth, ..) in PLANS {
        let part = ResNet {
            depth,
            ..Default::default()
        };
        check_golden(&format!("resnet{depth}"), 45, &part);
    }
}

#[test]
fn the_cifar_stem_is_torchvision_with_a_3x3_convolution_and_no_pooling() {
    check_golden(
        "resnet18_cifar",
        19,
        &ResNet {
            stem: Stem::Cifar,
            ..Default::default()
        },
    );
}

#[test]
fn weights_start_with_the_spread_that_torchvision_gives_them() {
    for depth in [18, 50] {
        let part = ResNet {
            depth,
            ..Default::default()
        };
        crate::golden::check_initialisation(&format!("resnet{depth}"), |path| part.build(path).expect("builds"));
    }
}

#[test]
fn residual_branches_start_at_zero_only_if_asked() {
    for (zero, last) in [(true, 0.0), (false, 1.0)] {
        let store = nn::VarStore::new(Device::Cpu);
        let part = ResNet {
            depth: 50,
            width: 2,
            zero_init_residual: zero,
            ..Default::default()
        };
        let _encoder = part.build(&store.root()).expect("builds");
        let mean = |name: &str| store.variables()[name].mean(Kind::Float).double_value(&[]);
        assert_eq!([mean("layer2.1.bn3.weight"), mean("layer2.1.bn2.weight")], [last, 1.0]);
        assert_eq!(mean("layer2.0.downsample.1.weight"), 1.0, "a shortcut stays open");
    }
}

#[test]
fn any_size_of_image_will_do() {
    let store = nn::VarStore::new(Device::Cpu);
    for (name, stem) in [("imagenet", Stem::ImageNet), ("cifar", Stem::Cifar)] {
        let part = ResNet {
            width: 2,
            stem,
            ..Default::default()
        };
        let encoder = part.build(&(store.root() / name)).expect("builds");
        for (height, width) in [(1, 1), (8, 8), (9, 33)] {
            let image = Tensor::zeros([2, 3, height, width], (Kind::Float, Device::Cpu));
            assert_eq!(encoder.forward(&image.into(), false).size(), [2, 16]);
        }
    }
}

#[test]
fn options_out_of_range_say_what_would_work() {
    let fails = |part: ResNet| part.validate().expect_err("out of range").to_string();
    let depth = fails(ResNet {
        depth: 20,
        ..Default::default()
    });
    assert_eq!(depth, "depth: there is no ResNet-20; depths: 18, 34, 50, 101");
    assert_eq!(
        fails(ResNet {
            width: 0,
            ..Default::default()
        }),
        "width: 0 is not from 1 to 4096"
    );
}

#[test]
fn a_config_chooses_it_by_name() {
    let options = fmicl_core::toml::toml! { depth = 34
    stem = "cifar" };
    let part = fmicl_core::Part::<dyn Backbone>::new("resnet", options).expect("the options are right");
    let store = nn::VarStore::new(Device::Cpu);
    assert_eq!(part.build(&store.root()).expect("builds").width(), 512);
    assert_eq!(store.variables()["conv1.weight"].size(), [64, 3, 3, 3]);
    assert!(
        store.variables().contains_key("layer3.5.bn2.running_var"),
        "the third stage has six blocks"
    );
}
