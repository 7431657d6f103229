//! BERT, Devlin et al., "BERT: Pre-training of Deep Bidirectional Transformers", NAACL 2019, arXiv 1810.04805, and
//! RoBERTa, Liu et al., arXiv 1907.11692, which differs in how it counts places (XLM-RoBERTa and CamemBERT are the same), and
//! DistilBERT, Sanh et al., arXiv 1910.01108, which has no token types, and MPNet, Song et al., NeurIPS 2020, arXiv 2004.09297,
//! which adds to the scores of two tokens by how far apart they are.
//!
//! Names, arithmetic and initialisation are those of transformers' `BertModel`, `RobertaModel`, `DistilBertModel` and
//! `MPNetModel`, so that weights go both ways. Sentences stand alone: the second token type, for pairs, is never used.

mod attention;
mod batch;
mod config;
mod dropout;
mod embeddings;
mod layer;
mod linear;
mod mixing;
mod modules;
mod net;
mod pooling;
mod relative;
mod shape;
mod source;
mod variable;
mod weights;

pub use pooling::{Pooling, Poolings};
pub use shape::{Activation, Family};

use crate::modules::Kind;
use embeddings::Embeddings;
use fmicl_core::tch::nn::Path;
use fmicl_core::{
    Backbone, Documented, Encoder, Error, Input, Modality, Reads, Result, register, registry, require, toml,
};
use layer::Layer;
use modules::Module;
use net::Net;
use pooling::Pooler;
use relative::Relative;
use serde::{Deserialize, Serialize};
pub(crate) use shape::Shape;
use source::Source;
use std::path::PathBuf;
use weights::Weights;

/// A BERT, RoBERTa, DistilBERT or MPNet, with the weights of a Hugging Face folder or from scratch.
///
/// With `folder` its `config.json` gives the shape, and the options of the shape must be absent. From scratch the default
/// is BERT-mini of Turc et al. (arXiv 1908.08962): 4 layers, 256 wide. BERT-base is `hidden = 768, layers = 12, heads = 12`.
#[derive(Debug, Documented, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Bert {
    /// Folder with `config.json` and `model.safetensors`, relative to the working directory.
    pub folder: Option<PathBuf>,
    /// Pooling of tokens to one vector: `cls`, `cls-before-pooler`, `pooler-output`, `mean`, `mean-sqrt-len`,
    /// `weighted-mean`, `max` or `last`; several, joined by `+`, are concatenated.
    pub pooling: Poolings,
    /// Layers after the pooling, by their names in sentence-transformers' `modules.json` in `folder`, such as
    /// `2_Dense`. Required (`[]` for none) if the folder has layers that change more than a vector's length.
    pub modules: Option<Vec<String>>,
    /// Dropout probability after the embeddings and in each residual branch, in [0, 1). Absent by default: the
    /// folder's, or 0.1.
    pub dropout: Option<f64>,
    /// Dropout probability of the attention weights; as `dropout`.
    pub attention_dropout: Option<f64>,
    /// Model family: `bert`, `roberta`, `distilbert` or `mpnet`. Absent by default: `bert`.
    pub kind: Option<Family>,
    /// Number of word embeddings. Absent by default: the size of the tokenizer's vocabulary.
    pub vocabulary: Option<i64>,
    /// Width of a token, a multiple of `heads`. Absent by default: 256.
    pub hidden: Option<i64>,
    /// Number of layers. Absent by default: 4.
    pub layers: Option<i64>,
    /// Number of attention heads. Absent by default: one for each 64 of `hidden`.
    pub heads: Option<i64>,
    /// Hidden units of a layer's MLP. Absent by default: four times `hidden`.
    pub intermediate: Option<i64>,
    /// Number of position embeddings. Absent by default: 512, and 514 for `roberta` and `mpnet`.
    pub positions: Option<i64>,
    /// Number of token type embeddings, of which the first is used. Absent by default: 2, 1 for `roberta`, and none for
    /// `distilbert` and `mpnet`.
    pub type_vocabulary: Option<i64>,
    /// Activation: `gelu`, `gelu_new`, `relu` or `silu`. Absent by default: `gelu`.
    pub activation: Option<Activation>,
    /// Epsilon of the layer norms. Absent by default: 1e-12, and 1e-5 for `roberta` and `mpnet`.
    pub layer_norm_eps: Option<f64>,
}

