//! Published weights, a file or a folder, which are not runs.

use fmicl_core::registry;
use fmicl_core::{Part, Pretrained, PretrainedParts, Result};
use std::path::Path;

/// The parts that read published weights, if a path is of some.
///
/// # Errors
/// Some that cannot be read.
pub(crate) fn published(path: &Path) -> Result<Option<PretrainedParts>> {
    for layout in registry::list::<dyn Pretrained>() {
        let layout: Part<dyn Pretrained> = Part::new(layout.name, toml::Table::new())?;
        if let Some(parts) = layout.parts(path)? {
            return Ok(Some(parts));
        }
    }
    Ok(None)
}
