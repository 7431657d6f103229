//! Files of weights that this program wrote: they say what they are of.

use super::checkpoint::MODEL;
use crate::weights::About;
use fmicl_core::{Pretrained, PretrainedParts, Result, register};
use serde::{Deserialize, Serialize};
use std::path::Path;

/// A file of `fmicl export`, or a checkpoint's folder, whose metadata has the options of the backbone and the views.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Exported {}

register!(
    Pretrained,
    "exported",
    Exported,
    "a file of weights (.safetensors) that `fmicl export` wrote"
);

impl Pretrained for Exported {
    fn parts(&self, path: &Path) -> Result<Option<PretrainedParts>> {
        // Of a folder, the file that a checkpoint has.
        let file = if path.is_dir() {
            path.join(MODEL)
        } else {
            path.to_path_buf()
        };
        Ok(About::read(&file).map(|about| about.parts(&file)))
    }
}
