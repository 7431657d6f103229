//! Folders of published weights, which are not runs.

use fmicl_core::registry;
use fmicl_core::{Part, Pretrained, PretrainedParts, Result};
use std::path::Path;

/// The parts that read a folder of published weights, if it is one.
///
/// # Errors
/// One that cannot be read.
pub(crate) fn published(folder: &Path) -> Result<Option<PretrainedParts>> {
    for layout in registry::list::<dyn Pretrained>() {
        let layout: Part<dyn Pretrained> = Part::new(layout.name, toml::Table::new())?;
        if let Some(parts) = layout.parts(folder)? {
            return Ok(Some(parts));
        }
    }
    Ok(None)
}
