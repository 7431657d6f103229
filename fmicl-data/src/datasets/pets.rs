//! `pets`: the Oxford-IIIT Pet dataset.
//!
//! Source: Parkhi, Vedaldi, Zisserman, Jawahar, "Cats and dogs", CVPR 2012, <https://www.robots.ox.ac.uk/~vgg/data/pets/>.

use super::download::archive;
use super::files::{root_option, write};
use super::listed::{Lines, Listed};
use super::photos::write_photo;
use super::place::{Place, data_folder};
use fmicl_core::{Dataset, Documented, Error, Result, Samples, Source, Split, register, toml};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::{Path, PathBuf};

/// The Oxford-IIIT Pet dataset from `images/` and `annotations/`: 37 breeds of cats and dogs, 3,680 training images (`trainval.txt`)
/// and 3,669 test images. Papers report the mean accuracy per class, `balanced` (Kornblith et al., CVPR 2019).
#[derive(Debug, Documented, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Pets {
    /// The folder that holds `images` and `annotations`, or the one that such a folder `oxford-iiit-pet` lies in: the data folder
    /// (`$FMICL_DATA`, else `data`) unless given. Relative to the working directory.
    pub root: PathBuf,
}

impl Default for Pets {
    fn default() -> Self {
        Pets { root: data_folder() }
    }
}

register!(
    Dataset,
    "pets",
    Pets,
    "Oxford-IIIT Pet, 37 breeds, in its official layout and split"
);

const PLACE: Place = Place {
    folder: "oxford-iiit-pet",
    marker: "annotations",
    archive: "annotations.tar.gz",
    remedy: "run `fmicl data fetch pets`",
};
const HINT: &str = "unpack `images.tar.gz` and `annotations.tar.gz` again, or run `fmicl data fetch pets`";
const BASE: &str = "https://www.robots.ox.ac.uk/~vgg/data/pets/";

impl Dataset for Pets {
    fn open(&self, split: Split) -> Result<Box<dyn Samples>> {
        let root = PLACE.find(&self.root)?;
        let list = |name: &str| Lines::read(root.join("annotations").join(name), HINT);
        let train = list("trainval.txt")?;
        // Its breeds are those of its photos' names.
        let mut breeds = BTreeMap::new();
        for entry in entries(&train) {
            let entry = entry?;
            let known = *breeds.entry(entry.class).or_insert(entry.breed);
            if known != entry.breed {
                let (class, breed) = (entry.class, entry.breed);
                return Err(train.wrong(entry.line, format!("class {class} is `{known}`, not `{breed}`; {HINT}")));
            }
        }
        let count = breeds.len();
        if let Some((class, _)) = breeds.last_key_value().filter(|&(&class, _)| class != count) {
            let message = format!("{class} is a class, and not all from 1 are; {HINT}");
            return Err(Error::data(&train.path, message));
        }
        let classes: Vec<_> = breeds.values().map(OsString::from).collect();
        let lines = match split {
            Split::Test => list("test.txt")?,
            Split::Pretrain | Split::Train => train,
        };
        let mut photos = Listed::new(&root, &classes, HINT);
        for entry in entries(&lines) {
            let Entry {
                line,
                photo,
                breed,
                class,
            } = entry?;
            if classes.get(class - 1).is_none_or(|known| known != breed) {
                return Err(lines.wrong(line, format!("`{breed}` is not class {class} of trainval.txt; {HINT}")));
            }
            photos.add_line(&lines, line, &format!("images/{photo}.jpg"), class - 1)?;
        }
        photos.samples(&lines.path)
    }

    fn source(&self) -> Source {
        let at = |name: &str| format!("{BASE}data/{name}");
        Source {
            folder: self.root.join(PLACE.folder),
            downloads: vec![
                archive(
                    &at("images.tar.gz"),
                    Some(791_918_971),
                    "5c4f3ee8e5d25df40f4fd59a7f44e54c",
                    "images",
                    900_000_000,
                ),
                archive(
                    &at("annotations.tar.gz"),
                    Some(19_173_078),
                    "95a8c909bbe2e81eed6a22bccdf3f68f",
                    "annotations",
                    200_000_000,
                ),
            ],
            page: BASE.into(),
            terms: "CC BY-SA 4.0; the photos' owners keep their copyright".into(),
            ..PLACE.source(&self.root)
        }
    }

