//! `svhn`: Street View House Numbers, cropped digits (format 2).
//!
//! An array `X` of rows, columns, channels and images, the first index fastest: image after image, each of a red, a green and a blue
//! plane, column by column. Labels `y` run from 1 to 10, where 10 is the digit 0. Source: Netzer, Wang, Coates, Bissacco, Wu, Ng, "Reading
//! digits in natural images with unsupervised feature learning", 2011, <http://ufldl.stanford.edu/housenumbers/>.

use super::download::file;
use super::files::root_option;
use super::joined::Joined;
use super::mat::{Mat, Value, write_mat};
use super::memory::{Layout, Memory};
use super::place::{Place, data_folder};
use fmicl_core::{Dataset, Documented, Result, Samples, Source, Split, register, toml};
use serde::{Deserialize, Serialize};
use std::path::{Path, PathBuf};

/// Street View House Numbers, 32 x 32 pixels, from `train_32x32.mat` (73,257 images), `test_32x32.mat` (26,032) and, if asked for,
/// `extra_32x32.mat` (531,131 easier ones, 1.6 GB in memory). Papers report the accuracy (top 1).
#[derive(Debug, Documented, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Svhn {
    /// The folder that holds the files, or the one that such a folder `svhn` lies in: the data folder (`$FMICL_DATA`, else `data`)
    /// unless given. Relative to the working directory.
    pub root: PathBuf,
    /// Images for pre-training: `train`, or `train-extra`, the extra images after them. Labelled training images are `train`.
    pub pretrain: SvhnPretrain,
}

/// Images of SVHN for pre-training.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum SvhnPretrain {
    /// `train_32x32.mat`.
    #[default]
    Train,
    /// `train_32x32.mat`, then `extra_32x32.mat`.
    TrainExtra,
}

impl Default for Svhn {
    fn default() -> Self {
        Svhn {
            root: data_folder(),
            pretrain: SvhnPretrain::default(),
        }
    }
}

register!(
    Dataset,
    "svhn",
    Svhn,
    "Street View House Numbers, cropped digits of 32x32 pixels (format 2)"
);

const PLACE: Place = Place {
    folder: "svhn",
    marker: "train_32x32.mat",
    archive: "train_32x32.mat",
    remedy: HINT,
};
const HINT: &str = "run `fmicl data fetch svhn` (with `--set pretrain=train-extra` for the extra images)";
const BASE: &str = "http://ufldl.stanford.edu/housenumbers/";
const SIDE: usize = 32;
const PLANE: usize = SIDE * SIDE;
const IMAGE: usize = 3 * PLANE;
const CLASSES: usize = 10;
/// Twice the extra images.
const MOST: u64 = 4 << 30;

impl Dataset for Svhn {
    fn open(&self, split: Split) -> Result<Box<dyn Samples>> {
        let root = PLACE.find(&self.root)?;
        let open = |name: &str| digits(&root.join(name));
        Ok(match (split, self.pretrain) {
            (Split::Test, _) => Box::new(open("test_32x32.mat")?),
            (Split::Pretrain, SvhnPretrain::TrainExtra) => {
                let parts = [("train", open("train_32x32.mat")?), ("extra", open("extra_32x32.mat")?)];
                Box::new(Joined::new(parts.into()))
            }
            _ => Box::new(open("train_32x32.mat")?),
        })
    }

    fn has_unlabelled(&self) -> bool {
        self.pretrain == SvhnPretrain::TrainExtra
    }

    fn source(&self) -> Source {
        let download = |name: &str, bytes, md5| file(&format!("{BASE}{name}_32x32.mat"), Some(bytes), md5);
        let mut downloads = vec![
            download("train", 182_040_794, "e26dedcc434d2e4c54c9b2d4a06d8373"),
            download("test", 64_275_384, "eb5a983be6a315427106f1b164d9cef3"),
        ];
        if self.pretrain == SvhnPretrain::TrainExtra {
            downloads.push(download("extra", 1_329_278_602, "a93ce644f1a588dc4d68dda5feec44a7"));
        }
        Source {
            folder: self.root.join(PLACE.folder),
            downloads,
            page: BASE.into(),
            terms: "for non-commercial use".into(),
            ..PLACE.source(&self.root)
        }
    }

    fn example(&self, folder: &Path) -> Result<toml::Table> {
        for (name, count) in [("train", 20), ("test", 10), ("extra", 5)] {
            let image = |image: usize| (0..IMAGE).map(move |byte| ((image * 7 + byte) % 251) as u8);
            let images = Value::Bytes {
                shape: vec![SIDE, SIDE, 3, count],
                bytes: (0..count).flat_map(image).collect(),
            };
            let labels = Value::Bytes {
                shape: vec![count, 1],
                bytes: (0..count).map(|image| (image % CLASSES + 1) as u8).collect(),
            };
            write_mat(
                &folder.join(format!("{name}_32x32.mat")),
                &[("X", images), ("y", labels)],
            )?;
        }
        Ok(root_option(folder))
    }
}

