//! `stl10`: STL-10 in its official binary layout.
//!
//! Images of 96 x 96 pixels, one after the other without a header: a red, a green and a blue plane, each column by column.
//! Labels are bytes from 1 to 10. Source: Coates, Lee, Ng, "An analysis of single-layer networks in unsupervised feature
//! learning", AISTATS 2011, <https://cs.stanford.edu/~acoates/stl10/>.

use super::files::{class_names, read_at_most, root_option, write};
use super::place::{Place, data_folder};
use fmicl_core::{
    Dataset, Documented, Error, Image, Portion, Result, Samples, Source, Split, open_file, register, toml,
};
use serde::{Deserialize, Serialize};
use std::fs::File;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

/// STL-10 from `stl10_binary`: 100,000 unlabelled images for pre-training, 5,000 training and 8,000 test images. They
/// stay on disk (2.8 GB), and each is read when it is needed.
///
/// Files with fewer images than the official ones are read too, as long as they are whole images.
#[derive(Debug, Documented, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Stl10 {
    /// The folder `stl10_binary`, or the one that it lies in: the data folder (`$FMICL_DATA`, else `data`) unless given.
    /// Relative to the working directory.
    pub root: PathBuf,
    /// Images for pre-training: the `unlabeled` ones, as the dataset's authors mean it, or `train-unlabeled`, the
    /// training images before them (without their labels), as solo-learn.
    pub pretrain: Pretrain,
}

/// Images for pre-training.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Pretrain {
    /// `unlabeled_X.bin`.
    Unlabeled,
    /// `train_X.bin`, then `unlabeled_X.bin`.
    TrainUnlabeled,
}

impl Default for Stl10 {
    fn default() -> Self {
        Stl10 {
            root: data_folder(),
            pretrain: Pretrain::Unlabeled,
        }
    }
}

register!(
    Dataset,
    "stl10",
    Stl10,
    "STL-10 in its official binary layout: pre-training on its unlabelled images"
);

const PLACE: Place = Place {
    folder: "stl10_binary",
    marker: "train_X.bin",
    archive: "stl10_binary.tar.gz",
    remedy: "run `fmicl data fetch stl10`",
};
const SIDE: usize = 96;
const PLANE: usize = SIDE * SIDE;
const IMAGE: usize = 3 * PLANE;
const CLASSES: u8 = 10;
/// More labels than there are, and few enough to hold.
const MOST_LABELS: u64 = 1_000_000;

impl Dataset for Stl10 {
    fn open(&self, split: Split) -> Result<Box<dyn Samples>> {
        let folder = PLACE.find(&self.root)?;
        let names: &[&str] = match (split, self.pretrain) {
            (Split::Train, _) => &["train"],
            (Split::Test, _) => &["test"],
            (Split::Pretrain, Pretrain::Unlabeled) => &["unlabeled"],
            (Split::Pretrain, Pretrain::TrainUnlabeled) => &["train", "unlabeled"],
        };
        let files = names
            .iter()
            .map(|name| Images::open(folder.join(format!("{name}_X.bin"))));
        let files: Vec<Images> = files.collect::<Result<_>>()?;
        let labels = match split {
            Split::Pretrain => vec![],
            _ => read_labels(&folder.join(format!("{}_y.bin", names[0])), files[0].count)?,
        };
        let class_names = match labels.is_empty() {
            true => vec![],
            false => class_names(&folder.join("class_names.txt"), CLASSES.into()),
        };
        Ok(Box::new(OnDisk {
            files,
            labels,
            class_names,
        }))
    }

    fn has_unlabelled(&self) -> bool {
        true
    }

    fn source(&self) -> Source {
        Source {
            downloads: vec![PLACE.download(
                "http://ai.stanford.edu/~acoates/stl10/",
                2_640_397_119,
                "91f7769df0f17e558f3565bffb0c7dfb",
                3_200_000_000,
            )],
            page: "https://cs.stanford.edu/~acoates/stl10/".into(),
            terms: "no licence stated, its images are ImageNet's; cite Coates, Ng and Lee, 2011".into(),
            ..PLACE.source(&self.root)
        }
    }

    fn example(&self, folder: &Path) -> Result<toml::Table> {
        for (name, count) in [("train", 20), ("test", 4), ("unlabeled", 16)] {
            let image = |image: usize| (0..IMAGE).map(move |byte| ((image * 7 + byte) % 251) as u8);
            let images: Vec<u8> = (0..count).flat_map(image).collect();
            write(&folder.join(format!("{name}_X.bin")), &images)?;
            if name != "unlabeled" {
                let labels: Vec<u8> = (0..count).map(|image| (image % 10 + 1) as u8).collect();
                write(&folder.join(format!("{name}_y.bin")), &labels)?;
            }
        }
        Ok(root_option(folder))
    }
}

/// The labels of `count` images, from 0.
fn read_labels(path: &Path, count: usize) -> Result<Vec<u8>> {
    let mut labels = read_at_most(path, MOST_LABELS, &PLACE.hint())?;
    if labels.len() != count {
        let message = format!("{} labels for {count} images; fetch the files again", labels.len());
        return Err(Error::data(path, message));
    }
    if let Some(image) = labels.iter().position(|label| !(1..=CLASSES).contains(label)) {
        let message = format!("image {image} has the label {}; labels run from 1 to 10", labels[image]);
        return Err(Error::data(path, message));
    }
    labels.iter_mut().for_each(|label| *label -= 1);
    Ok(labels)
}

