//! The kind of part `pretrained`: readers of folders with published weights.

use crate::Result;
use std::path::Path;

/// Layout of a folder with a trained encoder, such as Hugging Face's. `fmicl embed FOLDER` and `fmicl eval FOLDER --on
/// TASK` try every registered one.
pub trait Pretrained: std::fmt::Debug + Send + Sync {
    /// Checks the options' ranges; called once, when the part is built.
    fn validate(&self) -> Result<()> {
        Ok(())
    }

    /// Parts that read the folder; `None` if it has another layout.
    ///
    /// # Errors
    /// [`crate::Error`] if a folder of this layout cannot be read.
    fn parts(&self, folder: &Path) -> Result<Option<PretrainedParts>>;
}

crate::kind!(Pretrained, "pretrained");

/// Parts as they are written in an experiment: tables with a `name`.
#[derive(Debug, Clone, PartialEq)]
pub struct PretrainedParts {
    /// Options of the kind `views`.
    pub views: toml::Table,
    /// Options of the kind `backbone`, which reads its weights from the folder.
    pub backbone: toml::Table,
}
