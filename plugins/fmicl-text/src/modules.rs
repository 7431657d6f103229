//! `modules.json`: what sentence-transformers runs, one after the other.

use crate::json;
use fmicl_core::{Error, Result};
use serde::Deserialize;
use std::path::{Component, Path};

/// File name of a folder's list of modules.
pub(crate) const FILE: &str = "modules.json";

/// The modules that are known here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Transformer,
    Pooling,
    Dense,
    LayerNorm,
    Dropout,
    Normalize,
}

/// A module of a list.
#[derive(Debug)]
pub(crate) struct Module {
    /// Folder of the module within the model's.
    pub path: String,
    pub kind: Kind,
}

#[derive(Debug, Deserialize)]
struct Written {
    path: String,
    #[serde(rename = "type")]
    class: String,
}

impl Kind {
    /// With the names of their classes.
    const ALL: [(&str, Kind); 6] = [
        ("Transformer", Kind::Transformer),
        ("Pooling", Kind::Pooling),
        ("Dense", Kind::Dense),
        ("LayerNorm", Kind::LayerNorm),
        ("Dropout", Kind::Dropout),
        ("Normalize", Kind::Normalize),
    ];

    /// Kind of a module by its class's path, of any version of sentence-transformers.
    fn of_class(class: &str) -> Option<Self> {
        let name = class.strip_prefix("sentence_transformers.")?.rsplit('.').next()?;
        let known = Kind::ALL.into_iter().find(|(class, _)| *class == name);
        known.map(|(_, kind)| kind)
    }
}

/// The modules of a folder: a transformer in the folder itself, its pooling, and layers behind that. None where the folder has
/// no list of them.
///
/// # Errors
/// [`Error::Data`] or [`Error::Io`] if the list cannot be read or is invalid.
pub(crate) fn list(folder: &Path) -> Result<Option<Vec<Module>>> {
    let file = folder.join(FILE);
    let Some(written) = json::read::<Vec<Written>>(&file)? else {
        return Ok(None);
    };
    let fault = |message: String| Error::data(&file, message);
    let modules = written.into_iter().map(|Written { path, class }| {
        let kind = Kind::of_class(&class).ok_or_else(|| {
            fault(format!(
                "names a module `{class}` in `{path}`; of sentence_transformers' are read: {}",
                Kind::ALL.map(|(name, _)| name).join(", ")
            ))
        })?;
        let is_within = |part| matches!(part, Component::Normal(_) | Component::CurDir);
        let within = Path::new(&path).components().all(is_within);
        if !within || (path.is_empty() && kind != Kind::Transformer) {
            return Err(fault(format!("names `{path}`, which is not a folder within this one")));
        }
        if path.contains('.') && !matches!(kind, Kind::Transformer | Kind::Pooling) {
            return Err(fault(format!(
                "names `{path}`, which has a dot: variables are named after it, and a dot parts their names; rename the folder, \
                 and here too"
            )));
        }
        Ok(Module { path, kind })
    });
    let modules: Vec<_> = modules.collect::<Result<_>>()?;
    let kinds: Vec<_> = modules.iter().map(|module| module.kind).collect();
    let [Kind::Transformer, Kind::Pooling, behind @ ..] = &kinds[..] else {
        return Err(fault("does not begin with a Transformer and its Pooling".into()));
    };
    if behind
        .iter()
        .any(|kind| matches!(kind, Kind::Transformer | Kind::Pooling))
    {
        return Err(fault("has a second Transformer or Pooling".into()));
    }
    if !modules[0].path.is_empty() {
        return Err(fault(format!(
            "has its Transformer in `{}`: save the model again, with SentenceTransformer(FOLDER).save_pretrained(OTHER), which puts \
             it at the top",
            modules[0].path
        )));
    }
    Ok(Some(modules))
}

/// The kind of the module in `folder`/`name`.
///
/// # Errors
/// [`Error::Data`] if the folder's list does not have it.
pub(crate) fn kind_of(folder: &Path, name: &str) -> Result<Kind> {
    let modules = list(folder)?.unwrap_or_default();
    let found = modules
        .iter()
        .find(|module| module.path == name && module.path != modules[0].path);
    let missing = || Error::data(folder.join(FILE), format!("lists no module `{name}`"));
    Ok(found.ok_or_else(missing)?.kind)
}
