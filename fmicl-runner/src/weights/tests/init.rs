//! What a backbone may start with.

use super::*;
use fmicl_core::{Encoder, View};

/// A convolution with the names of a part of a ResNet.
#[derive(Debug)]
struct Small(nn::Conv2D);

impl Encoder for Small {
    fn forward(&self, view: &View, _train: bool) -> Tensor {
        view.input.apply(&self.0).amax([2i64, 3].as_slice(), false)
    }

    fn width(&self) -> i64 {
        4
    }
}

fn build(path: &nn::Path) -> fmicl_core::Result<Box<dyn Encoder>> {
    let _ = path.zeros_no_train("frozen", &[2]);
    Ok(Box::new(Small(nn::conv2d(path / "conv1", 3, 4, 2, Default::default()))))
}

const NAMES: [&str; 3] = ["conv1.weight", "conv1.bias", "frozen"];

/// The weights of `build` behind a prefix.
fn weights(prefix: &str) -> Vec<(String, Tensor)> {
    let sizes: [&[i64]; 3] = [&[4, 3, 2, 2], &[4], &[2]];
    let named = NAMES.iter().zip(sizes);
    named
        .map(|(name, size)| (format!("{prefix}{name}"), f32s(size)))
        .collect()
}

/// The store of a model whose backbone starts with the file.
fn start(path: &Path) -> fmicl_core::Result<(VarStore, Box<dyn Encoder>, String)> {
    let init = Init::read(path)?;
    let store = VarStore::new(Device::Cpu);
    let encoder = init.build(&(store.root() / "backbone"), build)?;
    let summary = init.summary(&store).replace(path.to_str().unwrap(), "w.safetensors");
    Ok((store, encoder, summary))
}

fn refusal(tensors: Vec<(String, Tensor)>) -> String {
    let (_folder, path) = folder();
    write(tensors, &path).unwrap();
    let error = start(&path).unwrap_err();
    assert!(error.is_usage());
    words(error, &path)
}

#[test]
fn weights_of_torchvision_of_timm_and_of_a_checkpoint_are_taken() {
    let with = |mut tensors: Vec<(String, Tensor)>, others: &[&str]| {
        tensors.extend(others.iter().map(|name| (name.to_string(), f32s(&[7]))));
        tensors
    };
    for (tensors, left_out) in [
        (weights(""), ""),
        (
            with(weights(""), &["fc.weight", "head.bias", "bn1.num_batches_tracked"]),
            "; left out fc.weight, head.bias, 1 num_batches_tracked",
        ),
        (
            with(
                weights("backbone."),
                &["projector.0.weight", "momentum.backbone.conv1.weight"],
            ),
            "",
        ),
    ] {
        let (_folder, path) = folder();
        write(tensors, &path).unwrap();
        let (store, encoder, summary) = start(&path).unwrap();
        assert_eq!(summary, format!("3 weights of w.safetensors{left_out}"));
        let variables = store.variables();
        for (name, weight) in weights("backbone.") {
            assert_eq!(variables[&name], weight, "{name}");
            assert_eq!(variables[&name].requires_grad(), name != "backbone.frozen", "{name}");
        }
        // The encoder and the store have the same tensor, before and after the store moves it.
        let image = Tensor::ones([1, 3, 2, 2], (Kind::Float, Device::Cpu));
        let first = |encoder: &dyn Encoder| {
            encoder
                .forward(&image.shallow_clone().into(), false)
                .double_value(&[0, 0])
        };
        assert_eq!(first(&*encoder), 66.0);
        let mut parameters = fmicl_core::Parameters::new(&store);
        let _ = tch::no_grad(|| parameters.groups[0].values.zero_());
        assert_eq!(first(&*encoder), 0.0);
    }
}

