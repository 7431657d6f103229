//! `webdataset`: tar files of WebDataset.
//!
//! Source: webdataset 1.0 (T. Breuel, github.com/webdataset/webdataset), read at random in place of in a row.

use crate::example::{image, tar};
use crate::labels::{Labels, refuse_beside_texts};
use crate::opened::{Opened, Request};
use crate::patterns::Patterns;
use crate::samples::Shards;
use crate::split::Layout;
use crate::tar::{self as shard, Label, Wanted};
use fmicl_core::{
    Dataset, Documented, Error, Modality, Result, Samples, Source, Split, encoding, read_file, register, require, toml,
};
use fmicl_data::datasets::ReadLabels;
use serde::{Deserialize, Serialize};
use std::path::{Path, PathBuf};

/// Images, or texts, in tar files: files of one name but for their extensions, such as `0001.jpg` and `0001.cls`, that follow
/// each other are a sample. A name ends at its first dot; the folder belongs to it.
///
/// Shards are looked through once, headers alone; the index is kept in `root` (`.fmicl-shards-*.index`), or in `~/.cache/fmicl`
/// where that cannot be written, and is made again for shards whose size or time differs. Samples are then read by themselves, in
/// any order over all shards. Compressed tar files are refused. Images are read as by `image-folder`; samples without one are
/// counted and left out. Where no sample has a label, there are none. Names of classes, a line each, may stand in
/// `root/classes.txt`.
#[derive(Debug, Documented, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct WebDataset {
    /// The folder that holds the shards; relative to the working directory. Required.
    pub root: PathBuf,
    /// The training shards below `root`: braces (`"train-{000000..000099}.tar"`), a glob (`"train/*.tar"`), a folder, or a list of
    /// such. Absent by default: those in `root/train`, or with `train` in their names, or all that are no test shards.
    #[serde(skip_serializing_if = "Patterns::is_empty")]
    pub train: Patterns,
    /// The test shards, likewise. Absent by default: those in a folder `test`, `testing`, `val`, `valid` or `validation`, or with such a
    /// word in their names.
    #[serde(skip_serializing_if = "Patterns::is_empty")]
    pub test: Patterns,
    /// Shards to pre-train on in place of the training shards, whose labels are not read. None by default.
    #[serde(skip_serializing_if = "Patterns::is_empty")]
    pub pretrain: Patterns,
    /// The extension of the images, such as `left.jpg`, where samples have several. By default it is any that `image-folder` reads.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub image: String,
    /// The extension of texts, such as `txt`, which are then the samples in place of images. None by default.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub text: String,
    /// Whether labels are read: `given`, the default, or `none`.
    pub labels: ReadLabels,
    /// The extension of the files with the labels, an integer from 0 as text in each.
    pub label: String,
    /// The key of the label in each sample's `.json`, in place of a file of its own. None by default.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub json_key: String,
}

impl Default for WebDataset {
    fn default() -> Self {
        WebDataset {
            root: PathBuf::new(),
            train: Patterns::default(),
            test: Patterns::default(),
            pretrain: Patterns::default(),
            image: String::new(),
            text: String::new(),
            labels: ReadLabels::Given,
            label: LABEL.into(),
            json_key: String::new(),
        }
    }
}

register!(
    Dataset,
    "webdataset",
    WebDataset,
    "images or texts in tar files, as WebDataset makes them"
);

const EXTENSION: &str = "tar";
const HINT: &str = "`root` (--set dataset.root=DIR) should hold shards such as train-000000.tar and test-000000.tar; `train` and `test` \
                    name others, as a glob or with braces";

impl Dataset for WebDataset {
    fn validate(&self) -> Result<()> {
        require(self.text.is_empty() || self.image.is_empty(), "text", || {
            "samples are images or texts: `image` goes with images".into()
        })?;
        refuse_beside_texts(
            !self.text.is_empty(),
            &[
                ("labels", !self.labels.are_read()),
                ("label", self.is_label_named()),
                ("json_key", !self.json_key.is_empty()),
                ("test", !self.test.is_empty()),
            ],
        )?;
        require(!self.is_label_named() || self.json_key.is_empty(), "label", || {
            "names files of labels, and `json_key` a key of `.json`; set one of them".into()
        })
    }

    fn open(&self, split: Split) -> Result<Box<dyn Samples>> {
        if self.modality() == Modality::Texts {
            return Ok(Box::new(Shards::new(self.shards(Split::Pretrain)?, 1, shard::name)?));
        }
        if split == Split::Pretrain && self.has_unlabelled() {
            return Ok(Box::new(Shards::new(self.shards(split)?, 1, shard::name)?));
        }
        let labels = Labels {
            wanted: self.labels.are_read(),
            is_named: self.is_label_named() || !self.json_key.is_empty(),
            called: self.label().describe(),
            names: self.class_names()?,
        };
        let test = (split == Split::Test).then(|| self.shards(split));
        labels.open(self.shards(Split::Train)?, test.transpose()?, shard::name)
    }

