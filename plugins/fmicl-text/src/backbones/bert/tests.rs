use super::*;
use fmicl_core::tch::nn::VarStore;
use fmicl_core::tch::{Device, Kind, Tensor, no_grad};
use fmicl_core::testing::check_backbone;
use fmicl_core::{Autocast, View};
use std::collections::HashMap;

fn folder(name: &str) -> PathBuf {
    PathBuf::from(format!("{}/golden/{name}", env!("CARGO_MANIFEST_DIR")))
}

fn tensors(name: &str, file: &str) -> HashMap<String, Tensor> {
    let read = Tensor::read_safetensors(folder(name).join(file)).expect("the golden file is there");
    read.into_iter().collect()
}

fn far(a: &Tensor, b: &Tensor) -> f64 {
    assert_eq!(a.size(), b.size());
    (a - b).abs().max().double_value(&[])
}

/// Features and all gradients beside those of transformers; dropout is off, so that training mode, in which the pooler
/// takes part, has the same arithmetic.
fn is_that_of_transformers(name: &str, pooling: Pooling, key: &str, train: bool) {
    let golden = tensors(name, "golden.safetensors");
    let part = Bert {
        folder: Some(folder(name)),
        pooling: pooling.into(),
        dropout: Some(0.0),
        attention_dropout: Some(0.0),
        ..Default::default()
    };
    let store = VarStore::new(Device::Cpu);
    let longest = golden["ids"].size()[1];
    let input = Input::Tokens {
        vocabulary: 60,
        longest,
    };
    let encoder = part.build_for(&store.root(), input).expect("the folder is whole");
    let weights = tensors(name, "model.safetensors");
    for (name, mut variable) in store.variables() {
        // SimCSE's layer is drawn anew; here it is to be BERT's own.
        if name.starts_with("pooler") {
            no_grad(|| variable.copy_(&weights[&name]));
        }
        assert!(variable.equal(&weights[&name]), "{name}");
    }
    let view = View {
        input: golden["ids"].shallow_clone(),
        mask: Some(golden["mask"].shallow_clone()),
    };
    if !train {
        let off = far(&no_grad(|| encoder.forward(&view, false)), &golden[key]);
        assert!(off < 1e-5, "{name} {key}: off by {off:e} without gradient");
    }
    let features = encoder.forward(&view, train);
    let off = far(&features, &golden[key]);
    assert!(off < 1e-5, "{name} {key}: off by {off:e}");
    (features * &golden[&format!("{key} weights")])
        .sum(Kind::Float)
        .backward();
    let mut compared = 0;
    for (variable, tensor) in store.variables() {
        let expected = golden.get(&format!("{key} grad {variable}"));
        assert_eq!(tensor.grad().defined(), expected.is_some(), "{name} {key}: {variable}");
        if let Some(expected) = expected {
            let off = far(&tensor.grad(), expected) / expected.abs().max().double_value(&[]).max(1.0);
            assert!(off < 1e-5, "{name} {key}: the gradient of {variable} is off by {off:e}");
            compared += 1;
        }
    }
    assert!(compared > 30, "{compared} gradients");
}

#[test]
fn features_and_gradients_are_those_of_transformers() {
    for name in ["bert", "roberta"] {
        is_that_of_transformers(name, Pooling::ClsBeforePooler, "cls", false);
        is_that_of_transformers(name, Pooling::Mean, "mean", false);
        is_that_of_transformers(name, Pooling::Cls, "pooled", true);
        is_that_of_transformers(name, Pooling::PoolerOutput, "pooled", false);
        is_that_of_transformers(name, Pooling::Cls, "cls", false);
    }
}

pub(super) fn small(pooling: Pooling, kind: Family) -> Bert {
    Bert {
        pooling: pooling.into(),
        kind: Some(kind),
        hidden: Some(16),
        layers: Some(2),
        heads: Some(2),
        positions: Some(20),
        ..Default::default()
    }
}

#[test]
fn keeps_the_laws_of_a_backbone() {
    let ids = Tensor::arange_start(3, 3 + 5 * 7, (Kind::Int64, Device::Cpu)).view([5, 7]);
    let lengths = Tensor::from_slice(&[7i64, 2, 4, 7, 3]).view([5, 1]);
    let mask = Tensor::arange(7, (Kind::Int64, Device::Cpu)).lt_tensor(&lengths);
    for pooling in [
        Pooling::Cls,
        Pooling::ClsBeforePooler,
        Pooling::PoolerOutput,
        Pooling::Mean,
        Pooling::MeanSqrtLen,
        Pooling::WeightedMean,
        Pooling::Max,
        Pooling::Last,
    ] {
        for kind in [Family::Bert, Family::Roberta, Family::Distilbert, Family::Mpnet] {
            let view = View {
                input: ids.where_self(&mask, &Tensor::from(small(pooling, kind).shape(1).padding)),
                mask: Some(mask.shallow_clone()),
            };
            check_backbone(&small(pooling, kind), &view);
            check_backbone(&small(pooling, kind), &View::from(ids.shallow_clone()));
        }
    }
}