    fn example(&self, folder: &Path) -> Result<toml::Table> {
        let breeds = ["Abyssinian", "american_bulldog", "yorkshire_terrier"];
        for (list, from, count) in [("trainval.txt", 1, 6), ("test.txt", 101, 2)] {
            let mut lines = String::new();
            for (class, breed) in breeds.into_iter().enumerate() {
                for photo in from..from + count {
                    write_photo(&folder.join(format!("images/{breed}_{photo}.jpg")), class, photo)?;
                    // Breed, species (cat or dog), breed of the species.
                    lines += &format!("{breed}_{photo} {} {} {}\n", class + 1, 1 + class.min(1), class.max(1));
                }
            }
            write(&folder.join("annotations").join(list), lines.as_bytes())?;
        }
        Ok(root_option(folder))
    }
}

/// A line of a list: a photo, its class from 1, species, breed of the species.
struct Entry<'a> {
    line: usize,
    photo: &'a str,
    breed: &'a str,
    class: usize,
}

fn entries(lines: &Lines) -> impl Iterator<Item = Result<Entry<'_>>> {
    lines.iter().map(|(line, text)| {
        let mut fields = text.split_whitespace();
        let photo = fields.next().unwrap_or_default();
        let class = fields
            .next()
            .and_then(|class| class.parse().ok())
            .filter(|&class| class >= 1);
        match (photo.rsplit_once('_'), class) {
            (Some((breed, _)), Some(class)) => Ok(Entry {
                line,
                photo,
                breed,
                class,
            }),
            _ => Err(lines.wrong(
                line,
                format!("`{text}` is not a photo such as pug_1 and a class from 1"),
            )),
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn example(folder: &Path) -> Pets {
        Pets::default().example(folder).unwrap();
        Pets { root: folder.into() }
    }

    #[test]
    fn breeds_are_numbered_by_the_lists_and_named_by_the_photos() {
        let folder = tempfile::tempdir().unwrap();
        let dataset = example(folder.path());
        let (train, test) = (dataset.open(Split::Train).unwrap(), dataset.open(Split::Test).unwrap());
        assert_eq!((train.len(), test.len()), (18, 6));
        assert_eq!(
            train.class_names(),
            ["Abyssinian", "american_bulldog", "yorkshire_terrier"]
        );
        assert_eq!((train.label(6), test.label(5)), (1, 2));
        let path = folder.path().join("images/yorkshire_terrier_102.jpg");
        assert_eq!(test.path(5), Some(path));
    }

    #[test]
    fn lists_are_checked() {
        let folder = tempfile::tempdir().unwrap();
        let dataset = example(folder.path());
        let cases = [
            (
                "pug 1 1 1\n",
                "line 1: `pug 1 1 1` is not a photo such as pug_1 and a class from 1",
            ),
            ("Abyssinian_1 0 1 1\n", "line 1: `Abyssinian_1 0 1 1` is not a photo"),
            (
                "Abyssinian_1 2 1 1\n",
                "trainval.txt: 2 is a class, and not all from 1 are; unpack",
            ),
            (
                "Abyssinian_1 1 1 1\npug_1 1 1 1\n",
                "line 2: class 1 is `Abyssinian`, not `pug`",
            ),
            (
                "pug_1 1 1 1\n",
                "line 1: `pug_1.jpg` is not a photo in `images`, or has been named before",
            ),
            (
                "../images/Abyssinian_1 1 1 1\n",
                "line 1: `images/../images/Abyssinian_1.jpg` is not a path",
            ),
            ("\n", "trainval.txt: is empty"),
        ];
        for (text, expected) in cases {
            std::fs::write(folder.path().join("annotations/trainval.txt"), text).unwrap();
            let error = dataset.open(Split::Train).map(|_| ()).unwrap_err().to_string();
            assert!(error.contains(expected), "{error}");
        }
        std::fs::write(folder.path().join("annotations/trainval.txt"), "pug_1 1 1 1\n").unwrap();
        let error = dataset.open(Split::Test).map(|_| ()).unwrap_err().to_string();
        assert!(
            error.contains("test.txt: line 1: `Abyssinian` is not class 1 of trainval.txt"),
            "{error}"
        );
    }
}