register!(
    Backbone,
    "bert",
    Bert,
    "BERT, MiniLM, RoBERTa, DistilBERT or MPNet with Hugging Face's names, from a folder of weights or from scratch"
);

/// Default number of word embeddings, if the backbone is built without views.
const VOCABULARY: i64 = 30_522;

impl Bert {
    /// The options that a folder makes superfluous, as far as they are given.
    fn given(&self) -> Option<&'static str> {
        [
            ("kind", self.kind.is_some()),
            ("vocabulary", self.vocabulary.is_some()),
            ("hidden", self.hidden.is_some()),
            ("layers", self.layers.is_some()),
            ("heads", self.heads.is_some()),
            ("intermediate", self.intermediate.is_some()),
            ("positions", self.positions.is_some()),
            ("type_vocabulary", self.type_vocabulary.is_some()),
            ("activation", self.activation.is_some()),
            ("layer_norm_eps", self.layer_norm_eps.is_some()),
        ]
        .into_iter()
        .find_map(|(key, given)| given.then_some(key))
    }

    /// The shape from scratch, with `vocabulary` where the option is absent.
    fn shape(&self, vocabulary: i64) -> Shape {
        let family = self.kind.unwrap_or_default();
        let (positions, types, eps) = match family {
            Family::Bert => (512, 2, 1e-12),
            Family::Roberta => (514, 1, 1e-5),
            Family::Distilbert => (512, 0, 1e-12),
            Family::Mpnet => (514, 0, 1e-5),
        };
        let hidden = self.hidden.unwrap_or(256);
        Shape {
            family,
            vocabulary: self.vocabulary.unwrap_or(vocabulary),
            hidden,
            layers: self.layers.unwrap_or(4),
            heads: self.heads.unwrap_or((hidden / 64).max(1)),
            intermediate: self.intermediate.unwrap_or(hidden.saturating_mul(4)),
            positions: self.positions.unwrap_or(positions),
            type_vocabulary: self.type_vocabulary.unwrap_or(types),
            padding: family.padding(),
            activation: self.activation.unwrap_or_default(),
            layer_norm_eps: self.layer_norm_eps.unwrap_or(eps),
            dropout: self.dropout.unwrap_or(0.1),
            attention_dropout: self.attention_dropout.unwrap_or(0.1),
        }
    }

    /// The shape for ids below `vocabulary`, and the folder's weights.
    fn open(&self, vocabulary: i64) -> Result<(Shape, Option<Weights>)> {
        let Some(folder) = &self.folder else {
            return Ok((self.shape(vocabulary), None));
        };
        let unreadable = |error: Error| error.named_in_config().at("folder");
        let mut shape = Shape::of_folder(folder).map_err(unreadable)?;
        self.require_modules().map_err(unreadable)?;
        shape.dropout = self.dropout.unwrap_or(shape.dropout);
        shape.attention_dropout = self.attention_dropout.unwrap_or(shape.attention_dropout);
        Ok((shape, Some(Weights::of_folder(folder).map_err(unreadable)?)))
    }

    fn create(&self, path: &Path, shape: &Shape, weights: Option<Weights>) -> Result<Box<dyn Encoder>> {
        let build = || {
            let source = Source::new(path, weights.as_ref());
            let layers = source.at(shape.family.names().layers);
            let layers = (0..shape.layers).map(|index| Layer::new(&layers.at(index), shape));
            let embeddings = Embeddings::new(&source.at("embeddings"), shape)?;
            let layers = layers.collect::<Result<_>>()?;
            let relative = Relative::of(&source, shape)?;
            let pooler = Pooler::new(&source, &self.pooling, shape.hidden)?;
            let (modules, width) = self.modules(path, self.pooling.count() * shape.hidden)?;
            Ok(Net {
                embeddings,
                relative,
                layers,
                pooler,
                modules,
                width,
            })
        };
        let unreadable = |error: Error| error.named_in_config().at("folder");
        let net = build().map_err(unreadable)?;
        weights.map_or(Ok(()), |weights| weights.finish()).map_err(unreadable)?;
        Ok(Box::new(net))
    }

    /// The layers behind the pooling, and how many numbers they make of `width`.
    fn modules(&self, path: &Path, mut width: i64) -> Result<(Vec<Module>, i64)> {
        let mut modules = Vec::new();
        for name in self.modules.iter().flatten() {
            let folder = self.folder.as_deref().unwrap_or(std::path::Path::new(""));
            let module = Module::of_folder(path, folder, name, width)?;
            width = module.width(width);
            modules.push(module);
        }
        Ok((modules, width))
    }

    /// Checks that the option `modules` is given if the folder has layers after its pooling.
    fn require_modules(&self) -> Result<()> {
        let (Some(folder), None) = (&self.folder, &self.modules) else {
            return Ok(());
        };
        let listed = crate::modules::list(folder)?.unwrap_or_default();
        let named = |module: &crate::modules::Module| format!("\"{}\"", module.path);
        let behind = listed.iter().skip(2);
        // The direction stays that without these.
        let is_plain = |module: &crate::modules::Module| matches!(module.kind, Kind::Normalize | Kind::Dropout);
        require(behind.clone().all(is_plain), "modules", || {
            let names: Vec<_> = behind.map(named).collect();
            format!(
                "is missing: {} has layers after its pooling; modules = [{}] takes them, modules = [] leaves them out",
                folder.display(),
                names.join(", ")
            )
        })
    }
}

