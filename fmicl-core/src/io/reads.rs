//! Files that a part reads when it is built, so that a run can keep copies.

use std::path::PathBuf;

/// An option that names a file or a folder without which the part cannot be built.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reads {
    /// The option's key, dotted where it is an option of a part within the part.
    pub option: String,
    /// File or folder that the option names.
    pub path: PathBuf,
    /// The files that are read in `path`, if it is a folder.
    pub files: Vec<PathBuf>,
}

impl Reads {
    /// The same of a part that is the option `outer` of another one.
    #[must_use]
    pub fn within(self, outer: &str) -> Self {
        Reads {
            option: format!("{outer}.{}", self.option),
            ..self
        }
    }
}
