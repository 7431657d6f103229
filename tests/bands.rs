//! Images of other channels than RGB: TIFF of several bands, and arrays of numpy's.

#![expect(clippy::unwrap_used, reason = "helpers of tests")]

// The crates that the program links.
#[expect(dead_code, reason = "the tests have a `main` of their own")]
#[path = "../src/main.rs"]
mod program;

use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};

/// Whether a command that gets these lines succeeds, its stdout, and its stderr.
fn given(lines: &str, args: &[&str]) -> (bool, String, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_fmicl"));
    let command = command.args(args).env("OMP_NUM_THREADS", "1");
    let command = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    child.stdin.take().unwrap().write_all(lines.as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    let [stdout, stderr] = [output.stdout, output.stderr].map(|bytes| String::from_utf8(bytes).unwrap());
    (output.status.success(), stdout, stderr)
}

fn fmicl(args: &[&str]) -> (bool, String, String) {
    given("", args)
}

fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

/// A value of an image of a class, from 0 to 4000.
fn value(class: usize, image: usize, at: usize) -> u16 {
    ((at * (3 + class) + 131 * image + at * at / 7) % 2000 + 2000 * class) as u16
}

/// A TIFF of 16 bits a sample, little-endian, in one strip.
fn tiff(side: u16, channels: u16, value: impl Fn(usize) -> u16) -> Vec<u8> {
    let count = usize::from(side) * usize::from(side) * usize::from(channels);
    let data: Vec<u8> = (0..count).flat_map(|at| value(at).to_le_bytes()).collect();
    let directory = 8 + data.len() as u32;
    let bits = directory + 2 + 10 * 12 + 4;
    let entries: [(u16, u16, u32, u32); 10] = [
        (256, 3, 1, side.into()),
        (257, 3, 1, side.into()),
        (258, 3, channels.into(), bits),
        (259, 3, 1, 1),
        (262, 3, 1, 1),
        (273, 4, 1, 8),
        (277, 3, 1, channels.into()),
        (278, 3, 1, side.into()),
        (279, 4, 1, data.len() as u32),
        (284, 3, 1, 1),
    ];
    let mut file = [b"II\x2a\0", &directory.to_le_bytes()[..], &data].concat();
    file.extend((entries.len() as u16).to_le_bytes());
    for (tag, kind, count, value) in entries {
        file.extend(tag.to_le_bytes().into_iter().chain(kind.to_le_bytes()));
        file.extend(count.to_le_bytes().into_iter().chain(value.to_le_bytes()));
    }
    file.extend([0; 4]);
    file.extend((0..channels).flat_map(|_| 16u16.to_le_bytes()));
    file
}

/// An array of float32, of the channels first.
fn npy(side: usize, channels: usize, value: impl Fn(usize) -> u16) -> Vec<u8> {
    let header = format!("{{'descr': '<f4', 'fortran_order': False, 'shape': ({channels}, {side}, {side}), }}\n");
    let data = (0..channels * side * side).flat_map(|at| (f32::from(value(at)) / 4000.0).to_le_bytes());
    let length = (header.len() as u16).to_le_bytes();
    let start = [b"\x93NUMPY\x01\x00", &length[..], header.as_bytes()].concat();
    start.into_iter().chain(data).collect()
}

/// Two classes of images in `images`, and `x.toml` that trains on them.
fn write(folder: &Path, extension: &str, file: impl Fn(usize, usize) -> Vec<u8>, options: &str) {
    for (split, first, count) in [("train", 0, 8), ("test", 8, 2)] {
        for (class, name) in ["one", "two"].into_iter().enumerate() {
            let class_folder = folder.join("images").join(split).join(name);
            std::fs::create_dir_all(&class_folder).unwrap();
            for image in first..first + count {
                std::fs::write(class_folder.join(format!("{image}.{extension}")), file(class, image)).unwrap();
            }
        }
    }
    let experiment = format!(
        "dataset = {{ name = 'image-folder', root = {:?} }}
        architecture = 'simclr'
        objective = 'infonce'
        optimizer = 'sgd'
        device = 'cpu'
        train = {{ epochs = 1, batch_size = 8, lr = 0.1 }}
        views.size = 16
        {options}",
        folder.join("images")
    );
    std::fs::write(folder.join("x.toml"), experiment).unwrap();
}

const FOUR: &str = "backbone = { name = 'resnet', stem = 'cifar', width = 8 }
    views.channels = 4
    views.range = [0, 4000]";

fn four(folder: &Path) {
    write(
        folder,
        "tif",
        |class, image| tiff(20, 4, |at| value(class, image, at)),
        FOUR,
    );
}

#[test]
fn a_tiff_of_four_bands_trains_a_resnet_whose_features_every_command_makes() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    four(folder.path());
    let (file, run) = (at("x.toml"), at("run"));

    let (succeeds, checked, error) = fmicl(&["check", text(&file), "--files"]);
    assert!(succeeds, "{error}");
    for line in [
        "image-folder: 16 images to train on, 16 and 4 with labels of 2 classes\n",
        "16 x 16 pixels, 4 channels, of values from 0 to 4000, normalised by mean [0.5, 0.5, 0.5, 0.5] and deviation",
        "samples   all 20 can be read\n",
        "views.normalize is for no images in particular, the default; of 16 of these images: { mean = [",
    ] {
        assert!(checked.contains(line), "{line}: {checked}");
    }
    let (succeeds, _, log) = fmicl(&["train", text(&file), "--out", text(&run)]);
    assert!(succeeds, "{log}");
    let result = std::fs::read_to_string(run.join("result.json")).unwrap();
    assert!(result.contains("\"steps\": 2") || result.contains("knn"), "{result}");

    let weights = at("four.safetensors");
    let (succeeds, _, error) = fmicl(&["export", text(&run), "--out", text(&weights)]);
    assert!(succeeds, "{error}");
    let tensors = fmicl_core::tch::Tensor::read_safetensors(&weights).unwrap();
    let (_, conv1) = tensors.into_iter().find(|(name, _)| name == "conv1.weight").unwrap();
    assert_eq!(conv1.size(), [8, 4, 3, 3]);

    let (succeeds, written, error) = fmicl(&["features", text(&run)]);
    assert!(
        succeeds && written.contains("16 images, 64 features"),
        "{written} {error}"
    );
    let (succeeds, embedded, error) = given(
        &format!("{}\n", text(&at("images/test/two/9.tif"))),
        &["embed", text(&run)],
    );
    assert!(
        succeeds && embedded.split_whitespace().count() == 64,
        "{embedded} {error}"
    );
    let (succeeds, judged, error) = fmicl(&["eval", text(&run), "--on", "knn", "--data", text(&at("images"))]);
    assert!(succeeds && judged.contains("accuracy"), "{judged} {error}");

    let (succeeds, said, error) = fmicl(&["data", "check", text(&file)]);
    let sizes = said
        .lines()
        .find(|line| line.trim_start().starts_with("width"))
        .unwrap_or_default();
    assert!(succeeds && sizes.matches("20").count() >= 2, "{said} {error}");
    let (succeeds, _, error) = fmicl(&["data", "pack", text(&file), "--size", "8", "--out", text(&at("no"))]);
    assert!(
        !succeeds && error.contains("--size and --encode make RGB images, and views have 4 channels"),
        "{error}"
    );
}

