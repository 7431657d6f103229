//! `parquet`: images or texts in Parquet files, as Hugging Face's `datasets` export them.
//!
//! Source: the features of datasets 5 (huggingface.co/docs/datasets), which stand in a file's metadata under `huggingface`.

mod codecs;
mod columns;
mod example;
mod file;
mod scan;
mod values;

pub use columns::Names;

use crate::labels::{Labels, refuse_beside_texts};
use crate::opened::{Opened, Request};
use crate::patterns::Patterns;
use crate::samples::Shards;
use crate::split::Layout;
use crate::unpacked::Unpacked;
use columns::Wanted;
use fmicl_core::{Dataset, Documented, Modality, Result, Samples, Source, Split, register, require, toml};
use fmicl_data::datasets::ReadLabels;
use serde::{Deserialize, Serialize};
use std::path::{Path, PathBuf};

/// Images, or texts, in Parquet files of Hugging Face's `datasets` and of others: a column of images' bytes, by itself or as
/// `bytes` of a group, and a column of labels; or one to three columns of texts.
///
/// An index of offsets is made once, and kept as that of `webdataset`. Images that are stored without compression, as recent
/// versions of `datasets` store them, are read from where they lie, in any order. Other images, and texts, are unpacked once to
/// `root/.fmicl-unpacked`, or to `~/.cache/fmicl` where that cannot be written: their row groups would be unpacked for each
/// sample. `check` and `train` say how large that is; the folder may be removed. Rows without an image or a text are counted and left out.
#[derive(Debug, Documented, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Parquet {
    /// The folder that holds the files; relative to the working directory. Required.
    pub root: PathBuf,
    /// The training files below `root`: a glob (`"data/train-*.parquet"`), braces, a folder, or a list of such. Absent by default:
    /// those in `root/train`, or with `train` in their names, or all that are no test files.
    #[serde(skip_serializing_if = "Patterns::is_empty")]
    pub train: Patterns,
    /// The test files, likewise. Absent by default: those in a folder `test`, `testing`, `val`, `valid` or `validation`, or with such a
    /// word in their names.
    #[serde(skip_serializing_if = "Patterns::is_empty")]
    pub test: Patterns,
    /// The column of images. By default the one that the file's metadata call so, or that is a group with `bytes`, or else `image` or
    /// `img`.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub image: String,
    /// A column of texts, or a list of two or three for pairs and triplets, which are then the samples in place of images. None
    /// by default.
    #[serde(skip_serializing_if = "Names::is_empty")]
    pub text: Names,
    /// Whether labels are read: `given`, the default, or `none`.
    pub labels: ReadLabels,
    /// The column of labels, integers from 0. By default the one that the file's metadata call so, or else `label`; where there is
    /// none, there are no labels.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub label: String,
}

impl Default for Parquet {
    fn default() -> Self {
        Parquet {
            root: PathBuf::new(),
            train: Patterns::default(),
            test: Patterns::default(),
            image: String::new(),
            text: Names::default(),
            labels: ReadLabels::Given,
            label: String::new(),
        }
    }
}

register!(
    Dataset,
    "parquet",
    Parquet,
    "images or texts in Parquet files, as Hugging Face's datasets export them"
);

const EXTENSION: &str = "parquet";
const HINT: &str = "`root` (--set dataset.root=DIR) should hold files such as train-00000-of-00002.parquet and test-00000-of-00001.parquet, \
                    which `Dataset.to_parquet` writes; `train` and `test` name others, as a glob or with braces";

impl Dataset for Parquet {
    fn validate(&self) -> Result<()> {
        require(self.text.is_empty() || self.image.is_empty(), "text", || {
            "samples are images or texts: `image` goes with images".into()
        })?;
        refuse_beside_texts(
            !self.text.is_empty(),
            &[
                ("labels", !self.labels.are_read()),
                ("label", !self.label.is_empty()),
                ("test", !self.test.is_empty()),
            ],
        )?;
        let count = self.text.0.len();
        require(count <= 3, "text", || {
            format!("{count} columns are more than a triplet; name at most 3")
        })
    }

    fn open(&self, split: Split) -> Result<Box<dyn Samples>> {
        if self.modality() == Modality::Texts {
            let opened = self.shards(Split::Pretrain)?;
            return Ok(Box::new(Shards::new(opened, self.text.0.len(), scan::name)?));
        }
        let test = (split == Split::Test).then(|| self.shards(split)).transpose()?;
        let train = self.shards(Split::Train)?;
        train.require_same_classes(test.as_ref())?;
        let labels = Labels {
            wanted: self.labels.are_read(),
            // A column that is named and is not there has been refused.
            is_named: false,
            called: match self.label.is_empty() {
                true => "a label".into(),
                false => format!("a label in `{}`", self.label),
            },
            // As checked, those of the first file are those of all.
            names: train
                .sections
                .first()
                .map_or(vec![], |section| section.class_names.clone()),
        };
        labels.open(train, test, scan::name)
    }

    fn modality(&self) -> Modality {
        match self.text.is_empty() {
            true => Modality::Images,
            false => Modality::Texts,
        }
    }

    fn source(&self) -> Source {
        Source {
            looks_in: vec![self.root.clone()],
            by_hand: "the files are your own: `root` says where they lie; `Dataset.to_parquet` of Hugging Face's datasets writes them".into(),
            ..Source::default()
        }
    }

    fn example(&self, folder: &Path) -> Result<toml::Table> {
        example::write(folder)?;
        Ok(toml::Table::from_iter([(
            "root".to_string(),
            folder.to_string_lossy().into_owned().into(),
        )]))
    }
}

impl Parquet {
    /// What is known of a split's files.
    fn shards(&self, split: Split) -> Result<Opened> {
        let layout = Layout {
            root: &self.root,
            train: &self.train,
            test: &self.test,
            pretrain: None,
            extension: EXTENSION,
            hint: HINT,
        };
        let wanted = Wanted {
            image: &self.image,
            text: &self.text.0,
            label: self.labels.are_read().then_some(&*self.label),
        };
        let what = format!(
            "parquet, image {:?}, text {:?}, label {:?}",
            wanted.image, wanted.text, wanted.label
        );
        let unpacked = Unpacked::new(&self.root, &what);
        let size = |path: &Path, stamp| scan::size(path, stamp, &wanted);
        let request = Request {
            root: &self.root,
            files: layout.files(split)?,
            what,
            pieces: self.text.0.len().max(1),
            hint: HINT,
            unpacked: Some((&unpacked, &size)),
        };
        let mut opened = request.open(|path, stamp| scan::scan(path, stamp, &wanted, &unpacked))?;
        if split == Split::Test {
            opened.notes.extend(layout.unused());
        }
        Ok(opened)
    }
}

#[cfg(test)]
mod tests;
