//! `checkpoint.json`: where the run stood, and the checksums of the other files.

use super::Standing;
use fmicl_core::{Error, Result, disk, read_file};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::io::{self, Read};
use std::path::Path;

/// The version of the format; in 2 each transform of the views draws from a stream of its own, so that of runs of before only
/// the weights are read.
const FORMAT: u32 = 2;

/// The file's name.
pub const MANIFEST: &str = "checkpoint.json";
/// The most bytes of that.
const MOST_JSON: u64 = 1 << 20;
/// Error text for a file that is missing, too large or not a file.
pub const DAMAGED: &str = "the checkpoint is damaged";

/// `checkpoint.json`.
#[derive(Debug, Serialize, Deserialize)]
struct Manifest {
    /// Of the rest of the file, so that a flipped digit is found.
    crc32: String,
    /// A [`Content`].
    checkpoint: serde_json::Value,
}

/// State of the run, and the digests of the other files.
#[derive(Debug, Serialize, Deserialize)]
pub struct Content {
    format: u32,
    /// State of the run.
    #[serde(flatten)]
    pub standing: Standing,
    /// The files of tensors by their names.
    pub files: BTreeMap<String, Digest>,
}

/// Digest of a file, against damage, not against malice.
#[derive(Debug, PartialEq, Serialize, Deserialize)]
pub struct Digest {
    /// Its length.
    pub bytes: u64,
    /// Its checksum, in hexadecimal digits.
    pub crc32: String,
}

impl Content {
    /// Returns the content for these files, in the current format.
    pub fn new(standing: Standing, files: BTreeMap<String, Digest>) -> Self {
        Content {
            format: FORMAT,
            standing,
            files,
        }
    }

    /// Returns true if training cannot resume exactly from this checkpoint.
    pub fn is_of_an_older_format(&self) -> bool {
        self.format < FORMAT
    }

    /// Writes the file into a checkpoint's folder.
    ///
    /// # Errors
    /// The disk's.
    pub fn write(self, folder: &Path) -> Result<()> {
        let failed = |error| Error::Run(format!("{MANIFEST}: {error}"));
        let checkpoint = serde_json::to_value(self).map_err(failed)?;
        let crc32 = crc32(checkpoint.to_string().as_bytes());
        let json = serde_json::to_string_pretty(&Manifest { crc32, checkpoint }).map_err(failed)?;
        disk::replace(&folder.join(MANIFEST), format!("{json}\n").as_bytes())
    }

    /// Reads the file of a checkpoint's folder.
    ///
    /// # Errors
    /// A file that is missing, damaged or of another format.
    pub fn read(folder: &Path) -> Result<Self> {
        let path = folder.join(MANIFEST);
        let bytes = read_file(&path, MOST_JSON, DAMAGED)?;
        let damaged = |why: String| Error::data(&path, format!("is damaged: {why}"));
        let manifest: Manifest = serde_json::from_slice(&bytes).map_err(|error| damaged(error.to_string()))?;
        let found = crc32(manifest.checkpoint.to_string().as_bytes());
        if found != manifest.crc32 {
            return Err(damaged(format!(
                "its checksum is {found}, and {} was written",
                manifest.crc32
            )));
        }
        match manifest.checkpoint["format"].as_u64() {
            Some(format) if (1..=u64::from(FORMAT)).contains(&format) => {
                serde_json::from_value(manifest.checkpoint).map_err(|error| damaged(error.to_string()))
            }
            format => {
                let format = format.map_or("none".into(), |format| format.to_string());
                let message = format!("has format {format}, but this version of fmicl reads formats 1 to {FORMAT}");
                Err(Error::data(path, message))
            }
        }
    }
}

impl Digest {
    /// Reads all of a file.
    ///
    /// # Errors
    /// The reader's.
    pub fn of(reader: io::Result<impl Read>) -> io::Result<Self> {
        let (mut reader, mut hasher, mut bytes) = (reader?, crc32fast::Hasher::new(), 0);
        let mut buffer = vec![0; 1 << 16];
        loop {
            match reader.read(&mut buffer)? {
                0 => break,
                count => {
                    hasher.update(&buffer[..count]);
                    bytes += count as u64;
                }
            }
        }
        let crc32 = format!("{:08x}", hasher.finalize());
        Ok(Digest { bytes, crc32 })
    }
}

fn crc32(bytes: &[u8]) -> String {
    format!("{:08x}", crc32fast::hash(bytes))
}
