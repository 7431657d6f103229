//! The two forms of a file of `torch.save`, and the numbers in it.

use super::machine;
use super::nodes::{Id, Node, Nodes, Storage, View};
use fmicl_core::tch::{Device, TchError, Tensor};
use fmicl_core::{Error, Result, open_file};
use std::collections::{BTreeMap, HashMap};
use std::fs::File;
use std::io::{BufReader, Read, Seek};
use std::path::Path;
use zip::{CompressionMethod, ZipArchive};

/// The most bytes of a pickle: names, sizes, and what a run has written beside its weights.
const MOST_PICKLE: u64 = 256 << 20;
/// The most bytes of a file in the older form, which is held in memory.
const MOST: u64 = 64 << 30;
/// The first number in a file of the older form.
const MAGIC: [u8; 10] = [0x6c, 0xfc, 0x9c, 0x46, 0xf9, 0x20, 0x6a, 0xa8, 0x50, 0x19];

/// A file of `torch.save`.
pub struct Archive {
    form: Form,
    /// Of the whole file.
    bytes: u64,
}

enum Form {
    /// `FOLDER/data.pkl`, and each storage a file `FOLDER/data/KEY`.
    Zip {
        zip: Box<ZipArchive<BufReader<File>>>,
        folder: String,
    },
    /// Pickles, and behind them the storages, of which each has its place once the pickles were run.
    Stream {
        bytes: Vec<u8>,
        places: HashMap<String, (usize, i64)>,
    },
}

impl Archive {
    /// Finds out which form the file has.
    ///
    /// # Errors
    /// A file that cannot be read or has neither.
    pub fn open(path: &Path) -> Result<Self> {
        let io = |error| Error::io(path, error);
        let mut file = open_file(path, "a file of torch.save is expected")?;
        let bytes = file.metadata().map_err(io)?.len();
        let mut start = Vec::new();
        file.by_ref().take(16).read_to_end(&mut start).map_err(io)?;
        file.rewind().map_err(io)?;
        let form = if start.starts_with(b"PK") {
            let zip = ZipArchive::new(BufReader::new(file));
            let zip = zip.map_err(|error| Error::data(path, format!("is a damaged zip archive: {error}")))?;
            let names: Vec<_> = zip.file_names().collect();
            let is = |name: &&&str, ending: &str| name.strip_suffix(ending).is_some_and(|folder| !folder.contains('/'));
            if names.iter().any(|name| is(&name, "/constants.pkl")) {
                return Err(Error::data(
                    path,
                    "is TorchScript, a program; in Python, torch.save(torch.jit.load(...).state_dict(), ...)",
                ));
            }
            let folder = names
                .iter()
                .find(|name| is(name, "/data.pkl"))
                .map(|name| name.trim_end_matches("/data.pkl"));
            let folder = folder.map(str::to_string);
            let folder = folder.ok_or_else(|| Error::data(path, "is a zip archive, but not one of torch.save"))?;
            Form::Zip {
                zip: Box::new(zip),
                folder,
            }
        } else if start.get(1) == Some(&2) && start.get(4..14) == Some(&MAGIC) {
            Form::Stream {
                bytes: fmicl_core::read_file(path, MOST, "save it again with a newer PyTorch")?,
                places: HashMap::new(),
            }
        } else {
            return Err(Error::data(
                path,
                "is not a file of torch.save, neither a zip archive nor the older format",
            ));
        };
        Ok(Archive { form, bytes })
    }

    /// The values of its pickle, and the place of the one that was saved.
    pub fn unpickle(&mut self) -> Result<(Nodes, Id), String> {
        let mut nodes = Nodes::default();
        match &mut self.form {
            Form::Zip { zip, folder } => {
                let order = entry(zip, &format!("{folder}/byteorder"), 16).unwrap_or_default();
                if order == b"big" {
                    return Err("was written on a machine that puts the high byte first".into());
                }
                let pickle = entry(zip, &format!("{folder}/data.pkl"), MOST_PICKLE)?;
                let (top, _) = machine::run(&mut nodes, &pickle)?;
                Ok((nodes, top))
            }
            Form::Stream { bytes, places } => {
                // The magic number, the version of the protocol, and what machine it was.
                let mut rest = &bytes[..];
                for _ in 0..3 {
                    (_, rest) = machine::run(&mut nodes, rest)?;
                }
                let (top, rest) = machine::run(&mut nodes, rest)?;
                let (keys, mut rest) = machine::run(&mut nodes, rest)?;
                let Node::List(keys) = nodes.get(keys) else {
                    return Err("is damaged: it lists no storages".into());
                };
                let widths = widths(&nodes);
                for key in keys.iter().filter_map(|&key| nodes.text(key)) {
                    let cut = || format!("is cut off: it ends before the numbers of the storage `{key}`");
                    let (count, behind) = rest.split_first_chunk().ok_or_else(cut)?;
                    let count = i64::from_le_bytes(*count);
                    let width = widths.get(key).copied().unwrap_or(0);
                    let size = usize::try_from(count).ok().and_then(|count| count.checked_mul(width));
                    let (_, after) = size.and_then(|size| behind.split_at_checked(size)).ok_or_else(cut)?;
                    places.insert(key.to_string(), (bytes.len() - behind.len(), count));
                    rest = after;
                }
                Ok((nodes, top))
            }
        }
    }