#[test]
fn a_misfit_names_the_file_and_the_keys() {
    let mut tensors = weights("");
    let _ = tensors.pop();
    tensors[1].1 = f32s(&[5]);
    tensors.push(("layer9.weight".into(), f32s(&[1])));
    tensors.push(("fc.weight".into(), f32s(&[1])));
    assert_eq!(
        refusal(tensors),
        "init: w.safetensors does not fit the backbone; missing: frozen; unexpected: layer9.weight; of another shape: \
         conv1.bias ([5] instead of [4])"
    );
}

#[test]
fn weights_of_a_run_that_diverged_are_refused() {
    let tensors = weights("backbone.");
    let _ = tensors[0].1.view([-1]).get(5).fill_(f64::NAN);
    assert_eq!(
        refusal(tensors),
        "init: w.safetensors: `conv1.weight` is not finite: the run that wrote it diverged"
    );
}

#[test]
fn a_file_that_cannot_be_read_is_a_fault_of_the_config() {
    let error = start(Path::new("no-such.safetensors")).unwrap_err();
    assert_eq!(
        error.to_string(),
        "no-such.safetensors: there is no such file; a file of safetensors is expected"
    );
    assert!(error.is_usage());
}

#[test]
fn shards_are_taken_by_their_index_and_a_pointer_of_git_lfs_is_named() {
    let (folder, path) = folder();
    let mut map = Vec::new();
    for (number, tensor) in weights("").into_iter().enumerate() {
        let file = format!("w-{number}-of-3.safetensors");
        map.push(format!("{:?}: {file:?}", tensor.0));
        write([tensor], &folder.path().join(file)).unwrap();
    }
    let index = format!("{{\"weight_map\": {{{}}}}}", map.join(", "));
    fs::write(folder.path().join("w.safetensors.index.json"), index).unwrap();
    let (store, ..) = start(&path).unwrap();
    assert_eq!(store.variables()["backbone.conv1.bias"], f32s(&[4]));
    let shard = start(&folder.path().join("w-0-of-3.safetensors")).unwrap_err();
    assert!(
        shard
            .to_string()
            .ends_with("is one of several shards; name w.safetensors.index.json")
    );

    fs::write(
        &path,
        "version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 46830571\n",
    )
    .unwrap();
    let error = start(&path).unwrap_err();
    assert!(error.is_usage());
    let expected = "w.safetensors: is a pointer of git-lfs, not the file of 46830571 bytes: `git lfs pull` in its folder fetches that";
    assert_eq!(words(error, &path), expected);
}

#[test]
fn weights_below_the_prefixes_of_wrappers_and_of_moco_are_taken_and_what_is_not_is_said() {
    for prefix in [
        "module.",
        "module.encoder_q.",
        "module.base_encoder.",
        "module.backbone.",
        "module.encoder.",
        "encoder.",
        "encoder_q.",
        "base_encoder.",
    ] {
        let (_folder, path) = folder();
        let mut tensors = weights(prefix);
        tensors.push((format!("{prefix}fc.weight"), f32s(&[2])));
        // A momentum encoder of the same names, and a queue: other numbers.
        let others = weights("module.encoder_k.").into_iter();
        if prefix != "module." {
            tensors.extend(others.map(|(name, weight)| (name, weight + 1000.0)));
        }
        tensors.push(("queue".into(), f32s(&[3])));
        write(tensors, &path).unwrap();
        let (store, _, summary) = start(&path).unwrap();
        let beside = if prefix == "module." { 1 } else { 4 };
        assert_eq!(
            summary,
            format!(
                "3 weights of w.safetensors below `{prefix}`; left out fc.weight; {beside} others are not below it"
            )
        );
        for (name, weight) in weights("backbone.") {
            assert_eq!(store.variables()[&name], weight, "{prefix}{name}");
        }
    }
}

#[test]
fn a_prefix_that_is_not_known_is_named() {
    let mut tensors = weights("student.backbone.");
    tensors.extend(weights("teacher.backbone."));
    let refused = refusal(tensors);
    assert!(
        refused.ends_with(
            "; all of them are there below `student.backbone.`, `teacher.backbone.`: remove that prefix from the \
             names (`fmicl convert --strip`)"
        ),
        "{refused}"
    );
}
