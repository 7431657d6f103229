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
    /// [`crate::Error::Config`] where the options do not go together.
    fn build(&self, path: &nn::Path) -> Result<Box<dyn Encoder>>;

    /// Whether it starts with weights that somebody has trained, rather than at random.
    fn is_pretrained(&self) -> bool {
        false
    }

    /// The options that name files without which the part cannot be built: a run keeps copies, and needs the originals no
    /// more.
    fn reads(&self) -> Vec<Reads> {
        Vec::new()
    }

    /// Options that change the features and that neither the names nor the shapes of the weights tell, such as the heads of an
    /// attention: weights that were trained under others are of no use. Files of weights say them.
    ///
    /// # Errors
    /// A file that the options name and that cannot be read.
    fn untold(&self) -> Result<toml::Table> {
        Ok(toml::Table::new())
    }

    /// What it reads.
    fn modality(&self) -> Modality {
        Modality::Images
    }

    /// As [`build`](Backbone::build), for these views, which are of its modality. The program builds a backbone with it;
    /// one whose parameters depend on the views (a table of positions or of tokens) takes that from here.
    ///
    /// # Errors
    /// [`crate::Error::Config`] where the options do not go with the views.
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

    /// Whether it is a transformer: for those, recipes have other heads (MoCo v3).
    fn is_transformer(&self) -> bool {
        false
    }
}
