//! Folders that are refused.

use super::*;

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
