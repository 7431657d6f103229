//! The kind of part `pretrained`: folders of weights that others have published, and how they are read.

use crate::Result;
use std::path::Path;

/// A layout of folders that hold a trained encoder, such as Hugging Face's. `fmicl embed FOLDER` and `fmicl eval FOLDER
/// --on TASK` ask each registered one.
pub trait Pretrained: std::fmt::Debug + Send + Sync {
    /// Checks the options' ranges; called once, when the part is built.
    fn validate(&self) -> Result<()> {
        Ok(())
    }

    /// The parts that read the folder; nothing where it has another layout.
    ///
    /// # Errors
    /// A folder of this layout that cannot be read.
    fn parts(&self, folder: &Path) -> Result<Option<PretrainedParts>>;
}

crate::kind!(Pretrained, "pretrained");

/// Parts as they are written in an experiment: tables with a `name`.
#[derive(Debug, Clone, PartialEq)]
pub struct PretrainedParts {
    /// Of the kind `views`.
    pub views: toml::Table,
    /// Of the kind `backbone`, which takes its weights from the folder.
    pub backbone: toml::Table,
}
