//! `leave-out`: another dataset without the samples that a list names, such as the list of `fmicl data check --list`.

mod list;

use super::chosen::Chosen;
use fmicl_core::{
    Dataset, Documented, Error, Modality, Part, Portion, Reads, Result, Samples, Source, Split, register,
};
use list::List;
pub use list::{COLUMNS, path_below};
use serde::{Deserialize, Serialize};
use std::path::PathBuf;
use std::sync::Arc;

/// The samples of `of` but for those in `list`.
///
/// ```toml
/// dataset = { name = "leave-out", list = "broken.csv", of = { name = "image-folder", root = "photos" } }
/// ```
///
/// The list is a CSV file with the columns `split` (`train`, `pretrain` or `test`), `sample` (the index in the split) and `path` (below
/// the dataset's folder; where it is empty, the index counts, and the samples have to be those that a row `# made of` is about), as `fmicl data check --list` writes it. Every sample of it must be there. It
/// is part of what a run is trained on: a run keeps a copy, with which it is resumed and evaluated.
#[derive(Debug, Documented, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LeaveOut {
    /// The whole dataset. Required.
    pub of: Part<dyn Dataset>,
    /// The list; relative to the working directory. Absent by default: nothing is left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub list: Option<PathBuf>,
}

register!(
    Dataset,
    "leave-out",
    LeaveOut,
    "another dataset without the samples that a list names"
);

impl LeaveOut {
    /// The row of a list that says of which samples a split is: with it, indices are not taken for those of another dataset.
    pub fn made_of(split: &str, samples: &dyn Samples) -> String {
        format!("{}{split} {}", list::MADE_OF, list::fingerprint(samples))
    }
}

impl Dataset for LeaveOut {
    fn open(&self, split: Split) -> Result<Box<dyn Samples>> {
        let whole: Arc<dyn Samples> = self.of.open(split)?.into();
        let Some(path) = &self.list else {
            let portions = with(Portion::new(PORTION, 0, [""; 0]), whole.portions());
            let note = "`leave-out` has no `list`, so nothing is left out".into();
            return Ok(Box::new(Chosen::all(whole).with_portions(portions).with_note(note)));
        };
        let names: &[&str] = match (split, self.of.has_unlabelled()) {
            (Split::Test, _) => &["test"],
            (Split::Pretrain, true) => &["pretrain"],
            (Split::Train, true) => &["train"],
            // The same samples, whether they have labels or not.
            (_, false) => &["train", "pretrain"],
        };
        let list = List::read(path)?;
        let out = list.find(names, &*whole, &self.of.source())?;
        let left: Vec<_> = (0..whole.len()).filter(|index| !out.contains(index)).collect();
        if left.is_empty() {
            let message = format!("names all {} samples of {}", whole.len(), names[0]);
            return Err(Error::data(path, message));
        }
        let note = format!("{}: {} samples of {} are left out", path.display(), out.len(), names[0]);
        let content = Portion::new(PORTION, out.len(), out.iter().map(|index| index.to_le_bytes()));
        let portions = with(content, whole.portions());
        let chosen = Chosen::these(left, whole);
        Ok(Box::new(chosen.with_portions(portions).with_note(note)))
    }

    fn has_unlabelled(&self) -> bool {
        self.of.has_unlabelled()
    }

    fn is_labelled(&self) -> bool {
        self.of.is_labelled()
    }

    fn modality(&self) -> Modality {
        self.of.modality()
    }

    fn source(&self) -> Source {
        self.of.source()
    }

    /// The list, and those of the dataset within. A run goes on with the list that it began with, of the test samples, too.
    fn reads(&self) -> Vec<Reads> {
        let own = self.list.iter().map(|path| Reads {
            option: "list".into(),
            path: path.clone(),
            files: vec![],
        });
        let within = self.of.reads().into_iter().map(|reads| reads.within("of"));
        own.chain(within).collect()
    }
}

/// The portion of what is left out. No folder has a slash in its name.
const PORTION: &str = "left/out";

/// The fingerprint of samples, and of those that are left out of them.
fn with(content: Portion, mut whole: Vec<Portion>) -> Vec<Portion> {
    // One within another has the same name.
    let depth = whole.iter().filter(|portion| portion.name.starts_with(PORTION)).count();
    whole.push(Portion {
        name: format!("{PORTION}{}", "/out".repeat(depth)),
        ..content
    });
    whole
}

#[cfg(test)]
mod tests;
