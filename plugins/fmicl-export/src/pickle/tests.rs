//! Files of `golden/checkpoints.py`, and broken ones.

use super::*;
use fmicl_core::tch::{Device, Kind};
use std::collections::HashMap;
use std::fs;
use std::path::PathBuf;

fn golden(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("golden").join(name)
}

/// `size` whole numbers from `start` on.
fn numbers(start: i64, size: &[i64]) -> Tensor {
    let count: i64 = size.iter().product();
    Tensor::arange_start(start, start + count, (Kind::Float, Device::Cpu)).view(size)
}

fn error(name: &str, key: Option<&str>) -> String {
    let path = golden(name);
    let error = read(&path, key).unwrap_err().to_string();
    error.replace(&format!("{}: ", path.display()), "")
}

#[test]
fn the_weights_of_a_training_scripts_checkpoint_are_read_in_both_forms_and_nothing_is_run() {
    for name in ["checkpoint.pth", "checkpoint-legacy.pth"] {
        let state = read(&golden(name), None).unwrap();
        assert_eq!(state.key, "state_dict");
        assert_eq!(state.beside, ["epoch", "arch", "optimizer", "args", "best"]);
        let tensors: HashMap<_, _> = state.tensors.into_iter().collect();
        let expected = [
            ("module.encoder_q.conv1.weight", numbers(1, &[4, 3, 2, 2])),
            ("module.encoder_q.conv1.bias", numbers(100, &[4])),
            ("module.encoder_q.frozen", numbers(200, &[2])),
            ("module.encoder_q.fc.weight", numbers(300, &[2, 4])),
            ("module.encoder_k.conv1.weight", numbers(400, &[4, 3, 2, 2])),
            ("module.queue_ptr", Tensor::from_slice(&[7i64])),
        ];
        assert_eq!(tensors.len(), expected.len(), "{name}");
        for (key, value) in expected {
            assert_eq!(tensors[key], value, "{name}: {key}");
        }
        let named = read(&golden(name), Some("state_dict")).unwrap();
        assert_eq!(named.tensors.len(), 6);
    }
}

#[test]
fn every_type_and_parts_of_shared_and_turned_storages_are_read() {
    let state = read(&golden("shared.pth"), None).unwrap();
    assert_eq!((state.key.as_str(), state.beside.len()), ("", 0));
    let tensors: HashMap<_, _> = state.tensors.into_iter().collect();
    for (name, kind) in [
        ("float64", Kind::Double),
        ("float16", Kind::Half),
        ("bfloat16", Kind::BFloat16),
        ("int64", Kind::Int64),
        ("int32", Kind::Int),
        ("int16", Kind::Int16),
        ("int8", Kind::Int8),
        ("uint8", Kind::Uint8),
    ] {
        assert_eq!(tensors[name].kind(), kind);
        assert_eq!(tensors[name].to_kind(Kind::Float), numbers(1, &[3]), "{name}");
    }
    let base = numbers(0, &[4, 5]);
    assert_eq!(tensors["bool"], Tensor::from_slice(&[true, false]));
    assert_eq!(tensors["scalar"].double_value(&[]), 3.5);
    assert_eq!(tensors["empty"].size(), [0, 4]);
    assert_eq!(tensors["whole"], base);
    assert_eq!(tensors["turned"], base.tr());
    assert_eq!(tensors["part"], base.narrow(0, 1, 2).narrow(1, 1, 3));
    assert_eq!(tensors.len(), 14);
}

#[test]
fn what_holds_no_weights_there_says_what_it_holds() {
    assert_eq!(
        error("checkpoint.pth", Some("model")),
        "has nothing at `model`; there are tensors at state_dict"
    );
    assert_eq!(
        error("checkpoint.pth", Some("epoch")),
        "has no tensors at `epoch`; there are tensors at state_dict"
    );
    let module = error("module.pth", None);
    assert!(
        module.starts_with("holds an object of `torch.nn.modules.linear.Linear`, a program, and no weights alone"),
        "{module}"
    );
    let script = error("checkpoints.py", None);
    assert!(script.starts_with("is not a file of torch.save"), "{script}");
}

#[test]
fn a_broken_file_is_an_error_in_a_line_or_has_sound_tensors() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("x.pth");
    let mut tried = 0;
    for name in ["checkpoint.pth", "checkpoint-legacy.pth", "shared.pth"] {
        let whole = fs::read(golden(name)).unwrap();
        let cut = (0..whole.len()).step_by(7).map(|end| whole[..end].to_vec());
        let flipped = (0..whole.len()).step_by(3).flat_map(|at| {
            let whole = &whole;
            [0x01, 0x80, 0xff].map(|bits| {
                let mut bytes = whole.clone();
                bytes[at] ^= bits;
                bytes
            })
        });
        for bytes in cut.chain(flipped) {
            fs::write(&path, bytes).unwrap();
            match read(&path, None) {
                Ok(state) => assert!(state.tensors.iter().all(|(_, tensor)| tensor.numel() <= whole.len())),
                Err(error) => {
                    let error = error.to_string();
                    assert!(error.contains("x.pth: ") && !error.contains('\n'), "{error}");
                }
            }
            tried += 1;
        }
    }
    assert!(tried > 9000, "{tried}");
}

#[test]
fn a_small_pickle_that_claims_much_takes_little() {
    // A tuple of twice itself, 60 times over: of 2^60 items, and one place each here.
    let mut doubled = vec![0x80, 2, b')', b'0', b')'];
    for _ in 0..60 {
        doubled.extend([b'2', 0x86]);
    }
    doubled.push(b'.');
    let mut nodes = nodes::Nodes::default();
    let (top, rest) = machine::run(&mut nodes, &doubled).unwrap();
    assert!(rest.is_empty());
    assert_eq!(nodes.tuple(top).unwrap().len(), 2);
    assert_eq!(nodes.all().count(), 62);
    // A million lists in each other, which nobody walks.
    let mut deep = vec![0x80, 2, b']'];
    deep.extend(std::iter::repeat_n(0x85, 1_000_000));
    deep.push(b'.');
    machine::run(&mut nodes::Nodes::default(), &deep).unwrap();
    // A text longer than the file.
    assert!(
        machine::run(
            &mut nodes::Nodes::default(),
            &[0x8d, 0xff, 0xff, 0xff, 0xff, 0xff, 0, 0, 0]
        )
        .is_err()
    );
}
