//! Modules after the pooling in a folder of sentence-transformers: layers on the sentence's vector.

use super::dropout::Dropout;
use super::linear::{LayerNorm, Linear};
use super::source::Source;
use super::variable::Variable;
use super::weights::Weights;
use crate::json;
use crate::modules::{self, Kind};
use fmicl_core::tch::Tensor;
use fmicl_core::tch::nn::{Init, Path};
use fmicl_core::{Error, Result, row_norms};
use serde::Deserialize;
use std::path::PathBuf;

/// PyTorch's default.
const EPS: f64 = 1e-5;

/// A layer of vectors `[N, width]`.
#[derive(Debug, Clone)]
pub(super) enum Module {
    /// A linear layer with an activation, and perhaps a residual: the input itself, or a layer of it without bias.
    Dense {
        weight: Variable,
        bias: Option<Variable>,
        activation: Activation,
        residual: Residual,
    },
    LayerNorm(LayerNorm),
    Dropout(Dropout),
    /// To length 1; zeros stay.
    Normalize,
}

#[derive(Debug, Clone)]
pub(super) enum Residual {
    None,
    Input,
    Projected(Variable),
}

/// A class of PyTorch without options.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Activation {
    Identity,
    Tanh,
    Relu,
    Gelu,
    Sigmoid,
    Silu,
}

/// `config.json` of a dense layer.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct DenseConfig {
    in_features: i64,
    out_features: i64,
    #[serde(default = "yes")]
    bias: bool,
    #[serde(default = "tanh")]
    activation_function: String,
    module_input_name: Option<String>,
    module_output_name: Option<String>,
    #[serde(default)]
    use_residual: bool,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct LayerNormConfig {
    dimension: i64,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct DropoutConfig {
    dropout: f64,
}

/// Keys of the vectors that a module reads and writes.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct NormalizeConfig {
    module_input_name: Option<String>,
    module_output_name: Option<String>,
}

fn yes() -> bool {
    true
}

fn tanh() -> String {
    "torch.nn.modules.activation.Tanh".into()
}

impl Module {
    /// The module in `folder`/`name`, of vectors of `width` numbers, with its variables below `path`.
    ///
    /// # Errors
    /// [`Error::Data`] or [`Error::Io`] if a file is missing or damaged, or belongs to another module than
    /// `modules.json` says.
    pub fn of_folder(path: &Path, folder: &std::path::Path, name: &str, width: i64) -> Result<Self> {
        let kind = modules::kind_of(folder, name)?;
        let at = folder.join(name);
        let config = at.join("config.json");
        let fault = |message: String| Err(Error::data(&config, message));
        let path = &(path / name);
        Ok(match kind {
            Kind::Dense => {
                let dense: DenseConfig = json::need(&config)?;
                fits(&config, "in_features", dense.in_features, width)?;
                let names = [&dense.module_input_name, &dense.module_output_name];
                is_of_sentences(&config, names)?;
                if !(1..=1 << 20).contains(&dense.out_features) {
                    return fault(format!("out_features is {}, not from 1 to 1048576", dense.out_features));
                }
                let Some(activation) = Activation::named(&dense.activation_function) else {
                    return fault(format!(
                        "activation_function `{}` is not one of torch.nn's {}",
                        dense.activation_function,
                        Activation::ALL.map(|(name, _)| name).join(", ")
                    ));
                };
                Module::dense(path, &Weights::of_folder(&at)?, &dense, activation)?
            }
            Kind::LayerNorm => {
                let norm: LayerNormConfig = json::need(&config)?;
                fits(&config, "dimension", norm.dimension, width)?;
                let weights = Weights::of_folder(&at)?;
                let norm = LayerNorm::new(&Source::new(path, Some(&weights)).at("norm"), width, EPS)?;
                weights.finish()?;
                Module::LayerNorm(norm)
            }
            Kind::Dropout => {
                let dropout: DropoutConfig = json::need(&config)?;
                if !(0.0..1.0).contains(&dropout.dropout) {
                    return fault(format!("dropout is {}, not from 0 to below 1", dropout.dropout));
                }
                Module::Dropout(Dropout(dropout.dropout))
            }
            Kind::Normalize => {
                let normalize: NormalizeConfig = json::read(&config)?.unwrap_or_default();
                is_of_sentences(&config, [&normalize.module_input_name, &normalize.module_output_name])?;
                Module::Normalize
            }
            Kind::Transformer | Kind::Pooling => {
                return fault("does not belong to a layer after the pooling".into());
            }
        })
    }

