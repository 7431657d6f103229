//! `idx`: what has the four files and ten classes of MNIST.
//!
//! A header of big-endian words (magic, count, rows, columns), then the bytes. Source: LeCun, Cortes, Burges, "The
//! MNIST database of handwritten digits".

use super::files::{read_at_most, root_option, write};
use super::memory::{Layout, Memory};
use fmicl_core::{Dataset, Documented, Error, Result, Samples, Source, Split, register, require, toml};
use serde::{Deserialize, Serialize};
use std::path::{Path, PathBuf};

/// MNIST's four files, gzipped (`.gz`) or not: `train-images-idx3-ubyte`, `train-labels-idx1-ubyte`, `t10k-...`.
#[derive(Debug, Documented, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Idx {
    /// The folder with the files; relative to the working directory. Required.
    pub root: PathBuf,
}

register!(
    Dataset,
    "idx",
    Idx,
    "four files of your own in MNIST's format, gzipped or not"
);

const IMAGES: u32 = 0x0803;
const LABELS: u32 = 0x0801;
const CLASSES: usize = 10;
/// Ten times MNIST; a header that claims more is taken for broken.
const LIMIT: u64 = 600_000 * 28 * 28;

impl Dataset for Idx {
    fn open(&self, split: Split) -> Result<Box<dyn Samples>> {
        Ok(Box::new(self.open_split(split)?))
    }

    fn source(&self) -> Source {
        Source {
            looks_in: vec![self.root.clone()],
            by_hand: "the files are your own: `root` says where they lie".into(),
            ..Source::default()
        }
    }

    fn example(&self, folder: &Path) -> Result<toml::Table> {
        for (prefix, count) in [("train", 20u32), ("t10k", 10)] {
            let pixels: Vec<u8> = (0..count * 64).map(|pixel| (pixel * 37 % 251) as u8).collect();
            let labels: Vec<u8> = (0..count).map(|image| (image % 10) as u8).collect();
            let images = encode(IMAGES, &[count, 8, 8], &pixels);
            write(&folder.join(format!("{prefix}-images-idx3-ubyte")), &images)?;
            write(
                &folder.join(format!("{prefix}-labels-idx1-ubyte")),
                &encode(LABELS, &[count], &labels),
            )?;
        }
        Ok(root_option(folder))
    }
}

/// A file: magic, dimensions, data.
fn encode(magic: u32, dimensions: &[u32], data: &[u8]) -> Vec<u8> {
    let words = [magic].into_iter().chain(dimensions.iter().copied());
    words.flat_map(u32::to_be_bytes).chain(data.iter().copied()).collect()
}

impl Idx {
    /// A split, of classes without names.
    pub(super) fn open_split(&self, split: Split) -> Result<Memory> {
        require(!self.root.as_os_str().is_empty(), "root", || {
            "is missing: set it to a folder with four files in MNIST's format".into()
        })?;
        let prefix = if split == Split::Test { "t10k" } else { "train" };
        let (images, [count, rows, columns], pixels) = self.read(&format!("{prefix}-images-idx3-ubyte"), IMAGES)?;
        let (labels_path, [label_count], labels) = self.read(&format!("{prefix}-labels-idx1-ubyte"), LABELS)?;
        if count == 0 || rows == 0 || columns == 0 {
            return Err(Error::data(
                images,
                format!("{count} images of {columns} x {rows} pixels: there is nothing in it"),
            ));
        }
        if count != label_count {
            let message = format!("{label_count} labels for {count} images in {}", images.display());
            return Err(Error::data(labels_path, message));
        }
        if let Some(index) = labels.iter().position(|&label| usize::from(label) >= CLASSES) {
            let message = format!("image {index} has the label {}; labels run from 0 to 9", labels[index]);
            return Err(Error::data(labels_path, message));
        }
        Ok(Memory {
            width: columns,
            height: rows,
            layout: Layout::Gray,
            pixels,
            labels,
            classes: CLASSES,
            class_names: vec![],
        })
    }

    /// The path, the dimensions and the bytes of the file `name`, or of `name.gz`.
    fn read<const D: usize>(&self, name: &str, magic: u32) -> Result<(PathBuf, [usize; D], Vec<u8>)> {
        let plain = self.root.join(name);
        let gzipped = self.root.join(format!("{name}.gz"));
        let path = if plain.exists() || !gzipped.exists() {
            plain
        } else {
            gzipped
        };
        let (dimensions, data) = parse(&path, magic)?;
        Ok((path, dimensions, data))
    }
}

fn parse<const D: usize>(path: &Path, magic: u32) -> Result<([usize; D], Vec<u8>)> {
    let hint =
        "set `root` to a folder with the four files, gzipped or not; `fmicl data info` says which can be fetched";
    let mut bytes = read_at_most(path, LIMIT, hint)?;
    let header = 4 + 4 * D;
    let truncated = |wanted: usize| {
        let found = bytes.len();
        Error::data(
            path,
            format!("truncated: {found} bytes where {wanted} are needed; fetch the file again"),
        )
    };
    let word = |index: usize| {
        let word = bytes.get(4 * index..).and_then(<[u8]>::first_chunk);
        word.map(|word| u32::from_be_bytes(*word))
            .ok_or_else(|| truncated(header))
    };
    let found = word(0)?;
    if found != magic {
        let message = format!("starts with {found:#010x}, not with {magic:#010x}: it is not such an idx file");
        return Err(Error::data(path, message));
    }
    let mut dimensions = [0; D];
    for (index, dimension) in dimensions.iter_mut().enumerate() {
        *dimension = word(index + 1)? as usize;
    }
    let wanted = dimensions
        .iter()
        .fold(1usize, |product, &d| product.saturating_mul(d))
        .saturating_add(header);
    if wanted as u64 > LIMIT {
        return Err(Error::data(
            path,
            format!("its header claims {dimensions:?} bytes, too many to be true"),
        ));
    }
    if wanted > bytes.len() {
        return Err(truncated(wanted));
    }
    if wanted < bytes.len() {
        return Err(Error::data(
            path,
            format!("has bytes after the {wanted} that its header claims"),
        ));
    }
    bytes.drain(..header);
    Ok((dimensions, bytes))
}

