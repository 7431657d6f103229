//! Folders as people have them.

use super::*;
use fmicl_core::testing::check_dataset;
use image::{DynamicImage, GrayAlphaImage, GrayImage, LumaA, RgbImage, RgbaImage};

/// A photo-like image of one colour a column.
pub(super) fn photo(width: u32, height: u32, seed: u32) -> RgbImage {
    RgbImage::from_fn(width, height, |x, y| {
        image::Rgb([x * 7 + seed, y * 5, x + y].map(|value| (value % 256) as u8))
    })
}

pub(super) fn save(image: impl Into<DynamicImage>, path: PathBuf) {
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    image.into().save(path).unwrap();
}

/// Two classes, `cat` with two images and `dog` with one, in `train` and `val`.
pub(super) fn write(root: &Path) -> ImageFolder {
    for split in ["train", "val"] {
        save(photo(12, 9, 1), root.join(split).join("dog/a.PNG"));
        save(photo(10, 8, 2), root.join(split).join("cat/deep/b.png"));
        save(photo(16, 16, 3), root.join(split).join("cat/c.JPEG"));
        std::fs::write(root.join(split).join("cat/notes.txt"), "not an image").unwrap();
    }
    ImageFolder {
        root: root.into(),
        ..Default::default()
    }
}

pub(super) fn error(dataset: &ImageFolder, split: Split) -> String {
    dataset.open(split).map(|_| ()).unwrap_err().to_string()
}

#[test]
fn classes_are_numbered_by_name_and_val_is_the_test_split() {
    let folder = tempfile::tempdir().unwrap();
    let dataset = write(folder.path());
    for split in [Split::Pretrain, Split::Test] {
        let samples = dataset.open(split).unwrap();
        check_dataset(&*samples);
        let labels: Vec<_> = (0..samples.len()).map(|index| samples.label(index)).collect();
        assert_eq!((labels, samples.classes()), (vec![0, 0, 1], 2));
        assert_eq!(samples.class_names(), ["cat", "dog"]);
        assert!(samples.path(2).unwrap().ends_with("dog/a.PNG"));
        assert_eq!(samples.image(2).unwrap().pixels, photo(12, 9, 1).into_raw());
        let (image, photo) = (samples.image(0).unwrap(), photo(16, 16, 3).into_raw());
        assert_eq!((image.width, image.height), (16, 16));
        let off: i64 = image
            .pixels
            .iter()
            .zip(&photo)
            .map(|(a, b)| i64::from(a.abs_diff(*b)))
            .sum();
        assert!(off / 768 < 16, "a JPEG is off by {} on average", off / 768);
    }
}

#[test]
fn class_folders_may_lie_in_the_root_and_splits_may_coincide() {
    let folder = tempfile::tempdir().unwrap();
    write(folder.path());
    let root = folder.path().join("train");
    let dataset = ImageFolder {
        root,
        train: ".".into(),
        test: Some(".".into()),
        ..Default::default()
    };
    assert_eq!(dataset.open(Split::Train).unwrap().len(), 3);
    assert_eq!(dataset.open(Split::Test).unwrap().len(), 3);
}

#[test]
fn gray_and_transparent_images_become_rgb_as_pil_does_it() {
    let folder = tempfile::tempdir().unwrap();
    let class = folder.path().join("train/only");
    save(GrayImage::from_raw(1, 1, vec![90]).unwrap(), class.join("a.png"));
    save(
        RgbaImage::from_raw(1, 1, vec![10, 20, 30, 40]).unwrap(),
        class.join("b.png"),
    );
    save(GrayAlphaImage::from_pixel(1, 1, LumaA([70, 0])), class.join("c.png"));
    let samples = ImageFolder {
        root: folder.path().into(),
        ..Default::default()
    }
    .open(Split::Train)
    .unwrap();
    let pixels: Vec<_> = (0..3).map(|index| samples.image(index).unwrap().pixels).collect();
    // Transparency is dropped, not blended.
    assert_eq!(pixels, [[90, 90, 90], [10, 20, 30], [70, 70, 70]]);
}

#[test]
fn photos_without_class_folders_have_no_labels_wherever_they_lie() {
    for (photos, train) in [("", "train"), ("", "."), ("train", "train"), ("mine", "mine")] {
        let folder = tempfile::tempdir().unwrap();
        for name in ["b.png", "a.png", "notes.txt"] {
            let path = folder.path().join(photos).join(name);
            match name.ends_with("png") {
                true => save(photo(4, 4, 0), path),
                false => crate::datasets::files::write(&path, b"").unwrap(),
            }
        }
        let dataset = ImageFolder {
            root: folder.path().into(),
            train: train.into(),
            ..Default::default()
        };
        for split in [Split::Pretrain, Split::Train] {
            let samples = dataset.open(split).unwrap();
            check_dataset(&*samples);
            assert_eq!((samples.len(), samples.classes()), (2, 0), "{photos} {train}");
            let notes = samples.notes();
            assert!(
                notes[0].ends_with(": photos without class folders have no labels"),
                "{notes:?}"
            );
            assert!(notes[1].contains(": 1 left out: 1 .txt"), "{notes:?}");
        }
    }
}