    fn dense(path: &Path, weights: &Weights, dense: &DenseConfig, activation: Activation) -> Result<Self> {
        let source = Source::new(path, Some(weights));
        let (width, out) = (dense.in_features, dense.out_features);
        let linear = source.at("linear");
        let (weight, bias) = match dense.bias {
            true => {
                let Linear { weight, bias } = Linear::new(&linear, width, out)?;
                (weight, Some(bias))
            }
            false => (linear.var("weight", &[out, width], Init::Const(0.0))?, None),
        };
        let residual = match dense.use_residual {
            false => Residual::None,
            true if width == out => Residual::Input,
            true => Residual::Projected(source.at("residual").var("weight", &[out, width], Init::Const(0.0))?),
        };
        weights.finish()?;
        Ok(Module::Dense {
            weight,
            bias,
            activation,
            residual,
        })
    }

    /// The numbers of a vector behind the module, of `width` before it.
    pub fn width(&self, width: i64) -> i64 {
        match self {
            Module::Dense { weight, .. } => weight.size()[0],
            _ => width,
        }
    }

    /// Vectors `[N, width]` to such of the module's width.
    pub fn forward(&self, x: &Tensor, train: bool) -> Tensor {
        match self {
            Module::Dense {
                weight,
                bias,
                activation,
                residual,
            } => {
                let out = activation.of(&fmicl_core::linear(x, weight, bias.as_deref()));
                match residual {
                    Residual::None => out,
                    Residual::Input => out + x,
                    Residual::Projected(weight) => out + fmicl_core::linear(x, weight, None),
                }
            }
            Module::LayerNorm(norm) => norm.forward(x),
            Module::Dropout(dropout) => dropout.forward(x, train),
            Module::Normalize => x / row_norms(x),
        }
    }
}

impl Activation {
    const ALL: [(&'static str, Activation); 6] = [
        ("Identity", Activation::Identity),
        ("Tanh", Activation::Tanh),
        ("ReLU", Activation::Relu),
        ("GELU", Activation::Gelu),
        ("Sigmoid", Activation::Sigmoid),
        ("SiLU", Activation::Silu),
    ];

    /// By the name that PyTorch has for it, such as `torch.nn.modules.activation.Tanh`.
    fn named(path: &str) -> Option<Self> {
        let name = path.strip_prefix("torch.nn.")?.rsplit('.').next()?;
        Activation::ALL
            .into_iter()
            .find_map(|(known, it)| (known == name).then_some(it))
    }

    fn of(self, x: &Tensor) -> Tensor {
        match self {
            Activation::Identity => x.shallow_clone(),
            Activation::Tanh => x.tanh(),
            Activation::Relu => x.relu(),
            Activation::Gelu => x.gelu("none"),
            Activation::Sigmoid => x.sigmoid(),
            Activation::Silu => x.silu(),
        }
    }
}

fn fits(config: &std::path::Path, key: &str, found: i64, width: i64) -> Result<()> {
    match found == width {
        true => Ok(()),
        false => Err(Error::data(
            config,
            format!("{key} is {found}, and vectors come with {width} numbers"),
        )),
    }
}

/// Checks that a module reads and writes the sentence's vector.
fn is_of_sentences(config: &std::path::Path, names: [&Option<String>; 2]) -> Result<()> {
    match names.into_iter().flatten().find(|name| *name != "sentence_embedding") {
        None => Ok(()),
        Some(name) => Err(Error::data(
            config,
            format!("is a module of `{name}`; those of `sentence_embedding` are read"),
        )),
    }
}

/// The files of the modules `names` in `folder`, relative to it.
pub(super) fn files(folder: &std::path::Path, names: &[String]) -> Vec<PathBuf> {
    let all = names
        .iter()
        .flat_map(|name| ["config.json", super::weights::FILE].map(|file| PathBuf::from(name).join(file)));
    let there: Vec<_> = all.filter(|file| folder.join(file).exists()).collect();
    match names.is_empty() {
        true => there,
        false => std::iter::once(modules::FILE.into()).chain(there).collect(),
    }
}