#[cfg(test)]
mod tests {
    use super::*;
    use flate2::{Compression, write::GzEncoder};
    use fmicl_core::testing::check_dataset;
    use proptest::proptest;
    use std::io::Write;

    /// A test split of four images of 3 x 2 pixels.
    fn dataset(folder: &Path, images: &[u8], labels: &[u8]) -> Idx {
        std::fs::write(folder.join("t10k-images-idx3-ubyte"), images).unwrap();
        std::fs::write(folder.join("t10k-labels-idx1-ubyte"), labels).unwrap();
        Idx { root: folder.into() }
    }

    fn images() -> Vec<u8> {
        encode(IMAGES, &[4, 2, 3], &Vec::from_iter(0..24))
    }

    fn labels() -> Vec<u8> {
        encode(LABELS, &[4], &[3, 1, 4, 9])
    }

    fn gzip(bytes: &[u8]) -> Vec<u8> {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
        encoder.write_all(bytes).unwrap();
        encoder.finish().unwrap()
    }

    #[test]
    fn plain_and_gzipped_files_are_the_same() {
        let folder = tempfile::tempdir().unwrap();
        let dataset = dataset(folder.path(), &images(), &labels());
        let plain = dataset.open(Split::Test).unwrap();
        check_dataset(&*plain);
        for name in ["t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte"] {
            let path = folder.path().join(name);
            std::fs::write(path.with_extension("gz"), gzip(&std::fs::read(&path).unwrap())).unwrap();
            std::fs::remove_file(path).unwrap();
        }
        let gzipped = dataset.open(Split::Test).unwrap();
        let image = gzipped.image(1).unwrap();
        assert_eq!(
            (image.width, image.height, &image.pixels[..6]),
            (3, 2, [6, 6, 6, 7, 7, 7].as_slice())
        );
        assert_eq!((plain.image(1).unwrap(), gzipped.label(3)), (image, 9));
    }

    #[test]
    fn errors_say_what_is_wrong() {
        let folder = tempfile::tempdir().unwrap();
        let error = |images: &[u8], labels: &[u8]| {
            dataset(folder.path(), images, labels)
                .open(Split::Test)
                .map(|_| ())
                .unwrap_err()
                .to_string()
        };
        let cases = [
            (
                error(&images()[..20], &labels()),
                "truncated: 20 bytes where 40 are needed",
            ),
            (
                error(&images()[..7], &labels()),
                "truncated: 7 bytes where 16 are needed",
            ),
            (
                error(&labels(), &labels()),
                "starts with 0x00000801, not with 0x00000803",
            ),
            (
                error(&images(), &encode(LABELS, &[3], &[0, 1, 2])),
                "3 labels for 4 images in",
            ),
            (
                error(&images(), &encode(LABELS, &[4], &[0, 1, 10, 2])),
                "image 2 has the label 10",
            ),
            (
                error(&encode(IMAGES, &[u32::MAX; 3], &[]), &labels()),
                "too many to be true",
            ),
            (
                error(&[images(), vec![0]].concat(), &labels()),
                "has bytes after the 40",
            ),
            (
                error(&gzip(&images())[..30], &labels()),
                "the gzip stream is broken or truncated",
            ),
            (
                error(&encode(IMAGES, &[0, 28, 28], &[]), &labels()),
                "there is nothing in it",
            ),
        ];
        for (found, expected) in cases {
            assert!(found.contains(expected), "`{found}` does not say `{expected}`");
        }
        let missing = Idx {
            root: folder.path().into(),
        }
        .open(Split::Train)
        .map(|_| ())
        .unwrap_err()
        .to_string();
        assert!(missing.contains("there is no such file; set `root`"), "{missing}");
    }

    proptest! {
        #[test]
        fn broken_files_never_panic(flip in 0usize..52 * 8, keep in 0usize..52, packed: bool) {
            let folder = tempfile::tempdir().unwrap();
            let mut bytes = [images(), labels()].concat();
            bytes[flip / 8] ^= 1 << (flip % 8);
            let (images, labels) = bytes.split_at(40);
            let pack = |bytes: &[u8]| if packed { gzip(bytes) } else { bytes.to_vec() };
            let cut = |bytes: Vec<u8>, keep: usize| bytes[..keep.min(bytes.len())].to_vec();
            let whole = dataset(folder.path(), &pack(images), &pack(labels));
            whole.open(Split::Test).map(|samples| check_dataset(&*samples)).ok();
            let cut = dataset(folder.path(), &cut(pack(images), keep), &cut(pack(labels), keep));
            cut.open(Split::Test).map(|samples| check_dataset(&*samples)).ok();
        }
    }
}
