//! `cars`: Stanford Cars.
//!
//! Source: Krause, Stark, Deng, Fei-Fei, "3D object representations for fine-grained categorization", 3dRR 2013.

use super::files::root_option;
use super::listed::Listed;
use super::mat::{Mat, Value, write_mat};
use super::photos::write_photo;
use super::place::{Place, data_folder};
use fmicl_core::{Dataset, Documented, Result, Samples, Source, Split, register, toml};
use serde::{Deserialize, Serialize};
use std::ffi::OsString;
use std::path::{Path, PathBuf};

/// Stanford Cars from `cars_train/`, `cars_test/` and `devkit/`: 196 models, 8,144 training and 8,041 test images. Papers report the
/// accuracy (top 1) of whole images, as they are here (Kornblith et al., CVPR 2019).
///
/// The labels of the test images, `cars_test_annos_withlabels.mat`, lie in `devkit` or, as torchvision has them, beside it.
#[derive(Debug, Documented, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Cars {
    /// The folder that holds `cars_train`, `cars_test` and `devkit`, or the one that such a folder `stanford_cars` lies in: the data
    /// folder (`$FMICL_DATA`, else `data`) unless given. Relative to the working directory.
    pub root: PathBuf,
}

impl Default for Cars {
    fn default() -> Self {
        Cars { root: data_folder() }
    }
}

register!(
    Dataset,
    "cars",
    Cars,
    "Stanford Cars, 196 models, in its official layout and split"
);

const PLACE: Place = Place {
    folder: "stanford_cars",
    marker: "devkit",
    archive: "car_devkit.tgz",
    remedy: HINT,
};
const HINT: &str = "unpack cars_train.tgz, cars_test.tgz and car_devkit.tgz to stanford_cars/ and put cars_test_annos_withlabels.mat into \
                    its folder devkit/; their official address, ai.stanford.edu/~jkrause/cars, is gone";
const TEST_LABELS: &str = "cars_test_annos_withlabels.mat";
/// Fifty times what the lists have, unpacked.
const MOST: u64 = 256 << 20;

impl Dataset for Cars {
    fn open(&self, split: Split) -> Result<Box<dyn Samples>> {
        let root = PLACE.find(&self.root)?;
        let devkit = root.join("devkit");
        let names = ["class_names"];
        let classes = Mat::read(&devkit.join("cars_meta.mat"), &names, MOST, HINT)?.texts("class_names")?;
        let (folder, path) = match split {
            Split::Pretrain | Split::Train => ("cars_train", devkit.join("cars_train_annos.mat")),
            Split::Test if root.join(TEST_LABELS).exists() => ("cars_test", root.join(TEST_LABELS)),
            Split::Test => ("cars_test", devkit.join(TEST_LABELS)),
        };
        let mut list = Mat::read(&path, &["annotations"], MOST, HINT)?;
        let count = classes.len();
        let classes: Vec<_> = classes.into_iter().map(OsString::from).collect();
        let mut photos = Listed::new(&root, &classes, HINT);
        for (index, (name, class)) in list.named_indices("annotations", "fname", "class")?.iter().enumerate() {
            let image = index + 1;
            if *class > count {
                return Err(list.wrong(format!(
                    "image {image} has the class {class}; there are {count} in cars_meta.mat; {HINT}"
                )));
            }
            photos.add(
                &path,
                format_args!("image {image}"),
                &format!("{folder}/{name}"),
                class - 1,
            )?;
        }
        photos.samples(&path)
    }

    fn source(&self) -> Source {
        Source {
            // torchvision's page on it.
            page: "https://pytorch.org/vision/stable/generated/torchvision.datasets.StanfordCars.html".into(),
            terms: "for non-commercial research (ImageNet's terms)".into(),
            by_hand: HINT.into(),
            ..PLACE.source(&self.root)
        }
    }