/// A file of images.
struct Images {
    path: PathBuf,
    file: File,
    count: usize,
}

impl Images {
    fn open(path: PathBuf) -> Result<Self> {
        let file = open_file(&path, &PLACE.hint())?;
        let bytes = file.metadata().map_err(|error| Error::io(&path, error))?.len();
        if bytes == 0 || bytes % IMAGE as u64 != 0 {
            let message = format!("{bytes} bytes are not whole images of {IMAGE}; fetch the file again");
            return Err(Error::data(path, message));
        }
        let count = (bytes / IMAGE as u64) as usize;
        Ok(Images { path, file, count })
    }

    /// Rows of RGB from planes of columns.
    fn read(&self, index: usize) -> Result<Image> {
        let mut planes = vec![0; IMAGE];
        let offset = index as u64 * IMAGE as u64;
        let read = self.file.read_exact_at(&mut planes, offset);
        read.map_err(|error| Error::io(&self.path, error))?;
        let mut pixels = vec![0; IMAGE];
        for (channel, plane) in planes.chunks_exact(PLANE).enumerate() {
            for (x, column) in plane.chunks_exact(SIDE).enumerate() {
                let down = pixels[3 * x + channel..].iter_mut().step_by(3 * SIDE);
                down.zip(column).for_each(|(pixel, value)| *pixel = *value);
            }
        }
        Ok(Image::new(SIDE, SIDE, pixels))
    }
}

/// Files of images, one after the other.
struct OnDisk {
    files: Vec<Images>,
    /// None where the images have none.
    labels: Vec<u8>,
    class_names: Vec<String>,
}

impl Samples for OnDisk {
    fn len(&self) -> usize {
        self.files.iter().map(|file| file.count).sum()
    }

    fn classes(&self) -> usize {
        if self.labels.is_empty() { 0 } else { CLASSES.into() }
    }

    fn class_names(&self) -> Vec<String> {
        self.class_names.clone()
    }

    fn image(&self, index: usize) -> Result<Image> {
        let (mut file, mut index) = (0, index);
        while index >= self.files[file].count {
            index -= self.files[file].count;
            file += 1;
        }
        self.files[file].read(index)
    }

    /// Gigabytes: their sizes are all that is looked at.
    fn portions(&self) -> Vec<Portion> {
        let portion = |file: &Images| {
            let name = file.path.file_name().unwrap_or_default();
            Portion::new(name.to_string_lossy(), file.count, [&self.labels])
        };
        self.files.iter().map(portion).collect()
    }

    fn label(&self, index: usize) -> usize {
        self.labels.get(index).copied().unwrap_or(0).into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn example(folder: &Path, pretrain: Pretrain) -> Stl10 {
        Stl10::default().example(folder).unwrap();
        let root = folder.into();
        Stl10 { root, pretrain }
    }

    fn error(dataset: &Stl10, split: Split) -> String {
        dataset.open(split).map(|_| ()).unwrap_err().to_string()
    }

    #[test]
    fn columns_of_planes_become_rows_of_pixels() {
        let folder = tempfile::tempdir().unwrap();
        let train = example(folder.path(), Pretrain::Unlabeled).open(Split::Train).unwrap();
        let image = train.image(2).unwrap();
        for (x, y) in [(0, 0), (1, 0), (0, 1), (95, 40)] {
            let byte = |channel: usize| ((14 + channel * 9216 + x * 96 + y) % 251) as u8;
            assert_eq!(
                image.pixels[(y * 96 + x) * 3..][..3],
                [byte(0), byte(1), byte(2)],
                "at {x}, {y}"
            );
        }
        assert_eq!((train.label(0), train.label(9), train.classes()), (0, 9, 10));
    }

    #[test]
    fn pretraining_sees_the_unlabelled_images_and_those_of_training_if_told() {
        let folder = tempfile::tempdir().unwrap();
        let unlabelled = example(folder.path(), Pretrain::Unlabeled)
            .open(Split::Pretrain)
            .unwrap();
        let both = example(folder.path(), Pretrain::TrainUnlabeled)
            .open(Split::Pretrain)
            .unwrap();
        assert_eq!((unlabelled.len(), both.len(), both.classes()), (16, 36, 0));
        let train = example(folder.path(), Pretrain::Unlabeled).open(Split::Train).unwrap();
        assert_eq!(both.image(19).unwrap(), train.image(19).unwrap());
        assert_eq!(both.image(22).unwrap(), unlabelled.image(2).unwrap());
    }

    #[test]
    fn errors_say_what_is_wrong() {
        let folder = tempfile::tempdir().unwrap();
        let dataset = example(folder.path(), Pretrain::Unlabeled);
        let write = |name: &str, bytes: &[u8]| std::fs::write(folder.path().join(name), bytes).unwrap();
        write("train_y.bin", &[1; 19]);
        assert!(error(&dataset, Split::Train).contains("train_y.bin: 19 labels for 20 images"));
        write("train_y.bin", &[0; 20]);
        assert!(error(&dataset, Split::Train).contains("image 0 has the label 0; labels run from 1 to 10"));
        write("unlabeled_X.bin", &[0; 27_649]);
        assert!(error(&dataset, Split::Pretrain).contains("27649 bytes are not whole images of 27648"));
        std::fs::remove_file(folder.path().join("test_X.bin")).unwrap();
        assert!(error(&dataset, Split::Test).contains("there is no such file; unpack `stl10_binary.tar.gz` again"));
    }
}