    fn modality(&self) -> Modality {
        match self.text.is_empty() {
            true => Modality::Images,
            false => Modality::Texts,
        }
    }

    fn has_unlabelled(&self) -> bool {
        !self.pretrain.is_empty() && self.modality() == Modality::Images
    }

    fn source(&self) -> Source {
        Source {
            looks_in: vec![self.root.clone()],
            by_hand: "the shards are your own: `root` says where they lie; `fmicl data pack` makes them of any images"
                .into(),
            ..Source::default()
        }
    }

    fn example(&self, folder: &Path) -> Result<toml::Table> {
        write_example(folder)?;
        Ok(toml::Table::from_iter([(
            "root".to_string(),
            folder.to_string_lossy().into_owned().into(),
        )]))
    }
}

/// Where names of classes stand.
const NAMES: &str = "classes.txt";
/// The most bytes of that file.
const MOST_NAMES: u64 = 16 << 20;

/// The usual extension of labels.
const LABEL: &str = "cls";

impl WebDataset {
    fn is_label_named(&self) -> bool {
        self.label != LABEL
    }

    fn layout(&self) -> Layout<'_> {
        Layout {
            root: &self.root,
            train: &self.train,
            test: &self.test,
            pretrain: Some(&self.pretrain),
            extension: EXTENSION,
            hint: HINT,
        }
    }

    /// The shards of a split.
    fn files(&self, split: Split) -> Result<Vec<PathBuf>> {
        let layout = self.layout();
        if split != Split::Pretrain || self.pretrain.is_empty() {
            return layout.files(split);
        }
        layout.require_root()?;
        self.pretrain.files(&self.root, "pretrain", EXTENSION)
    }

    /// What is known of a split's shards.
    fn shards(&self, split: Split) -> Result<Opened> {
        let own = |text: &String| (!text.is_empty()).then(|| text.to_lowercase());
        let is_unlabelled = split == Split::Pretrain && self.has_unlabelled();
        let wanted = Wanted {
            image: own(&self.image),
            text: own(&self.text),
            label: if is_unlabelled { Label::None } else { self.label() },
        };
        let request = Request {
            root: &self.root,
            files: self.files(split)?,
            what: format!(
                "tar, image {:?}, text {:?}, label {:?}",
                wanted.image, wanted.text, wanted.label
            ),
            pieces: 1,
            hint: HINT,
            unpacked: None,
        };
        let mut opened = request.open(|path, stamp| shard::scan(path, stamp, &wanted))?;
        if split == Split::Test {
            opened.notes.extend(self.layout().unused());
        }
        Ok(opened)
    }

    fn label(&self) -> Label {
        match (self.labels.are_read() && self.text.is_empty(), self.json_key.is_empty()) {
            (false, _) => Label::None,
            (true, true) => Label::Text(self.label.to_lowercase()),
            (true, false) => Label::Key(self.json_key.clone()),
        }
    }

    /// The names in `classes.txt`; none where there is no such file.
    fn class_names(&self) -> Result<Vec<String>> {
        let path = self.root.join(NAMES);
        if !path.exists() {
            return Ok(vec![]);
        }
        let bytes = read_file(&path, MOST_NAMES, "a name of a class a line is expected")?;
        let names = encoding::whole(&bytes, &path)?
            .lines()
            .map(str::trim)
            .filter(|line| !line.is_empty());
        Ok(names.map(str::to_string).collect())
    }
}

/// Writes two training shards of ten images, a test shard of four, and names of two classes.
fn write_example(folder: &Path) -> Result<()> {
    std::fs::create_dir_all(folder).map_err(|error| Error::io(folder, error))?;
    for (name, images) in [
        ("train-000000.tar", 0..10),
        ("train-000001.tar", 10..20),
        ("test-000000.tar", 20..24),
    ] {
        let files = images.flat_map(|number: u8| {
            let label = number % 2;
            [
                (format!("{number:04}.cls"), label.to_string().into_bytes()),
                (format!("{number:04}.ppm"), image(label, number)),
            ]
        });
        let path = folder.join(name);
        let written = tar(files).and_then(|bytes| std::fs::write(&path, bytes));
        written.map_err(|error| Error::io(&path, error))?;
    }
    let names = folder.join(NAMES);
    std::fs::write(&names, "one\ntwo\n").map_err(|error| Error::io(&names, error))
}

#[cfg(test)]
mod tests;