    fn example(&self, folder: &Path) -> Result<toml::Table> {
        let devkit = folder.join("devkit");
        let text = |text: &str| Value::Text(text.into());
        let names = ["AM General Hummer SUV 2000", "Acura RL Sedan 2012"].map(text);
        write_mat(
            &devkit.join("cars_meta.mat"),
            &[("class_names", Value::Cell(names.into()))],
        )?;
        for (split, list, count) in [
            ("cars_train", "cars_train_annos.mat", 16),
            ("cars_test", TEST_LABELS, 6),
        ] {
            let mut values = Vec::new();
            for photo in 1..=count {
                let (class, name) = (photo % 2 + 1, format!("{photo:05}.jpg"));
                write_photo(&folder.join(split).join(&name), class, photo)?;
                // A box that nobody needs.
                values.extend([2.0, 3.0, 20.0, 18.0].map(|side| Value::Numbers(vec![side])));
                let class = Value::Bytes {
                    shape: vec![1, 1],
                    bytes: vec![class as u8],
                };
                values.extend([class, text(&name)]);
            }
            let fields = ["bbox_x1", "bbox_y1", "bbox_x2", "bbox_y2", "class", "fname"];
            let fields = fields.map(String::from).into();
            write_mat(
                &devkit.join(list),
                &[("annotations", Value::Structs { fields, values })],
            )?;
        }
        Ok(root_option(folder))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn example(folder: &Path) -> Cars {
        Cars::default().example(folder).unwrap();
        Cars { root: folder.into() }
    }

    #[test]
    fn annotations_name_photos_and_classes_and_those_of_the_test_lie_in_two_places() {
        let folder = tempfile::tempdir().unwrap();
        let dataset = example(folder.path());
        let check = || {
            let (train, test) = (dataset.open(Split::Train).unwrap(), dataset.open(Split::Test).unwrap());
            assert_eq!((train.len(), test.len()), (16, 6));
            assert_eq!(
                train.class_names(),
                ["AM General Hummer SUV 2000", "Acura RL Sedan 2012"]
            );
            assert_eq!((train.label(0), train.label(1), test.label(4)), (1, 0, 1));
            assert_eq!(test.path(4), Some(folder.path().join("cars_test/00005.jpg")));
        };
        check();
        std::fs::rename(
            folder.path().join("devkit").join(TEST_LABELS),
            folder.path().join(TEST_LABELS),
        )
        .unwrap();
        check();
    }

    #[test]
    fn errors_say_what_is_wrong() {
        let folder = tempfile::tempdir().unwrap();
        let dataset = example(folder.path());
        let error = || dataset.open(Split::Train).map(|_| ()).unwrap_err().to_string();
        let path = folder.path().join("devkit/cars_train_annos.mat");
        let list = |fields: &[&str], values: Vec<Value>| {
            let fields = fields.iter().map(|field| field.to_string()).collect();
            write_mat(&path, &[("annotations", Value::Structs { fields, values })]).unwrap();
        };
        let image = |class: f64, name: &str| vec![Value::Numbers(vec![class]), Value::Text(name.into())];
        list(&["class", "fname"], image(3.0, "00001.jpg"));
        assert!(error().contains("image 1 has the class 3; there are 2 in cars_meta.mat; unpack cars_train.tgz"));
        list(&["class", "fname"], image(1.0, "../cars_test/00001.jpg"));
        assert!(error().contains("image 1: `cars_train/../cars_test/00001.jpg` is not a path in this dataset"));
        list(&["class", "fname"], image(1.0, "00099.jpg"));
        assert!(error().contains("image 1: `00099.jpg` is not a photo in `cars_train`"));
        list(&["class", "name"], image(1.0, "00001.jpg"));
        assert!(error().contains("its `annotations` is not structs with the fields `fname` and `class`"));
        list(&["class", "fname"], vec![]);
        assert!(error().contains("cars_train_annos.mat: is empty"));
        std::fs::remove_dir_all(folder.path().join("cars_test")).unwrap();
        let missing = dataset.open(Split::Test).map(|_| ()).unwrap_err().to_string();
        assert!(missing.contains("cars_test: there is no such folder"), "{missing}");
        std::fs::remove_file(folder.path().join("devkit").join(TEST_LABELS)).unwrap();
        let missing = dataset.open(Split::Test).map(|_| ()).unwrap_err().to_string();
        assert!(
            missing.contains("cars_test_annos_withlabels.mat: there is no such file; unpack"),
            "{missing}"
        );
    }
}