#[test]
fn arrays_of_five_channels_train_a_vit_as_files_and_in_shards() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    let options = "backbone = { name = 'vit', width = 24, depth = 1, heads = 2 }
        views.channels = 5
        views.range = [[0, 1], [0, 1], [0, 1], [0, 1], [-1, 2]]
        views.blur = 0.5";
    write(
        folder.path(),
        "npy",
        |class, image| npy(20, 5, |at| value(class, image, at)),
        options,
    );
    // Beside arrays alone, and not beside photos, they are samples: nothing else is.
    std::fs::write(at("images/train/one/notes.txt"), "").unwrap();
    let (file, run, shards) = (at("x.toml"), at("run"), at("shards"));
    let (succeeds, _, log) = fmicl(&["train", text(&file), "--out", text(&run)]);
    assert!(succeeds && log.contains("1 left out: 1 .txt"), "{log}");

    let (succeeds, said, error) = fmicl(&["data", "pack", text(&file), "--out", text(&shards)]);
    assert!(
        succeeds && said.contains("\npacked 20 images") && !said.contains("cannot be read"),
        "{said} {error}"
    );
    let dataset = format!("dataset={{name=\"webdataset\",root={shards:?}}}");
    let again = at("again");
    let (succeeds, _, log) = fmicl(&["train", text(&file), "--set", &dataset, "--out", text(&again)]);
    assert!(succeeds, "{log}");
    // The same samples in the same order make the same numbers.
    let losses = |run: &Path| {
        let lines = std::fs::read_to_string(run.join("metrics.jsonl")).unwrap();
        let first: serde_json::Value = serde_json::from_str(lines.lines().next().unwrap()).unwrap();
        first["loss"].as_f64().unwrap()
    };
    assert_eq!(losses(&run), losses(&again));
}

