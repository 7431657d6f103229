//! Links within a dataset's folder, and out of it.

use fmicl_core::{Error, Result};
use serde::{Deserialize, Serialize};
use std::path::{Path, PathBuf};

/// Whether links are followed out of a dataset's folder, as an option.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum FollowLinks {
    /// A link that leads out of the folder is an error.
    #[default]
    Within,
    /// Links lead wherever they lead.
    Anywhere,
}

const REMEDY: &str = "remove it, or set the option `links = \"anywhere\"` of `imagenet` and `image-folder`";

/// Where links may lead: below some folders, or anywhere.
pub(super) struct Links(Option<Vec<PathBuf>>);

impl Links {
    /// `folders`: the dataset's and the split's, as the config names them; links to those themselves are the user's own.
    pub fn new(folders: &[&Path], follow: FollowLinks) -> Self {
        // A folder that is not there is nobody's target.
        let below = || folders.iter().flat_map(|folder| folder.canonicalize()).collect();
        Links((follow == FollowLinks::Within).then(below))
    }

    /// Checks that the link at `path`, which leads somewhere, leads to where it may.
    pub fn check(&self, path: &Path) -> Result<()> {
        let Some(folders) = &self.0 else { return Ok(()) };
        let target = path.canonicalize().map_err(|error| Error::io(path, error))?;
        if folders.iter().any(|folder| target.starts_with(folder)) {
            return Ok(());
        }
        let message = format!(
            "is a link out of the dataset's folder, to {}; {REMEDY}",
            target.display()
        );
        Err(Error::data(path, message))
    }
}
