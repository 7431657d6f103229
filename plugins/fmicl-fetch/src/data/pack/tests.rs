//! Packing as a user does it.

use super::*;
use std::collections::BTreeMap;
use std::io::Read;

/// The files of each shard in a folder, by the shard's name.
fn contents(folder: &Path) -> BTreeMap<String, Vec<(String, Vec<u8>)>> {
    let files = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let shards = files.filter(|path| path.extension().is_some_and(|extension| extension == "tar"));
    let read = |path: PathBuf| {
        let mut tar = tar::Archive::new(fs::File::open(&path).unwrap());
        let entries = tar.entries().unwrap().map(|entry| {
            let mut entry = entry.unwrap();
            assert_eq!(entry.header().mtime().unwrap(), 0);
            let mut bytes = Vec::new();
            entry.read_to_end(&mut bytes).unwrap();
            (entry.path().unwrap().to_str().unwrap().to_string(), bytes)
        });
        (
            path.file_name().unwrap().to_str().unwrap().to_string(),
            entries.collect(),
        )
    };
    shards.map(read).collect()
}

fn images(folder: &Path) -> Part<dyn Dataset> {
    let dataset = Part::<dyn Dataset>::new("image-folder", toml::Table::new()).unwrap();
    let options = dataset.example(&folder.join("images")).unwrap();
    Part::new("image-folder", options).unwrap()
}

fn pack(dataset: &Part<dyn Dataset>, out: &Path, change: impl FnOnce(&mut Pack)) -> Result<String, String> {
    let mut pack = Pack {
        format: Format::Tar,
        size: None,
        encode: None,
        out: Some(out.into()),
        shard_size: 500,
    };
    change(&mut pack);
    let mut said = Vec::new();
    let packed = pack.run(&mut said, dataset, None);
    packed.map_err(|error| error.to_string())?;
    Ok(String::from_utf8(said).unwrap())
}

#[test]
fn files_are_packed_as_they_are_with_their_labels_and_the_names_of_the_classes() {
    let folder = tempfile::tempdir().unwrap();
    let (dataset, out) = (images(folder.path()), folder.path().join("out"));
    let said = pack(&dataset, &out, |_| {}).unwrap();
    let root = out.display();
    let expected = format!("in an experiment: dataset = {{ name = \"webdataset\", root = \"{root}\" }}\n");
    assert!(
        said.starts_with("packed 28 images into 2 shards of ") && said.ends_with(&expected),
        "{said}"
    );
    assert_eq!(fs::read(out.join("classes.txt")).unwrap(), b"one\ntwo\n");
    let shards = contents(&out);
    assert_eq!(
        shards.keys().collect::<Vec<_>>(),
        ["test-000000.tar", "train-000000.tar"]
    );
    let train = &shards["train-000000.tar"];
    assert_eq!(
        (train.len(), &*train[38].0, &train[38].1[..], &*train[39].0),
        (40, "00000019.cls", &b"1"[..], "00000019.png")
    );
    assert_eq!(
        train[39].1,
        fs::read(folder.path().join("images/train/two/9.png")).unwrap()
    );
    // Nothing else lies there, or beside it.
    assert_eq!(fs::read_dir(&out).unwrap().count(), 3);
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 2);
}

#[test]
fn the_same_images_make_the_same_bytes_in_shards_of_the_size_that_is_asked_for() {
    let folder = tempfile::tempdir().unwrap();
    let dataset = Part::<dyn Dataset>::new("digits", toml::Table::new()).unwrap();
    let outs = ["a", "b"].map(|name| folder.path().join(name));
    for out in &outs {
        pack(&dataset, out, |pack| pack.shard_size = 1).unwrap();
    }
    let [a, b] = outs.each_ref().map(|out| contents(out));
    assert!(a == b, "other files");
    assert_eq!(
        a.keys().collect::<Vec<_>>(),
        [
            "test-000000.tar",
            "train-000000.tar",
            "train-000001.tar",
            "train-000002.tar"
        ]
    );
    for name in a.keys() {
        let [a, b] = outs.each_ref().map(|out| fs::read(out.join(name)).unwrap());
        assert!(a == b, "{name} has other bytes");
    }
    // Those that are no files are saved without a loss.
    let samples = dataset.open(Split::Test).unwrap();
    let (name, bytes) = &a["test-000000.tar"][7];
    let image = image::load_from_memory(bytes).unwrap().into_rgb8();
    assert_eq!(
        (&**name, image.into_raw()),
        ("00000003.png", samples.image(3).unwrap().pixels)
    );
}