#[test]
fn three_channels_with_a_range_are_checked_and_packed_as_they_are_trained_on() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    let options = "backbone = { name = 'resnet', stem = 'cifar', width = 8 }\nviews.range = [0, 1]";
    write(
        folder.path(),
        "npy",
        |class, image| npy(20, 3, |at| value(class, image, at)),
        options,
    );
    let (file, shards) = (at("x.toml"), at("shards"));
    let (succeeds, said, error) = fmicl(&["data", "check", text(&file)]);
    assert!(succeeds, "{said} {error}");
    let (succeeds, said, error) = fmicl(&["data", "pack", text(&file), "--out", text(&shards)]);
    assert!(
        succeeds && said.starts_with("packed 20 images") && !said.contains("cannot be read"),
        "{said} {error}"
    );
    let dataset = format!("dataset={{name=\"webdataset\",root={shards:?}}}");
    let (succeeds, _, log) = fmicl(&["train", text(&file), "--set", &dataset, "--out", text(&at("run"))]);
    assert!(succeeds, "{log}");
}

#[test]
fn what_does_not_fit_is_a_line_that_names_the_file_or_the_transform() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    four(folder.path());
    let file = at("x.toml");
    let check = |more: &[&str]| {
        let (succeeds, _, error) = fmicl(&[&["check", text(&file), "--files"][..], more].concat());
        assert!(!succeeds, "{more:?}");
        error
    };
    let error = check(&["--set", "views.grayscale=0.2"]);
    let expected =
        "views.grayscale=0.2: is of colours, which views of 4 channels have not: leave it out, or set it to false";
    assert!(error.contains(expected), "{error}");
    let error = check(&["--set", "views.jitter={hue=0.1}"]);
    assert!(
        error.contains("hue") && error.contains("0.1, which is of colours, and views of 4 channels"),
        "{error}"
    );
    let error = check(&["--set", "views.channels=13"]);
    assert!(error.contains("has 4 channel(s), and views.channels is 13"), "{error}");

    let experiment = std::fs::read_to_string(&file).unwrap();
    std::fs::write(&file, experiment.replace("views.range = [0, 4000]", "")).unwrap();
    let error = check(&[]);
    assert!(
        error.contains("views.range says which values become 0 and 255"),
        "{error}"
    );
    std::fs::write(&file, experiment).unwrap();

    let photo = include_bytes!("../fmicl-data/golden/jpeg/tiny.jpg");
    std::fs::write(at("images/train/two/photo.jpg"), photo).unwrap();
    let error = check(&[]);
    let expected = format!(
        "{}: has 3 channel(s), and views.channels is 4",
        at("images/train/two/photo.jpg").display()
    );
    assert!(
        error.contains(&expected) && error.contains("train: 1 of 17 samples cannot be read"),
        "{error}"
    );
}

#[test]
fn bands_are_shown_in_false_colours() {
    let folder = tempfile::tempdir().unwrap();
    four(folder.path());
    let file = folder.path().join("x.toml");
    let picture = folder.path().join("views.png");
    let (ok, printed, stderr) = fmicl(&["views", text(&file), "--samples", "2", "--out", text(&picture)]);
    assert!(ok, "{stderr}");
    let of = ", in false colours: the first three bands, each from its 2nd to its 98th percentile\n";
    assert!(printed.contains(of), "{printed}");
    assert!(std::fs::read(&picture).unwrap().starts_with(b"\x89PNG"));
    let run = folder.path().join("run");
    let (ok, _, stderr) = fmicl(&["train", text(&file), "--out", text(&run)]);
    assert!(ok, "{stderr}");
    let (ok, _, stderr) = fmicl(&["report", text(&run)]);
    assert!(ok, "{stderr}");
    let page = std::fs::read_to_string(run.join("report.html")).unwrap();
    assert_eq!(page.matches(of.trim_end()).count(), 3, "map, neighbours, views");
    assert!(page.contains("class=\"shots\"") && page.contains("class=\"tiles\"") && !page.contains("class=\"tokens\""));
}
