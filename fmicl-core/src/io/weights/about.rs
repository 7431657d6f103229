//! Metadata of a safetensors file: facts that the shapes of weights do not show.

use super::atomically;
use crate::{Result, open_file};
use safetensors::tensor::{Dtype, Metadata, View, serialize_to_file};
use std::borrow::Cow;
use std::collections::{BTreeMap, HashMap};
use std::io::Read;
use std::path::Path;
use tch::{TchError, Tensor};

/// The key in the file's metadata. One alone: the crate writes several in any order, and a file would have other bytes each
/// time.
const KEY: &str = "fmicl";
/// The most bytes of a header, as the crate has it.
const MOST_HEADER: u64 = 100_000_000;

/// Writes tensors like [`write`](super::write), with metadata.
///
/// # Errors
/// [`Error::Io`](crate::Error::Io) or [`Error::Data`](crate::Error::Data) if the file cannot be written.
pub fn write_about(tensors: impl IntoIterator<Item = (String, Tensor)>, about: &str, path: &Path) -> Result<()> {
    let data = |(name, tensor): (String, Tensor)| -> Result<(String, Data), TchError> {
        let (tensor, dtype) = (tensor.contiguous(), tensor.kind().try_into()?);
        let shape = tensor.size().iter().map(|&size| size as usize).collect();
        Ok((name, Data { tensor, dtype, shape }))
    };
    let tensors: Vec<_> = tensors.into_iter().map(data).collect::<Result<_, _>>()?;
    let metadata = HashMap::from([(KEY.to_string(), about.to_string())]);
    atomically(path, |partial| {
        serialize_to_file(tensors, &Some(metadata), partial).map_err(|err| TchError::SafeTensorError {
            path: path.to_string_lossy().into_owned(),
            err,
        })
    })
}

/// Reads the metadata written by [`write_about`]; `None` if the file has none or is not safetensors. Only the header is
/// read.
pub fn about(path: &Path) -> Option<String> {
    header(path)?.metadata().as_ref()?.get(KEY).cloned()
}

/// Reads the names and shapes of a file's tensors; `None` if it is not safetensors. Only the header is read.
pub fn shapes(path: &Path) -> Option<BTreeMap<String, Vec<i64>>> {
    let header = header(path)?;
    let tensors = header.tensors().into_iter();
    let shape = |shape: &[usize]| shape.iter().map(|&size| size as i64).collect();
    Some(tensors.map(|(name, info)| (name, shape(&info.shape))).collect())
}

fn header(path: &Path) -> Option<Metadata> {
    let mut file = open_file(path, "").ok()?;
    let mut header = vec![0; 8];
    file.read_exact(&mut header).ok()?;
    let length = u64::from_le_bytes(*header.first_chunk()?);
    header.clear();
    file.take(length.min(MOST_HEADER)).read_to_end(&mut header).ok()?;
    serde_json::from_slice(&header).ok()
}

/// A tensor as the crate takes it.
struct Data {
    tensor: Tensor,
    dtype: Dtype,
    shape: Vec<usize>,
}

impl View for Data {
    fn dtype(&self) -> Dtype {
        self.dtype
    }

    fn shape(&self) -> &[usize] {
        &self.shape
    }

    fn data(&self) -> Cow<'_, [u8]> {
        let mut bytes = vec![0; self.data_len()];
        self.tensor.copy_data_u8(&mut bytes, self.tensor.numel());
        bytes.into()
    }

    fn data_len(&self) -> usize {
        self.tensor.numel() * self.tensor.kind().elt_size_in_bytes()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::weights::{read, write};

    #[test]
    fn words_come_back_beside_the_tensors_and_a_file_may_have_none() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("w.safetensors");
        let tensors =
            || [("b", 3i64), ("a", 2)].map(|(name, count)| (name.to_string(), Tensor::from_slice(&[count; 5])));
        write_about(tensors(), "{\"heads\":12}", &path).unwrap();
        assert_eq!(about(&path).unwrap(), "{\"heads\":12}");
        let expected = BTreeMap::from([("a".to_string(), vec![5]), ("b".to_string(), vec![5])]);
        assert_eq!(shapes(&path), Some(expected));
        assert_eq!(read(&path).unwrap()["b"], Tensor::from_slice(&[3i64; 5]));
        let bytes = std::fs::read(&path).unwrap();
        write_about(tensors(), "{\"heads\":12}", &path).unwrap();
        assert!(bytes == std::fs::read(&path).unwrap(), "the same file each time");
        write(tensors(), &path).unwrap();
        assert_eq!(about(&path), None);
        // What is no such file says nothing.
        for bytes in [&b""[..], b"no header", &[0xff; 20]] {
            std::fs::write(&path, bytes).unwrap();
            assert_eq!((about(&path), shapes(&path)), (None, None));
        }
        assert_eq!(about(folder.path()), None);
    }
}