impl Backbone for Bert {
    fn validate(&self) -> Result<()> {
        if let (Some(_), Some(key)) = (&self.folder, self.given()) {
            let message = "is given by config.json of `folder`; leave one of the two out";
            return Err(Error::config(message).at(key));
        }
        let needs_folder = self.modules.as_ref().is_some_and(|modules| !modules.is_empty());
        require(self.folder.is_some() || !needs_folder, "modules", || {
            "are layers of a `folder`, and `folder` is not set".into()
        })?;
        self.shape(VOCABULARY).validate()
    }

    fn reads(&self) -> Vec<Reads> {
        let reads = |folder: &PathBuf| Reads {
            option: "folder".into(),
            path: folder.clone(),
            files: {
                let weights = fmicl_core::weights::files(&folder.join(weights::FILE));
                let weights = weights.iter().filter_map(|file| file.strip_prefix(folder).ok());
                let modules = modules::files(folder, self.modules.as_deref().unwrap_or_default());
                let own = std::iter::once(PathBuf::from(config::FILE)).chain(weights.map(PathBuf::from));
                own.chain(modules).collect()
            },
        };
        self.folder.iter().map(reads).collect()
    }

    fn modality(&self) -> Modality {
        Modality::Texts
    }

    fn is_pretrained(&self) -> bool {
        self.folder.is_some()
    }

    fn untold(&self) -> Result<toml::Table> {
        let shape = match &self.folder {
            Some(folder) => Shape::of_folder(folder).map_err(|error| error.named_in_config().at("folder"))?,
            None => self.shape(VOCABULARY),
        };
        // Under the names of the options; those that are absent are left out.
        registry::write_options(&Bert {
            pooling: self.pooling.clone(),
            // Absent is as good as none: a folder with such that count would have been refused.
            modules: Some(self.modules.clone().unwrap_or_default()),
            kind: Some(shape.family),
            heads: Some(shape.heads),
            activation: Some(shape.activation),
            layer_norm_eps: Some(shape.layer_norm_eps),
            ..Bert::default()
        })
    }

    fn build(&self, path: &Path) -> Result<Box<dyn Encoder>> {
        let (shape, weights) = self.open(VOCABULARY)?;
        self.create(path, &shape, weights)
    }

    fn build_for(&self, path: &Path, input: Input) -> Result<Box<dyn Encoder>> {
        let Input::Tokens { vocabulary, longest } = input else {
            return Err(Error::config(format!("reads texts, but is given {input}")));
        };
        let (shape, weights) = self.open(vocabulary)?;
        let whose = if self.folder.is_some() { "folder" } else { "vocabulary" };
        require(vocabulary <= shape.vocabulary, whose, || {
            format!(
                "the tokenizer has {vocabulary} ids, and the table of words {} rows: use the tokenizer of these weights",
                shape.vocabulary
            )
        })?;
        let whose = if self.folder.is_some() { "folder" } else { "positions" };
        require(longest <= shape.longest(), whose, || {
            format!(
                "views are up to {longest} tokens long, and there are places for {}: lower views.max_length",
                shape.longest()
            )
        })?;
        self.create(path, &shape, weights)
    }
}

#[cfg(test)]
mod tests;
