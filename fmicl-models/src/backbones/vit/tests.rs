use super::*;
use crate::golden;
use fmicl_core::Input;
use fmicl_core::tch::{self, CModule, Device, Kind};
use fmicl_core::testing::check_backbone;

/// A ViT of 3 blocks for 12 pixels.
fn small() -> Vit {
    Vit {
        image_size: Some(12),
        width: 24,
        depth: 3,
        heads: 3,
        ..Default::default()
    }
}

fn images(count: i64, size: i64) -> Tensor {
    Tensor::randn([count, 3, size, size], (Kind::Float, Device::Cpu))
}

#[test]
fn keeps_the_laws_of_a_backbone() {
    for freeze_patch_embed in [true, false] {
        let part = Vit {
            freeze_patch_embed,
            ..small()
        };
        check_backbone(&part, &View::from(images(6, 12)));
    }
}

#[test]
fn gray_views_have_patches_of_one_channel() {
    check_backbone(&small(), &View::from(images(6, 12).narrow(1, 0, 1)));
    let store = nn::VarStore::new(Device::Cpu);
    let gray = Input::Images { size: 12, channels: 1 };
    small().build_for(&store.root(), gray).expect("builds");
    let size = store.variables()["patch_embed.proj.weight"].size();
    assert_eq!(size[1], 1, "{size:?}");
}

fn check_golden(file: &str, input: [i64; 4], part: &Vit) {
    let build = |path: &Path| part.build(path).expect("builds");
    golden::check_network(file, &input, build, |encoder, x, train| {
        encoder.forward(&View::from(x.shallow_clone()), train)
    });
}

#[test]
fn outputs_and_gradients_are_those_of_timm() {
    check_golden(
        "vit",
        [3, 3, 12, 12],
        &Vit {
            freeze_patch_embed: false,
            ..small()
        },
    );
}

#[test]
fn the_default_is_timms_vit_small_patch16_224_with_twelve_heads() {
    check_golden("vit_small_patch16_224", [1, 3, 224, 224], &Vit::default());
}

#[test]
fn positions_are_those_of_moco_v3() {
    let golden = golden::read("vit_positions");
    golden::assert_close("positions", &embedding::positions(3, 24), &golden["pos_embed"], 1e-6);
}

#[test]
fn weights_start_with_the_spread_that_moco_v3_gives_them() {
    let part = Vit {
        depth: 2,
        freeze_patch_embed: false,
        ..Default::default()
    };
    golden::check_initialisation("vit", |path| part.build(path).expect("builds"));
}

/// The trainable and the other variables' names of a new encoder.
fn names(part: &Vit) -> [Vec<String>; 2] {
    let store = nn::VarStore::new(Device::Cpu);
    let _encoder = part.build(&store.root()).expect("builds");
    let named = |trainable| {
        let vars = store.variables().into_iter();
        let mut names: Vec<_> = vars
            .filter(|(_, var)| var.requires_grad() == trainable)
            .map(|(name, _)| name)
            .collect();
        names.sort();
        names
    };
    [named(true), named(false)]
}

#[test]
fn the_patch_projection_is_drawn_and_trains_only_if_asked() {
    let frozen = ["patch_embed.proj.bias", "patch_embed.proj.weight", "pos_embed"];
    assert_eq!(names(&small())[1], frozen);
    let trained = Vit {
        freeze_patch_embed: false,
        ..small()
    };
    let [trainable, fixed] = names(&trained);
    assert_eq!(fixed, frozen[2..]);
    assert!(trainable.iter().any(|name| name == frozen[1]));

    let store = nn::VarStore::new(Device::Cpu);
    let _encoder = small().build(&store.root()).expect("builds");
    let deviation = store.variables()[frozen[1]].std(false).double_value(&[]);
    let expected = (2.0 / (3.0 * 16.0 + 24.0f64)).sqrt();
    assert!((deviation / expected - 1.0).abs() < 0.1, "{deviation}, not {expected}");
}

#[test]
fn the_images_size_is_that_of_the_views_and_decides_the_patch() {
    for (size, patches) in [(16, 16), (28, 49), (32, 64), (64, 64), (96, 144), (224, 196)] {
        let store = nn::VarStore::new(Device::Cpu);
        let part = Vit {
            width: 8,
            depth: 1,
            heads: 2,
            ..Default::default()
        };
        let encoder = part
            .build_for(&store.root(), Input::Images { size, channels: 3 })
            .expect("builds");
        assert_eq!(store.variables()["pos_embed"].size(), [1, 1 + patches, 8]);
        assert_eq!(encoder.forward(&images(2, size).into(), false).size(), [2, 8]);
    }
}

#[test]
fn a_size_that_is_not_that_of_the_views_names_both_keys() {
    let store = nn::VarStore::new(Device::Cpu);
    let error = small()
        .build_for(&store.root(), Input::Images { size: 32, channels: 3 })
        .expect_err("12 is not 32");
    assert_eq!(
        error.to_string(),
        "image_size: 12, but views.size is 32: leave image_size out, or set both alike"
    );
    let cut = Vit::default()
        .build_for(&store.root(), Input::Images { size: 30, channels: 3 })
        .expect_err("30 is not 4 n");
    assert_eq!(
        cut.to_string(),
        "patch: images of 30 pixels are not whole patches of 4; \
         set backbone.patch to one of 1, 2, 3, 5, 6, 10, 15, 30, or another views.size"
    );
    assert!(store.is_empty(), "nothing is built before the checks");
}

#[test]
fn options_out_of_range_name_their_key() {
    type Change = fn(&mut Vit);
    let fails = |change: Change| {
        let mut part = Vit::default();
        change(&mut part);
        part.validate().expect_err("out of range").to_string()
    };
    let cases: [(Change, &str); 9] = [
        (|vit| vit.width = 0, "width: 0 is not from 1 to 8192"),
        (|vit| vit.depth = 257, "depth: 257 is not from 1 to 256"),
        (|vit| vit.heads = 0, "heads: 0 is not from 1 to the width, 384"),
        (|vit| vit.heads = 7, "width: 384 is not a multiple of heads, 7"),
        (
            |vit| (vit.width, vit.heads) = (18, 3),
            "width: 18 is not a multiple of 4: sine and cosine of row and column share it",
        ),
        (|vit| vit.patch = Some(0), "patch: 0 is not at least 1"),
        (
            |vit| vit.image_size = Some(0),
            "image_size: 0 is not from 1 to 4096 pixels",
        ),
        (
            |vit| (vit.image_size, vit.patch) = (Some(9), Some(4)),
            "patch: images of 9 pixels are not whole patches of 4; \
             set backbone.patch to one of 1, 3, 9, or another views.size",
        ),
        (
            |vit| (vit.image_size, vit.patch) = (Some(4096), Some(1)),
            "patch: 1 cuts 4096 pixels into 16777216 patches, more than 65536",
        ),
    ];
    for (change, message) in cases {
        assert_eq!(fails(change), message);
    }
}

#[test]
fn a_trace_is_right_for_another_number_of_images() {
    let mut store = nn::VarStore::new(Device::Cpu);
    let encoder = small().build(&store.root()).expect("builds");
    store.freeze();
    let forward = |x: &Tensor| encoder.forward(&View::from(x.shallow_clone()), false);
    let _no_grad = tch::no_grad_guard();
    let trace = CModule::create_by_tracing("Vit", "forward", &[images(2, 12)], &mut |x| vec![forward(&x[0])]);
    let five = images(5, 12);
    let traced = five.apply(&trace.expect("can be traced"));
    golden::assert_close("the trace", &traced, &forward(&five), 1e-6);
}
