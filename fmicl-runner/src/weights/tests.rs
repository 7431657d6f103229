use super::*;
use fmicl_core::tch::{Device, Kind, Tensor, nn, nn::VarStore};
use std::fs;
use std::path::PathBuf;
use tempfile::TempDir;

mod init;

fn store(width: i64, bias: bool) -> (VarStore, nn::Linear) {
    let store = VarStore::new(Device::Cpu);
    let config = nn::LinearConfig {
        bias,
        ..Default::default()
    };
    let linear = nn::linear(store.root() / "head", width, 2, config);
    (store, linear)
}

fn save(store: &VarStore, path: &Path) -> Result<()> {
    write(store.variables(), path)
}

fn load(store: &VarStore, path: &Path) -> Result<()> {
    copy_into(store.variables(), &read(path)?, path)
}

fn folder() -> (TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("w.safetensors");
    (folder, path)
}

/// The error's words without the folder.
fn words(error: Error, path: &Path) -> String {
    error.to_string().replace(path.to_str().unwrap(), "w.safetensors")
}

fn f32s(sizes: &[i64]) -> Tensor {
    Tensor::arange(sizes.iter().product::<i64>(), (Kind::Float, Device::Cpu)).view(sizes)
}

#[test]
fn weights_come_back_as_they_were() {
    let (folder, path) = folder();
    let (saved, from) = store(3, true);
    save(&saved, &path).unwrap();
    let (loaded, to) = store(3, true);
    assert_ne!(from.ws, to.ws);
    load(&loaded, &path).unwrap();
    assert_eq!(from.ws, to.ws);
    let files = fs::read_dir(folder.path()).unwrap().count();
    assert_eq!(files, 1, "nothing temporary is left");
}

#[test]
fn another_models_weights_are_refused_by_name() {
    let (_folder, path) = folder();
    save(&store(3, true).0, &path).unwrap();
    let message = |width, bias| words(load(&store(width, bias).0, &path).unwrap_err(), &path);
    let refused = "w.safetensors: does not fit the model, it was written by another one; ";
    assert_eq!(
        message(4, true),
        format!("{refused}of another shape: head.weight ([2, 3] instead of [2, 4])")
    );
    assert_eq!(message(3, false), format!("{refused}unexpected: head.bias"));
    save(&store(3, false).0, &path).unwrap();
    assert_eq!(message(3, true), format!("{refused}missing: head.bias"));
    let others = (0..7).map(|index| (format!("x{index}"), f32s(&[1])));
    write(others, &path).unwrap();
    assert_eq!(
        message(3, true),
        format!("{refused}missing: head.bias, head.weight; unexpected: x0, x1, x2, x3, x4 and 2 more")
    );
}

#[test]
fn fractions_of_another_precision_are_converted_and_whole_numbers_refused() {
    let (_folder, path) = folder();
    let weights = |bias: Tensor, kind| {
        [
            ("head.weight".into(), f32s(&[2, 3]).to_kind(kind)),
            ("head.bias".into(), bias),
        ]
    };
    for kind in [Kind::Half, Kind::BFloat16, Kind::Double] {
        write(weights(f32s(&[2]), kind), &path).unwrap();
        let (loaded, linear) = store(3, true);
        load(&loaded, &path).unwrap();
        assert_eq!((linear.ws.kind(), linear.ws), (Kind::Float, f32s(&[2, 3])), "{kind:?}");
    }
    write(weights(f32s(&[2]).to_kind(Kind::Int64), Kind::Float), &path).unwrap();
    let message = words(load(&store(3, true).0, &path).unwrap_err(), &path);
    assert!(
        message.ends_with("; of another type: head.bias (Int64 instead of Float)"),
        "{message}"
    );
}

#[test]
fn a_file_that_cannot_be_written_leaves_nothing() {
    let (folder, path) = folder();
    fs::create_dir(&path).unwrap();
    let message = words(save(&store(3, true).0, &path).unwrap_err(), &path);
    assert!(message.starts_with("w.safetensors: "), "{message}");
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    let message = save(&store(3, true).0, Path::new("/no/such/w.safetensors")).unwrap_err();
    assert_eq!(
        message.to_string(),
        "/no/such/w.safetensors: No such file or directory (os error 2)"
    );
}