#[test]
fn larger_images_are_resized_by_the_shorter_side_and_smaller_ones_stay() {
    let folder = tempfile::tempdir().unwrap();
    let dataset = images(folder.path());
    let packed = |name: &str, size, encode| {
        let out = folder.path().join(name);
        pack(&dataset, &out, |pack| (pack.size, pack.encode) = (Some(size), encode)).unwrap();
        contents(&out)["train-000000.tar"][1].clone()
    };
    let (name, bytes) = packed("jpeg", 10, None);
    let image = image::load_from_memory(&bytes).unwrap();
    assert_eq!((&*name, image.width(), image.height()), ("00000000.jpg", 12, 10));
    let (name, bytes) = packed("png", 10, Some(Encode::Png));
    let resized = resize(&dataset);
    assert_eq!(
        (&*name, image::load_from_memory(&bytes).unwrap().into_rgb8().into_raw()),
        ("00000000.png", resized)
    );
    let (name, bytes) = packed("whole", 20, None);
    assert_eq!(
        (&*name, bytes),
        (
            "00000000.png",
            fs::read(folder.path().join("images/train/one/0.png")).unwrap()
        )
    );
}

/// The pixels of the first image, resized as views do it.
fn resize(dataset: &Part<dyn Dataset>) -> Vec<u8> {
    let image = dataset.open(Split::Train).unwrap().image(0).unwrap();
    let planes = fmicl_data::transforms::resize_shorter_side(&image.into(), 10);
    let [red, green, blue] = planes.split();
    red.iter()
        .zip(green)
        .zip(blue)
        .flat_map(|((&r, &g), &b)| [r, g, b])
        .collect()
}

#[test]
fn files_that_cannot_be_read_are_packed_counted_and_named_and_so_is_what_is_left_out() {
    let folder = tempfile::tempdir().unwrap();
    let (dataset, out) = (images(folder.path()), folder.path().join("out"));
    let at = |path: &str| folder.path().join("images").join(path);
    let cut = &fs::read(at("train/two/3.png")).unwrap()[..60];
    fs::write(at("train/two/3.png"), cut).unwrap();
    for photo in 0..11 {
        fs::write(at(&format!("test/one/x{photo:02}.png")), "").unwrap();
    }
    fs::create_dir_all(at("val/one")).unwrap();
    fs::copy(at("train/one/0.png"), at("val/one/0.png")).unwrap();
    let said = pack(&dataset, &out, |_| {}).unwrap();
    let root = at("").display().to_string();
    let said: Vec<_> = said.lines().map(|line| line.replace(&root, "")).collect();
    assert_eq!(
        said[0],
        "note: val: is not used, since the test split is `test`; `test = \"val\"` tests on it"
    );
    assert!(
        said[1].starts_with("12 files cannot be read, and are packed as they are; `fmicl data check --list`"),
        "{said:?}"
    );
    assert_eq!(said[2], "  test/one/x00.png: is empty");
    assert_eq!(said[12], "  and 2 more");
    assert!(said[13].starts_with("packed 39 images into "), "{said:?}");
    let shards = contents(&out);
    assert!(shards["train-000000.tar"].iter().any(|(_, bytes)| bytes == cut));
}

#[test]
fn what_cannot_be_packed_leaves_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let (dataset, out) = (images(folder.path()), folder.path().join("out"));
    fs::create_dir(&out).unwrap();
    fs::write(out.join("notes.txt"), "").unwrap();
    let error = pack(&dataset, &out, |_| {}).unwrap_err();
    assert!(
        error.ends_with("out: is there already; `--out DIR` names another folder"),
        "{error}"
    );
    fs::remove_file(out.join("notes.txt")).unwrap();
    fs::write(folder.path().join("images/train/two/3.png"), "no image").unwrap();
    let error = pack(&dataset, &out, |pack| pack.size = Some(10)).unwrap_err();
    assert!(error.contains("two/3.png: is no JPEG, "), "{error}");
    assert_eq!(fs::read_dir(&out).unwrap().count(), 0);
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 2);
    let error = pack(&dataset, &out, |pack| pack.size = Some(0)).unwrap_err();
    assert_eq!(error, "--size and --shard-size are at least 1");
}
