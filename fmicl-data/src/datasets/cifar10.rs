//! `cifar10`: the official binary layout of CIFAR-10.
//!
//! Six files of records: one byte of label, then a red, a green and a blue plane of 32 x 32 bytes. Source: Krizhevsky,
//! "Learning multiple layers of features from tiny images", 2009, <https://www.cs.toronto.edu/~kriz/cifar.html>.

use super::files::{read_at_most, root_option, write};
use super::memory::{Layout, Memory, interleave};
use super::place::{Place, data_folder};
use fmicl_core::{Dataset, Error, Result, Samples, Split, register, toml};
use serde::{Deserialize, Serialize};
use std::path::{Path, PathBuf};

/// CIFAR-10 from `data_batch_1.bin` to `data_batch_5.bin` and `test_batch.bin`.
///
/// Files with fewer images than the official 10,000 are read too, as long as they are whole records.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Cifar10 {
    /// The folder `cifar-10-batches-bin`, or the one that it lies in: the data folder (`$FMICL_DATA`, else `data`)
    /// unless given. Relative to the working directory.
    pub root: PathBuf,
}

impl Default for Cifar10 {
    fn default() -> Self {
        Cifar10 { root: data_folder() }
    }
}

register!(Dataset, "cifar10", Cifar10, "CIFAR-10 in its official binary layout");

const PLACE: Place = Place {
    folder: "cifar-10-batches-bin",
    marker: "data_batch_1.bin",
    archive: "cifar-10-binary.tar.gz",
    remedy: "run `fmicl data fetch cifar10`",
};
const SIDE: usize = 32;
const RECORD: usize = 1 + 3 * SIDE * SIDE;
const CLASSES: u8 = 10;
/// Above the official 10,000 images a file, and little enough to hold.
const LIMIT: u64 = 100_000 * RECORD as u64;

impl Dataset for Cifar10 {
    fn open(&self, split: Split) -> Result<Box<dyn Samples>> {
        let folder = PLACE.find(&self.root)?;
        let names = match split {
            Split::Test => vec!["test_batch.bin".to_string()],
            Split::Train | Split::Pretrain => (1..=5).map(|batch| format!("data_batch_{batch}.bin")).collect(),
        };
        let mut samples = Memory {
            width: SIDE,
            height: SIDE,
            layout: Layout::Rgb,
            pixels: vec![],
            labels: vec![],
            classes: 10,
        };
        for name in names {
            append(&folder.join(name), &mut samples)?;
        }
        Ok(Box::new(samples))
    }

    fn example(&self, folder: &Path) -> Result<toml::Table> {
        for name in (1..=5)
            .map(|batch| format!("data_batch_{batch}"))
            .chain(["test_batch".into()])
        {
            let record = |i: usize| (0..RECORD).map(move |p| if p == 0 { i % 10 } else { (i + p - 1) % 251 } as u8);
            let records: Vec<u8> = (0..10).flat_map(record).collect();
            write(&folder.join(name).with_extension("bin"), &records)?;
        }
        Ok(root_option(folder))
    }
}

fn append(path: &Path, samples: &mut Memory) -> Result<()> {
    let hint = "unpack cifar-10-binary.tar.gz again, or run `fmicl data fetch cifar10`";
    let bytes = read_at_most(path, LIMIT, hint)?;
    if bytes.is_empty() || bytes.len() % RECORD != 0 || bytes.len() as u64 > LIMIT {
        let found = bytes.len();
        return Err(Error::data(
            path,
            format!("{found} bytes are not whole records of {RECORD}; fetch the file again"),
        ));
    }
    for (index, record) in bytes.chunks_exact(RECORD).enumerate() {
        if record[0] >= CLASSES {
            let message = format!("image {index} has the label {}; labels run from 0 to 9", record[0]);
            return Err(Error::data(path, message));
        }
        samples.labels.push(record[0]);
        interleave(&record[1..], &mut samples.pixels);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use fmicl_core::testing::check_dataset;
    use proptest::{prop_assert, proptest};

    /// The example: 10 images a file; pixel `p` of image `i` is `(i + p) % 251`.
    fn example(folder: &Path) -> Cifar10 {
        Cifar10::default().example(folder).unwrap();
        Cifar10 { root: folder.into() }
    }

    fn error(dataset: &Cifar10) -> String {
        dataset.open(Split::Test).map(|_| ()).unwrap_err().to_string()
    }

    #[test]
    fn planes_become_pixels() {
        let folder = tempfile::tempdir().unwrap();
        let train = example(folder.path()).open(Split::Pretrain).unwrap();
        check_dataset(&*train);
        assert_eq!((train.len(), train.classes(), train.label(13)), (50, 10, 3));
        let pixels = train.image(3).unwrap().pixels;
        assert_eq!(
            pixels[..6],
            [3, (3 + 1024) % 251, (3 + 2048) % 251, 4, 1028 % 251, 2052 % 251].map(|p: i32| p as u8)
        );
    }

    #[test]
    fn the_parent_folder_will_do() {
        let folder = tempfile::tempdir().unwrap();
        let inner = folder.path().join("cifar-10-batches-bin");
        example(&inner);
        let dataset = Cifar10 {
            root: folder.path().into(),
        };
        assert_eq!(dataset.open(Split::Test).unwrap().len(), 10);
    }

    #[test]
    fn errors_say_what_is_wrong() {
        let folder = tempfile::tempdir().unwrap();
        let dataset = example(folder.path());
        let path = folder.path().join("test_batch.bin");
        let mut bytes = std::fs::read(&path).unwrap();
        std::fs::write(&path, &bytes[..5000]).unwrap();
        assert!(error(&dataset).contains("test_batch.bin: 5000 bytes are not whole records of 3073"));
        bytes[RECORD] = 10;
        std::fs::write(&path, &bytes).unwrap();
        assert!(error(&dataset).contains("image 1 has the label 10"));
        std::fs::remove_file(&path).unwrap();
        assert!(error(&dataset).contains("there is no such file; unpack cifar-10-binary"));
    }

    proptest! {
        #[test]
        fn broken_files_never_panic(keep in 0..10 * RECORD, flip in 0..10 * RECORD * 8) {
            let folder = tempfile::tempdir().unwrap();
            let dataset = example(folder.path());
            let path = folder.path().join("test_batch.bin");
            let mut bytes = std::fs::read(&path).unwrap();
            bytes[flip / 8] ^= 1 << (flip % 8);
            std::fs::write(&path, &bytes).unwrap();
            if let Ok(samples) = dataset.open(Split::Test) {
                check_dataset(&*samples);
            }
            std::fs::write(&path, &bytes[..keep]).unwrap();
            let opened = dataset.open(Split::Test);
            prop_assert!(opened.is_err() || keep % RECORD == 0 && keep > 0);
        }
    }
}
