//! Folders of Hugging Face: shape, weights, tokenizer.

use crate::Target;
use crate::folder::Folder;
use fmicl_core::tch::{self, Device, nn::VarStore};
use fmicl_core::{Backbone, Error, Part, Pretrained, Result, Stop, Views, registry, toml};
use std::path::Path;

/// Files of fmicl-text's own tests, and sentence-transformers' own.
const FILES: [(&str, &[u8]); 9] = [
    (
        "config.json",
        include_bytes!("../../../plugins/fmicl-text/golden/bert/config.json"),
    ),
    (
        "model.safetensors",
        include_bytes!("../../../plugins/fmicl-text/golden/bert/model.safetensors"),
    ),
    (
        "1_Pooling/config.json",
        br#"{"pooling_mode_cls_token": false, "pooling_mode_mean_tokens": true}"#,
    ),
    ("sentence_bert_config.json", br#"{"max_seq_length": 8}"#),
    (
        "config_sentence_transformers.json",
        br#"{"prompts": {"query": "a: "}, "default_prompt_name": "query"}"#,
    ),
    (
        "tokenizer_config.json",
        br#"{"tokenizer_class": "BertTokenizer", "model_max_length": 9, "cls_token": {"content": "[CLS]"}}"#,
    ),
    (
        "modules.json",
        br#"[{"path": "", "type": "sentence_transformers.models.Transformer"},
            {"path": "1_Pooling", "type": "sentence_transformers.models.Pooling"},
            {"path": "2_Dense", "type": "sentence_transformers.models.Dense"}]"#,
    ),
    ("2_Dense/config.json", br#"{"in_features": 16, "out_features": 5}"#),
    (
        "2_Dense/model.safetensors",
        include_bytes!("../../../plugins/fmicl-text/golden/folders/dense.safetensors"),
    ),
];

/// A folder embeds sentences, or is refused in a line.
pub(super) fn hugging_face() -> Target {
    let folder = Folder::new(|folder| {
        for (name, bytes) in FILES {
            let path = folder.join(name);
            let parent = path.parent().unwrap_or(folder);
            let written = std::fs::create_dir_all(parent).and_then(|()| std::fs::write(&path, bytes));
            written.unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        }
        let text = Part::<dyn Views>::new("text", toml::Table::new());
        text.and_then(|text| text.example(folder))
            .unwrap_or_else(|error| panic!("{error}"));
    });
    Target::new("hugging-face", folder.seeds(), move |input| {
        folder.with(input, || {
            if let Err(error) = embed(folder.path()) {
                let error = error.to_string();
                assert!(!error.is_empty() && !error.contains('\n'), "{error}");
            }
        });
    })
}

fn embed(folder: &Path) -> Result<()> {
    for layout in registry::list::<dyn Pretrained>() {
        let layout = Part::<dyn Pretrained>::new(layout.name, toml::Table::new())?;
        let Some(parts) = layout.parts(folder)? else {
            continue;
        };
        let views = Part::<dyn Views>::from_value(parts.views.into())?;
        let backbone = Part::<dyn Backbone>::from_value(parts.backbone.into())?;
        let store = VarStore::new(Device::Cpu);
        let encoder = backbone.build_for(&store.root(), views.input()?)?;
        let lines = ["A cat.", "", "\u{0}a b c d e f g h i j k", "漢字 é 🦀 ff"];
        let samples = views.lines(lines.map(String::from).to_vec())?;
        let view = views.evaluation(&*samples, &[0, 1, 2, 3], &Stop::default())?;
        let size = tch::no_grad(|| encoder.forward(&view, false).size());
        if size != [4, encoder.width()] {
            return Err(Error::Run(format!("features of shape {size:?}")));
        }
    }
    Ok(())
}
