//! The kind of part `backbone`: the encoder whose features are kept after training.

use crate::{Input, Modality, Reads, Result, View};
use tch::{Tensor, nn};

/// Options that build an [`Encoder`].
pub trait Backbone: std::fmt::Debug + Send + Sync {
    /// Checks the options' ranges; called once, when the part is built.
    fn validate(&self) -> Result<()> {
        Ok(())
    }

    /// Creates the parameters under `path`, named as in torchvision or timm (`layer1.0.conv1.weight`), with
    /// the initialisation of the reference implementation.
    ///
    /// # Errors
    /// [`crate::Error::Config`] if the options contradict each other.
    fn build(&self, path: &nn::Path) -> Result<Box<dyn Encoder>>;

    /// Returns true if the backbone starts from pretrained weights instead of random ones.
    fn is_pretrained(&self) -> bool {
        false
    }

    /// Lists the options that name files needed to build the part. A run keeps copies of them and no longer needs the
    /// originals.
    fn reads(&self) -> Vec<Reads> {
        Vec::new()
    }

    /// Options that change the features but cannot be seen in the names and shapes of the weights, such as the number
    /// of attention heads. Files of weights store them as metadata, and weights trained with other values are refused.
    ///
    /// # Errors
    /// [`crate::Error::Data`] or [`crate::Error::Io`] if a file that the options name cannot be read.
    fn untold(&self) -> Result<toml::Table> {
        Ok(toml::Table::new())
    }

    /// The modality of its inputs.
    fn modality(&self) -> Modality {
        Modality::Images
    }

    /// Builds the encoder for the given views, which have its modality. The program calls this method; the default
    /// calls [`build`](Backbone::build). Override it if parameters depend on the views, such as a table of positions or
    /// tokens.
    ///
    /// # Errors
    /// [`crate::Error::Config`] if the options do not fit the views.
    fn build_for(&self, path: &nn::Path, _input: Input) -> Result<Box<dyn Encoder>> {
        self.build(path)
    }
}

crate::kind!(Backbone, "backbone");

/// A backbone with its parameters.
pub trait Encoder: std::fmt::Debug {
    /// Features `[N, width]` of a view of `N` samples, before any projector. `train` switches batch norm and
    /// dropout to their training behaviour.
    fn forward(&self, view: &View, train: bool) -> Tensor;

    /// The number of features.
    fn width(&self) -> i64;

    /// Returns true for transformers, which get other heads in some recipes (MoCo v3).
    fn is_transformer(&self) -> bool {
        false
    }
}
