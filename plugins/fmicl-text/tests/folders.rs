//! Folders of models give the vectors that `SentenceTransformer(FOLDER).encode` gives (golden/folders), or are refused in a
//! line.

#![expect(clippy::unwrap_used, reason = "helpers of tests")]

#[path = "folders/refused.rs"]
mod refused;

use fmicl_core::tch::{self, Device, Kind, Tensor, nn::VarStore};

use fmicl_core::{Backbone, Part, Pretrained, PretrainedParts, Result, Stop, Views, toml};
use fmicl_text as _;
use serde_json::{Map, Value, json};
use std::path::{Path, PathBuf};

fn golden() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("golden/folders")
}

fn cases() -> Value {
    let text = std::fs::read_to_string(golden().join("cases.json")).unwrap();
    serde_json::from_str(&text).unwrap()
}

/// Writes a folder: JSON as it stands, or a file of the golden folder by its name.
fn write(files: &Map<String, Value>) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    for (name, content) in files {
        let path = folder.path().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        match content {
            Value::String(file) => drop(std::fs::copy(golden().join(file), path).unwrap()),
            json => std::fs::write(path, json.to_string()).unwrap(),
        }
    }
    folder
}

fn parts(folder: &Path) -> Result<PretrainedParts> {
    let layout = Part::<dyn Pretrained>::new("hugging-face", toml::Table::new())?;
    Ok(layout.parts(folder)?.expect("it has a model_type"))
}

/// The vectors of sentences, `[N, width]`.
fn embed(folder: &Path, sentences: &[String]) -> Result<Tensor> {
    let PretrainedParts { views, backbone, .. } = parts(folder)?;
    let views = Part::<dyn Views>::from_value(views.into())?;
    let backbone = Part::<dyn Backbone>::from_value(backbone.into())?;
    let store = VarStore::new(Device::Cpu);
    let encoder = backbone.build_for(&store.root(), views.input()?)?;
    let samples = views.lines(sentences.to_vec())?;
    let all: Vec<usize> = (0..sentences.len()).collect();
    let view = views.evaluation(&*samples, &all, &Stop::default())?;
    let vectors = tch::no_grad(|| encoder.forward(&view, false));
    assert_eq!(vectors.size()[1], encoder.width());
    Ok(vectors)
}

fn sentences(cases: &Value) -> Vec<String> {
    serde_json::from_value(cases["sentences"].clone()).unwrap()
}

#[test]
fn vectors_are_those_of_sentence_transformers() {
    let cases = cases();
    let sentences = sentences(&cases);
    let mut wrong = Vec::new();
    for case in cases["cases"].as_array().unwrap() {
        let folder = write(case["folder"].as_object().unwrap());
        let expected: Vec<Vec<f32>> = serde_json::from_value(case["vectors"].clone()).unwrap();
        let expected = Tensor::from_slice2(&expected);
        match embed(folder.path(), &sentences) {
            Err(error) => wrong.push(format!("{}: {error}", case["name"])),
            Ok(vectors) if vectors.size() != expected.size() => {
                wrong.push(format!(
                    "{}: of shape {:?} and not {:?}",
                    case["name"],
                    vectors.size(),
                    expected.size()
                ));
            }
            Ok(vectors) => {
                let off = (vectors - &expected).abs().max().double_value(&[]);
                // Vectors of different sentences, of the tiny models, are as near as 0.001.
                if off.is_nan() || off > 1e-5 * expected.abs().max().double_value(&[]).max(1.0) {
                    wrong.push(format!("{}: off by {off:e}", case["name"]));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// The files of a case.
fn files(name: &str) -> Map<String, Value> {
    let cases = cases();
    let case = cases["cases"]
        .as_array()
        .unwrap()
        .iter()
        .find(|case| case["name"] == name);
    case.unwrap()["folder"].as_object().unwrap().clone()
}

const PLAIN: &str = "pooling_mode mean";

#[test]
fn layers_behind_the_pooling_are_taken_or_left_out_by_name_in_training() {
    let folder = write(&files("a dense layer"));
    let build = |modules: Option<Vec<toml::Value>>| {
        let mut options = toml::Table::new();
        options.insert("folder".into(), folder.path().to_str().unwrap().into());
        options.insert("pooling".into(), "mean".into());
        options.extend(modules.map(|modules| ("modules".to_string(), modules.into())));
        let backbone = Part::<dyn Backbone>::new("bert", options)?;
        // What a run keeps copies of.
        let reads = backbone.reads().remove(0).files;
        assert!(reads.iter().all(|file| folder.path().join(file).is_file()), "{reads:?}");
        let width = backbone.build(&VarStore::new(Device::Cpu).root())?.width();
        let expected = if width == 5 { 5 } else { 2 };
        assert_eq!(reads.len(), expected, "{reads:?}");
        Ok::<_, fmicl_core::Error>(width)
    };
    assert_eq!(build(Some(vec!["2_Dense".into()])).unwrap(), 5);
    assert_eq!(build(Some(vec![])).unwrap(), 16);
    let error = build(None).unwrap_err().to_string();
    assert!(
        error.ends_with("modules = [\"2_Dense\"] takes them, modules = [] leaves them out"),
        "{error}"
    );
    let error = build(Some(vec!["3_Dense".into()])).unwrap_err().to_string();
    assert!(error.ends_with("modules.json: lists no module `3_Dense`"), "{error}");
}

#[test]
fn weights_in_shards_are_those_in_one_file() {
    let cases = cases();
    let sentences = sentences(&cases);
    let whole = write(&files(PLAIN));
    let expected = embed(whole.path(), &sentences).unwrap();
    let weights = whole.path().join("model.safetensors");
    let tensors = Tensor::read_safetensors(&weights).unwrap();
    let mut map = Map::new();
    for (number, half) in tensors.chunks(tensors.len() / 2 + 1).enumerate() {
        let file = format!("model-0000{}-of-00002.safetensors", number + 1);
        Tensor::write_safetensors(half, whole.path().join(&file)).unwrap();
        map.extend(half.iter().map(|(name, _)| (name.clone(), file.clone().into())));
    }
    std::fs::remove_file(&weights).unwrap();
    std::fs::write(
        whole.path().join("model.safetensors.index.json"),
        json!({"weight_map": map}).to_string(),
    )
    .unwrap();
    assert!(embed(whole.path(), &sentences).unwrap().equal(&expected));

    let pointer = "version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 90868376\n";
    std::fs::write(&weights, pointer).unwrap();
    let error = embed(whole.path(), &sentences).unwrap_err().to_string();
    assert!(
        error.contains("model.safetensors: is a pointer of git-lfs, not the file of 90868376 bytes"),
        "{error}"
    );
    assert_eq!(expected.kind(), Kind::Float);
}
