//! The kind of part `pretrained`: readers of published weights, a file or a folder.

use crate::Result;
use std::path::{Path, PathBuf};

/// Layout of a file or a folder with a trained encoder, such as Hugging Face's. `fmicl embed PATH` and `fmicl eval PATH --on
/// EVALUATION` try every registered one.
pub trait Pretrained: std::fmt::Debug + Send + Sync {
    /// Checks the options' ranges; called once, when the part is built.
    fn validate(&self) -> Result<()> {
        Ok(())
    }

    /// Parts that read the file or the folder; `None` if it has another layout.
    ///
    /// # Errors
    /// [`crate::Error`] if one of this layout cannot be read.
    fn parts(&self, path: &Path) -> Result<Option<PretrainedParts>>;
}

crate::kind!(Pretrained, "pretrained");

/// Parts as they are written in an experiment: tables with a `name`.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct PretrainedParts {
    /// Options of the kind `views`.
    pub views: toml::Table,
    /// Options of the kind `backbone`.
    pub backbone: toml::Table,
    /// The file of the backbone's weights; none if the backbone reads them itself, as one of its options says.
    pub init: Option<PathBuf>,
}