#[test]
fn folders_are_no_classes_where_there_are_no_labels() {
    let folder = tempfile::tempdir().unwrap();
    let dataset = ImageFolder {
        labels: ReadLabels::None,
        ..write(folder.path())
    };
    for split in [Split::Train, Split::Test] {
        let samples = dataset.open(split).unwrap();
        assert_eq!((samples.len(), samples.classes()), (3, 0));
        check_dataset(&*samples);
    }
}

#[test]
fn a_file_is_told_by_its_content_whatever_its_name() {
    let folder = tempfile::tempdir().unwrap();
    let webp = include_bytes!("../../../golden/formats/lossless.webp");
    for name in ["a.jpg", "b.webp", "c.PNG", "d.Gif"] {
        crate::datasets::files::write(&folder.path().join("train/only").join(name), webp).unwrap();
    }
    let dataset = ImageFolder {
        root: folder.path().into(),
        ..Default::default()
    };
    let samples = dataset.open(Split::Train).unwrap();
    let pixels: Vec<_> = (0..4).map(|index| samples.image(index).unwrap().pixels).collect();
    assert!(pixels[0].len() == 23 * 17 * 3 && pixels.iter().all(|found| *found == pixels[0]));
}

#[test]
fn a_class_may_mix_every_format_that_torchvision_reads() {
    let folder = tempfile::tempdir().unwrap();
    let class = folder.path().join("train/dog");
    let formats: [(&str, &[u8]); 4] = [
        ("webp", include_bytes!("../../../golden/formats/lossless.webp")),
        ("TIFF", include_bytes!("../../../golden/formats/rgb-raw.tif")),
        ("bmp", include_bytes!("../../../golden/formats/rgb.bmp")),
        ("ppm", include_bytes!("../../../golden/formats/rgb.ppm")),
    ];
    for photo in 0..2 {
        save(image::RgbImage::new(3, 2), class.join(format!("{photo}.png")));
        for (extension, bytes) in formats {
            crate::datasets::files::write(&class.join(format!("{photo}.{extension}")), bytes).unwrap();
        }
    }
    let dataset = ImageFolder {
        root: folder.path().into(),
        ..Default::default()
    };
    let samples = dataset.open(Split::Train).unwrap();
    check_dataset(&*samples);
    assert_eq!((samples.len(), samples.notes().len()), (10, 0));
    (0..10).for_each(|index| drop(samples.image(index).unwrap()));
}

#[test]
fn errors_say_what_is_wrong() {
    let folder = tempfile::tempdir().unwrap();
    let dataset = write(folder.path());
    assert!(error(&ImageFolder::default(), Split::Train).starts_with("root: is missing: set it to a folder"));
    let elsewhere = ImageFolder {
        root: folder.path().join("nowhere"),
        ..Default::default()
    };
    let found = error(&elsewhere, Split::Train);
    let expected = "nowhere: there is no such folder; `root` (--set dataset.root=DIR) should hold train/CLASS/";
    assert!(found.contains(expected), "{found}");

    std::fs::create_dir(folder.path().join("train/empty")).unwrap();
    assert!(error(&dataset, Split::Train).contains("train/empty: holds no .jpg, .jpeg, .png"));
    save(photo(2, 2, 0), folder.path().join("val/bird/a.png"));
    let found = error(&dataset, Split::Test);
    assert!(
        found.contains("the class `bird` is not among the 3 of training; add photos of it there, or move this folder"),
        "{found}"
    );
    std::fs::remove_dir_all(folder.path().join("val")).unwrap();
    let found = error(&dataset, Split::Test);
    let own = "`test = \"train\"`, the folder of `train`, tests on the training photos";
    assert!(
        found.ends_with(&format!(
            "holds none of test, testing, val, valid, validation; the option `test` names another folder below it; {own}; \
             `labels = \"none\"` trains without labels and tests nothing"
        )),
        "{found}"
    );
    // Where the classes lie in `root` itself, that folder is another one.
    let beside = ImageFolder {
        root: folder.path().join("train"),
        train: ".".into(),
        test: Some("train".into()),
        ..Default::default()
    };
    let found = error(&beside, Split::Test);
    let own = "`test = \".\"`, the folder of `train`, tests on the training photos";
    assert!(
        found.ends_with(&format!(
            "train/train: there is no such folder; `test` names one below `root`; {own}"
        )),
        "{found}"
    );
}