#[test]
fn autocast_changes_little_and_hides_padding() {
    let longest = 9;
    let ids = Tensor::arange_start(3, 3 + 4 * longest, (Kind::Int64, Device::Cpu)).view([4, longest]);
    let lengths = Tensor::from_slice(&[9i64, 2, 5, 1]).view([4, 1]);
    let mask = Tensor::arange(longest, (Kind::Int64, Device::Cpu)).lt_tensor(&lengths);
    // A sentence of which nothing counts has no numbers of its own, but spoils no other's, and is none that is not one.
    let _ = mask.get(3).fill_(0);
    let part = Bert {
        dropout: Some(0.0),
        attention_dropout: Some(0.0),
        ..small(Pooling::ClsBeforePooler, Family::Bert)
    };
    let input = Input::Tokens {
        vocabulary: 60,
        longest,
    };
    let store = VarStore::new(Device::Cpu);
    let encoder = part.build_for(&store.root(), input).expect("it is small");
    let view = View {
        input: ids,
        mask: Some(mask),
    };
    for train in [false, true] {
        let exact = encoder.forward(&view, train);
        let cast = {
            let _autocast = Autocast::bfloat16(Device::Cpu);
            encoder.forward(&view, train).to_kind(Kind::Float)
        };
        let off = far(&exact, &cast);
        assert!(off < 0.05, "train = {train}: off by {off:e}");
    }
}

#[test]
fn what_does_not_fit_is_one_clear_line() {
    let build = |part: &Bert, vocabulary, longest| {
        let input = Input::Tokens { vocabulary, longest };
        let built = part.build_for(&VarStore::new(Device::Cpu).root(), input);
        built.err().map(|error| error.to_string()).unwrap_or_default()
    };
    let golden = Bert {
        folder: Some(folder("roberta")),
        ..Default::default()
    };
    assert_eq!(build(&golden, 60, 12), "");
    assert!(build(&golden, 61, 12).contains("the tokenizer has 61 ids, and the table of words 60 rows"));
    assert!(build(&golden, 60, 13).contains("up to 13 tokens long, and there are places for 12"));

    let copy = tempfile::tempdir().unwrap();
    let part = Bert {
        folder: Some(copy.path().into()),
        ..Default::default()
    };
    let config = std::fs::read_to_string(folder("roberta").join("config.json")).unwrap();
    std::fs::write(copy.path().join("config.json"), &config).unwrap();
    assert!(build(&part, 60, 12).contains("model.safetensors: there is no such file"));
    let expect = |change: &dyn Fn(&mut HashMap<String, Tensor>), message: &str| {
        let mut weights = tensors("roberta", "model.safetensors");
        change(&mut weights);
        let weights: Vec<_> = weights.into_iter().collect();
        Tensor::write_safetensors(&weights, copy.path().join("model.safetensors")).unwrap();
        let error = build(&part, 60, 12);
        assert!(
            error.contains(message) && error.is_empty() == message.is_empty(),
            "{error}"
        );
    };
    let bias = "encoder.layer.1.output.dense.bias";
    expect(
        &|weights| drop(weights.remove(bias)),
        "has no encoder.layer.1.output.dense.bias",
    );
    expect(
        &|weights| drop(weights.insert(bias.into(), Tensor::zeros([15], (Kind::Float, Device::Cpu)))),
        "encoder.layer.1.output.dense.bias is [15], but by config.json it should be [16]",
    );
    expect(
        &|weights| drop(weights.insert("more".into(), Tensor::zeros([3], (Kind::Float, Device::Cpu)))),
        "has more, which a model of the shape in config.json does not have",
    );
    // As files of other versions and of models with heads have it.
    expect(
        &|weights| {
            let old = |name: String| {
                name.replace("LayerNorm.weight", "LayerNorm.gamma")
                    .replace("LayerNorm.bias", "LayerNorm.beta")
            };
            let renamed = weights
                .drain()
                .map(|(name, tensor)| (format!("roberta.{}", old(name)), tensor.to_kind(Kind::Half)));
            *weights = renamed.collect();
            let ids = Tensor::arange(14, (Kind::Int64, Device::Cpu));
            weights.insert("roberta.embeddings.position_ids".into(), ids);
            weights.insert("lm_head.bias".into(), Tensor::zeros([3], (Kind::Float, Device::Cpu)));
        },
        "",
    );
    std::fs::write(
        copy.path().join("config.json"),
        config.replace("\"roberta\"", "\"gpt2\""),
    )
    .unwrap();
    assert!(build(&part, 60, 12).contains("model_type `gpt2` is not one of bert, roberta"));
}

#[test]
fn a_folder_leaves_no_say_to_the_options_of_the_shape() {
    let part = Bert {
        folder: Some(folder("bert")),
        layers: Some(3),
        ..Default::default()
    };
    assert!(
        part.validate()
            .unwrap_err()
            .to_string()
            .starts_with("layers: is given by config.json")
    );
}

#[test]
fn weights_say_the_pooling_and_the_modules_that_they_were_trained_under() {
    let part = Bert {
        pooling: Pooling::Max.into(),
        ..Default::default()
    };
    let untold = part.untold().expect("no file is read");
    assert_eq!(untold["pooling"].as_str(), Some("max"));
    assert_eq!(untold["modules"].as_array().map(Vec::len), Some(0));
    assert!(!untold.contains_key("hidden"), "{untold}");
}