    /// The numbers of tensors.
    pub fn tensors(&mut self, nodes: &Nodes, views: &BTreeMap<String, View>) -> Result<Vec<(String, Tensor)>, String> {
        // Tensors may share numbers, as tied weights do; a file of few numbers cannot be many.
        let mut left = self.bytes.saturating_mul(4).saturating_add(1 << 20);
        let (mut tensors, mut kept) = (Vec::new(), None);
        for (name, view) in views {
            let wrong = |why: &str| format!("is damaged: `{name}` {why}");
            let Node::Storage(storage) = nodes.get(view.storage) else {
                return Err(wrong("has no numbers"));
            };
            let Some(kind) = storage.kind else {
                return Err(format!(
                    "`{name}` is of {}: convert it to float32 in Python first",
                    storage.class
                ));
            };
            let count = view.count().ok_or_else(|| wrong("has an impossible shape"))?;
            let last = view.last().ok_or_else(|| wrong("has an impossible shape"))?;
            if count > 0 && last >= storage.count {
                return Err(wrong("reaches beyond its storage"));
            }
            let width = kind.elt_size_in_bytes();
            left = (count as u64)
                .checked_mul(width as u64)
                .and_then(|bytes| left.checked_sub(bytes))
                .ok_or_else(|| wrong("is larger than the file"))?;
            let failed = |error: TchError| format!("`{name}`: {}", Error::from(error));
            if count == 0 {
                let empty = Tensor::f_zeros(&view.size[..], (kind, Device::Cpu)).map_err(failed)?;
                tensors.push((name.clone(), empty));
                continue;
            }
            let whole = match kept.take() {
                // Many may be parts of one.
                Some((id, whole)) if id == view.storage => whole,
                _ => {
                    let bytes = self.storage(storage, width).map_err(|why| format!("`{name}`: {why}"))?;
                    Tensor::f_from_data_size(&bytes, &[storage.count], kind).map_err(failed)?
                }
            };
            let part = whole.f_as_strided(&view.size[..], &view.stride[..], view.offset);
            tensors.push((name.clone(), part.map_err(failed)?.copy()));
            kept = Some((view.storage, whole));
        }
        Ok(tensors)
    }

    fn storage(&mut self, storage: &Storage, width: usize) -> Result<Vec<u8>, String> {
        let cut = || "the storage is cut off".to_string();
        let size = usize::try_from(storage.count)
            .ok()
            .and_then(|count| count.checked_mul(width));
        let size = size.ok_or_else(cut)?;
        match &mut self.form {
            Form::Zip { zip, folder } => {
                let bytes = entry(zip, &format!("{folder}/data/{}", storage.key), size as u64)?;
                if bytes.len() == size { Ok(bytes) } else { Err(cut()) }
            }
            Form::Stream { bytes, places } => {
                let (start, count) = places.get(&storage.key).ok_or_else(cut)?;
                match *count == storage.count {
                    true => Ok(bytes[*start..start + size].to_vec()),
                    false => Err(cut()),
                }
            }
        }
    }
}

impl View {
    /// The numbers that it has.
    fn count(&self) -> Option<i64> {
        let fits = self.size.len() == self.stride.len() && self.size.iter().chain(&self.stride).all(|&it| it >= 0);
        fits.then(|| self.size.iter().try_fold(1i64, |count, &size| count.checked_mul(size)))?
    }

    /// The place of the last of them in the storage.
    fn last(&self) -> Option<i64> {
        let reach = |last: i64, (&size, &stride): (&i64, &i64)| {
            last.checked_add(size.checked_sub(1)?.max(0).checked_mul(stride)?)
        };
        let start = Some(self.offset).filter(|&offset| offset >= 0)?;
        self.size.iter().zip(&self.stride).try_fold(start, reach)
    }
}

/// The bytes of a number, of each storage.
fn widths(nodes: &Nodes) -> HashMap<String, usize> {
    nodes
        .all()
        .filter_map(|node| match node {
            Node::Storage(storage) => Some((storage.key.clone(), storage.kind?.elt_size_in_bytes())),
            _ => None,
        })
        .collect()
}

/// A file in the archive of at most so many bytes. torch.save packs none.
fn entry(zip: &mut ZipArchive<BufReader<File>>, name: &str, most: u64) -> Result<Vec<u8>, String> {
    let file = zip
        .by_name(name)
        .map_err(|error| format!("has no readable {name}: {error}"))?;
    if file.compression() != CompressionMethod::Stored || file.size() > most {
        return Err(format!(
            "has a {name} that is packed or too large: torch.save did not write it"
        ));
    }
    let mut bytes = Vec::new();
    file.take(most)
        .read_to_end(&mut bytes)
        .map_err(|error| format!("{name} is damaged: {error}"))?;
    Ok(bytes)
}
