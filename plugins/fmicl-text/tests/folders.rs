//! Folders of models give the vectors that `SentenceTransformer(FOLDER).encode` gives (golden/folders), or are refused in a
//! line.

#![expect(clippy::unwrap_used, reason = "helpers of tests")]

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
    let PretrainedParts { views, backbone } = parts(folder)?;
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

/// The error of a case's folder with other files, without the folder's path.
fn refusal(case: &str, change: impl FnOnce(&mut Map<String, Value>)) -> String {
    let mut files = files(case);
    change(&mut files);
    let folder = write(&files);
    let error = embed(folder.path(), &["a b".to_string()]).unwrap_err().to_string();
    assert_eq!(error.lines().count(), 1, "{error}");
    let start = format!("{}/", folder.path().display());
    assert!(error.contains(&start[..start.len() - 1]), "{error} names no file");
    error.replace(&start, "")
}

const PLAIN: &str = "pooling_mode mean";

#[test]
fn what_would_change_vectors_and_is_not_done_here_is_refused_in_a_line() {
    let put = |file: &'static str, content: Value| {
        move |files: &mut Map<String, Value>| drop(files.insert(file.into(), content))
    };
    let change = |file: &'static str, key: &'static str, value: Value| {
        move |files: &mut Map<String, Value>| {
            let content = files.entry(file).or_insert_with(|| json!({}));
            content[key] = value;
        }
    };
    let listed = |behind: Value| {
        let module = |path: &str, class: &str| json!({"idx": 0, "name": "x", "path": path, "type": class});
        let mut all = vec![
            module("", "sentence_transformers.models.Transformer"),
            module("1_Pooling", "sentence_transformers.models.Pooling"),
        ];
        all.push(module(behind[0].as_str().unwrap(), behind[1].as_str().unwrap()));
        put("modules.json", all.into())
    };
    let transformer = |path: &str| {
        put(
            "modules.json",
            json!([{"path": path, "type": "sentence_transformers.models.Transformer"},
                {"path": "1_Pooling", "type": "sentence_transformers.models.Pooling"}]),
        )
    };
    for (found, expected) in [
        (
            refusal(PLAIN, change("1_Pooling/config.json", "pooling_mode", json!("median"))),
            "1_Pooling/config.json: pooling_mode `median` is not one of cls, max",
        ),
        (
            refusal(PLAIN, change("1_Pooling/config.json", "pooling_mode", json!([]))),
            "1_Pooling/config.json: names no pooling",
        ),
        (
            refusal(PLAIN, change("1_Pooling/config.json", "more", json!(1))),
            "1_Pooling/config.json: cannot be used: unknown field `more`",
        ),
        (
            refusal(PLAIN, |files| drop(files.remove("1_Pooling/config.json"))),
            "1_Pooling/config.json: there is no such file",
        ),
        (
            refusal(PLAIN, |files| drop(files.remove("modules.json"))),
            "has 1_Pooling, and no modules.json that says whether it is meant",
        ),
        (
            refusal(
                "no modules.json",
                put("sentence_bert_config.json", json!({"max_seq_length": 9})),
            ),
            "has sentence_bert_config.json, and no modules.json",
        ),
        (
            refusal(PLAIN, listed(json!(["2_CNN", "sentence_transformers.models.CNN"]))),
            "modules.json: names a module `sentence_transformers.models.CNN` in `2_CNN`; ",
        ),
        (
            refusal(PLAIN, listed(json!(["2_Dense", "custom.Dense"]))),
            "modules.json: names a module `custom.Dense` in `2_Dense`; ",
        ),
        (
            refusal(
                PLAIN,
                listed(json!(["../2_Dense", "sentence_transformers.models.Dense"])),
            ),
            "modules.json: names `../2_Dense`, which is not a folder within this one",
        ),
        (
            refusal(
                PLAIN,
                listed(json!(["2.5_Dense", "sentence_transformers.models.Dense"])),
            ),
            "modules.json: names `2.5_Dense`, which has a dot: ",
        ),
        (
            refusal(
                PLAIN,
                listed(json!(["2_Pooling", "sentence_transformers.models.Pooling"])),
            ),
            "modules.json: has a second Transformer or Pooling",
        ),
        (
            refusal(PLAIN, transformer("0_Transformer")),
            "modules.json: has its Transformer in `0_Transformer`: save the model again",
        ),
        (
            refusal(
                PLAIN,
                put(
                    "modules.json",
                    json!([{"path": "", "type": "sentence_transformers.models.Transformer"}]),
                ),
            ),
            "modules.json: does not begin with a Transformer and its Pooling",
        ),
        (
            refusal(
                "a dense layer",
                change(
                    "2_Dense/config.json",
                    "activation_function",
                    json!("torch.nn.modules.activation.Mish"),
                ),
            ),
            "2_Dense/config.json: activation_function `torch.nn.modules.activation.Mish` is not one of",
        ),
        (
            refusal("a dense layer", change("2_Dense/config.json", "in_features", json!(17))),
            "2_Dense/config.json: in_features is 17, and vectors come with 16 numbers",
        ),
        (
            refusal(
                "a dense layer",
                change("2_Dense/config.json", "module_input_name", json!("token_embeddings")),
            ),
            "2_Dense/config.json: is a module of `token_embeddings`",
        ),
        (
            refusal("a dense layer", |files| drop(files.remove("2_Dense/model.safetensors"))),
            "2_Dense/model.safetensors: there is no such file",
        ),
        (
            refusal("a dense layer", |files| {
                let weights = files.remove("2_Dense/model.safetensors").unwrap();
                files.insert("2_Dense/pytorch_model.bin".into(), weights);
            }),
            "there is no such file; the folder has a pytorch_model.bin: `fmicl convert 2_Dense/pytorch_model.bin --out \
             2_Dense/model.safetensors` makes it of that",
        ),
        (
            refusal(
                "unit length",
                put(
                    "2_Normalize/config.json",
                    json!({"module_input_name": "token_embeddings"}),
                ),
            ),
            "2_Normalize/config.json: is a module of `token_embeddings`",
        ),
        (
            refusal(
                PLAIN,
                put("sentence_bert_config.json", json!({"max_seq_length": 9, "surprise": 1})),
            ),
            "sentence_bert_config.json: cannot be used: unknown field `surprise`",
        ),
        (
            refusal(
                PLAIN,
                put("sentence_bert_config.json", json!({"transformer_task": "fill-mask"})),
            ),
            "sentence_bert_config.json: transformer_task is `fill-mask`",
        ),
        (
            refusal(
                PLAIN,
                put(
                    "sentence_bert_config.json",
                    json!({"tokenizer_args": {"do_lower_case": true}}),
                ),
            ),
            "sentence_bert_config.json: processor_kwargs has `do_lower_case`",
        ),
        (
            refusal(
                PLAIN,
                put(
                    "sentence_bert_config.json",
                    json!({"processing_kwargs": {"text": {"max_length": 4}}}),
                ),
            ),
            "sentence_bert_config.json: processing_kwargs has `text`",
        ),
        (
            refusal(
                PLAIN,
                put(
                    "config_sentence_transformers.json",
                    json!({"model_type": "SparseEncoder"}),
                ),
            ),
            "config_sentence_transformers.json: model_type is `SparseEncoder`",
        ),
        (
            refusal(
                PLAIN,
                put(
                    "config_sentence_transformers.json",
                    json!({"default_prompt_name": "none"}),
                ),
            ),
            "config_sentence_transformers.json: default_prompt_name is `none`, which `prompts` does not have as a string",
        ),
        (
            refusal(
                "a default prompt",
                change("1_Pooling/config.json", "include_prompt", json!(false)),
            ),
            "1_Pooling/config.json: include_prompt is false",
        ),
        (
            refusal(PLAIN, change("tokenizer_config.json", "padding_side", json!("left"))),
            "tokenizer_config.json: padding_side is not `right`",
        ),
        (
            refusal(
                PLAIN,
                change(
                    "tokenizer_config.json",
                    "tokenizer_class",
                    json!("BertJapaneseTokenizer"),
                ),
            ),
            "tokenizer_config.json: tokenizer_class `BertJapaneseTokenizer` is none of BertTokenizer, DistilBertTokenizer, \
             ElectraTokenizer, ",
        ),
        (
            refusal(
                PLAIN,
                change("tokenizer_config.json", "tokenizer_class", json!("RobertaTokenizer")),
            ),
            "tokenizer_config.json: its class is one of BPE, and tokenizer.json is of WordPiece",
        ),
        (
            refusal(PLAIN, change("tokenizer_config.json", "add_eos_token", json!(true))),
            "tokenizer_config.json: add_eos_token puts other marks",
        ),
        (
            refusal(PLAIN, |files| drop(files.remove("tokenizer_config.json"))),
            "tokenizer_config.json: there is no such file, and without it transformers lowers letters",
        ),
        (
            refusal(PLAIN, change("config.json", "model_type", json!("electra"))),
            "config.json: model_type `electra` is not one of bert, roberta, xlm-roberta, camembert, distilbert, mpnet",
        ),
        (
            refusal(PLAIN, change("config.json", "hidden_act", json!("quick_gelu"))),
            "config.json: hidden_act `quick_gelu` is not one of gelu, gelu_python, gelu_new, gelu_pytorch_tanh, gelu_fast, relu, \
             silu, swish",
        ),
        (
            refusal(PLAIN, change("config.json", "is_decoder", json!(true))),
            "config.json: is_decoder is true",
        ),
        (
            refusal(
                PLAIN,
                change("config.json", "position_embedding_type", json!("relative_key")),
            ),
            "config.json: position_embedding_type `relative_key`",
        ),
        (
            refusal(PLAIN, change("config.json", "quantization_config", json!({"bits": 4}))),
            "config.json: has quantization_config",
        ),
        (
            refusal(PLAIN, change("config.json", "adapters", json!({"a": 4}))),
            "config.json: has adapters",
        ),
        (
            refusal(PLAIN, put("adapter_config.json", json!({}))),
            "adapter_config.json: is an adapter",
        ),
        (
            refusal(PLAIN, put("model.safetensors", json!(1))),
            "model.safetensors: is not safetensors",
        ),
    ] {
        assert!(found.contains(expected), "{expected}\nis not in\n{found}");
    }
}

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