/// The images and labels of a file.
fn digits(path: &Path) -> Result<Memory> {
    let mut file = Mat::read(path, &["X", "y"], MOST, HINT)?;
    let (shape, mut pixels) = file.bytes("X")?;
    let [SIDE, SIDE, 3, count] = shape[..] else {
        return Err(file.wrong(format!(
            "its `X` has the shape {shape:?}, not 32, 32, 3 and the number of images; {HINT}"
        )));
    };
    let labels = file.indices("y")?;
    if count == 0 {
        return Err(file.wrong(format!("is empty; {HINT}")));
    }
    if labels.len() != count {
        return Err(file.wrong(format!("{} labels for {count} images; {HINT}", labels.len())));
    }
    if let Some(image) = labels.iter().position(|&label| label > CLASSES) {
        let message = format!(
            "image {image} has the label {}; labels run from 1 to 10; {HINT}",
            labels[image]
        );
        return Err(file.wrong(message));
    }
    // In place, since there may be gigabytes.
    let mut planes = [0; IMAGE];
    for image in pixels.chunks_exact_mut(IMAGE) {
        planes.copy_from_slice(image);
        for (place, pixel) in image.chunks_exact_mut(3).enumerate() {
            let (x, y) = (place % SIDE, place / SIDE);
            for (channel, value) in pixel.iter_mut().enumerate() {
                *value = planes[channel * PLANE + x * SIDE + y];
            }
        }
    }
    Ok(Memory {
        width: SIDE,
        height: SIDE,
        layout: Layout::Rgb,
        pixels,
        labels: labels.into_iter().map(|label| (label % CLASSES) as u8).collect(),
        classes: CLASSES,
        class_names: (0..CLASSES).map(|digit| digit.to_string()).collect(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn example(folder: &Path, pretrain: SvhnPretrain) -> Svhn {
        Svhn::default().example(folder).unwrap();
        let root = folder.into();
        Svhn { root, pretrain }
    }

    #[test]
    fn columns_of_planes_become_rows_of_pixels_and_10_is_the_digit_0() {
        let folder = tempfile::tempdir().unwrap();
        let train = example(folder.path(), SvhnPretrain::Train).open(Split::Train).unwrap();
        let image = train.image(2).unwrap();
        for (x, y) in [(0, 0), (1, 0), (0, 1), (31, 17)] {
            let byte = |channel: usize| ((14 + channel * 1024 + x * 32 + y) % 251) as u8;
            assert_eq!(
                image.pixels[(y * 32 + x) * 3..][..3],
                [byte(0), byte(1), byte(2)],
                "at {x}, {y}"
            );
        }
        assert_eq!((train.label(0), train.label(9), train.classes()), (1, 0, 10));
    }

    #[test]
    fn pretraining_sees_the_extra_images_if_told() {
        let folder = tempfile::tempdir().unwrap();
        let dataset = example(folder.path(), SvhnPretrain::TrainExtra);
        let (pretrain, train) = (
            dataset.open(Split::Pretrain).unwrap(),
            dataset.open(Split::Train).unwrap(),
        );
        assert_eq!((pretrain.len(), train.len(), pretrain.label(24)), (25, 20, 5));
        assert_eq!(pretrain.image(19).unwrap(), train.image(19).unwrap());
        // The example's images are the same in each file.
        assert_eq!(pretrain.image(24).unwrap(), train.image(4).unwrap());
        fmicl_core::testing::check_dataset(&*pretrain);
    }

    #[test]
    fn errors_say_what_is_wrong() {
        let folder = tempfile::tempdir().unwrap();
        let dataset = example(folder.path(), SvhnPretrain::Train);
        let error = |side: usize, labels: &[u8]| {
            let array = |shape: Vec<usize>, bytes: Vec<u8>| Value::Bytes { shape, bytes };
            let images = array(vec![side, 32, 3, 2], vec![0; side * 32 * 3 * 2]);
            let labels = array(vec![labels.len(), 1], labels.to_vec());
            write_mat(&folder.path().join("test_32x32.mat"), &[("X", images), ("y", labels)]).unwrap();
            dataset.open(Split::Test).map(|_| ()).unwrap_err().to_string()
        };
        assert!(error(16, &[1, 2]).contains("its `X` has the shape [16, 32, 3, 2], not 32, 32, 3 and the number"));
        assert!(error(32, &[1, 2, 3]).contains("3 labels for 2 images; run `fmicl data fetch svhn`"));
        assert!(error(32, &[1, 11]).contains("image 1 has the label 11; labels run from 1 to 10"));
        assert!(error(32, &[1, 0]).contains("its `y` is not an array of whole numbers from 1"));
        std::fs::remove_file(folder.path().join("test_32x32.mat")).unwrap();
        let missing = dataset.open(Split::Test).map(|_| ()).unwrap_err().to_string();
        assert!(
            missing.contains("test_32x32.mat: there is no such file; run `fmicl data fetch svhn`"),
            "{missing}"
        );
    }
}
