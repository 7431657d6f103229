//! Metadata of a file of weights, about its model.

use fmicl_core::{Backbone, Error, Part, PretrainedParts, Reads, Result, Views, weights};
use serde::{Deserialize, Serialize};
use std::fmt;
use std::path::Path;

/// Metadata of a file of weights about its model, as JSON.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct About {
    /// The backbone with all of its options.
    backbone: toml::Table,
    /// Options that change the output and are not implied by the shapes.
    untold: toml::Table,
    /// Options of the views, such as size and normalisation.
    views: toml::Table,
}

impl About {
    /// Of an experiment's model: its config, and the two parts in it that the model depends on.
    ///
    /// # Errors
    /// A value that has no form in TOML, or a file of the backbone's that cannot be read.
    pub fn of(mut table: toml::Table, backbone: &dyn Backbone, views: &dyn Views) -> Result<Self> {
        let untold = backbone.untold().map_err(|error| error.at("backbone"))?;
        // Where its files lie says nothing of a model, and is another place once a run goes on with its own copies.
        let mut take = |key: &str, reads: Vec<Reads>| match table.remove(key) {
            Some(toml::Value::Table(mut table)) => {
                table.retain(|option, _| reads.iter().all(|read| read.option != option));
                table
            }
            _ => toml::Table::new(),
        };
        Ok(About {
            backbone: take("backbone", backbone.reads()),
            untold,
            views: take("views", views.reads()),
        })
    }

    /// Reads a file's metadata; `None` if it has none, like files of other programs.
    pub fn read(path: &Path) -> Option<Self> {
        serde_json::from_str(&weights::about(path)?).ok()
    }

    /// The parts that compute with the file's weights what they were trained for.
    pub(crate) fn parts(self, path: &Path) -> PretrainedParts {
        PretrainedParts {
            views: self.views,
            backbone: self.backbone,
            init: Some(path.into()),
        }
    }

    /// Checks that a backbone would compute with the weights what they were trained for.
    ///
    /// # Errors
    /// A config error with the first option that differs.
    pub fn require_for(&self, backbone: &Part<dyn Backbone>, path: &Path) -> Result<()> {
        let name = backbone.name();
        if self.backbone.get("name").and_then(toml::Value::as_str) != Some(name) {
            // Names and shapes tell whether they fit all the same.
            return Ok(());
        }
        for (key, own) in backbone.untold()? {
            match self.untold.get(&key) {
                Some(theirs) if *theirs != own => {
                    return Err(Error::config(format!(
                        "{} was trained with backbone.{key} = {theirs}, and here it is {own}: the weights fit, but \
                         would compute something else; set backbone.{key} to {theirs}",
                        path.display()
                    )));
                }
                _ => {}
            }
        }
        Ok(())
    }
}

impl fmt::Display for About {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str(&serde_json::to_string(self).map_err(|_| fmt::Error)?)
    }
}
