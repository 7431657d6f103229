//! Sharded weights, as transformers writes large ones: `model.safetensors.index.json` maps tensors to files.

use super::read_one;
use crate::{Error, Result, read_file};
use serde::Deserialize;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::ffi::OsStr;
use std::path::{Component, Path, PathBuf};
use tch::Tensor;

const ENDING: &str = ".index.json";
/// The most bytes of an index: a hundred for each of a hundred thousand tensors.
const MOST: u64 = 10 << 20;

#[derive(Debug, Deserialize)]
struct Index {
    weight_map: BTreeMap<String, String>,
}

/// Index of the weights at `path`: `path` itself, or the index beside it if there is no such file.
pub(super) fn index(path: &Path) -> Option<PathBuf> {
    let name = path.file_name()?.to_string_lossy();
    if name.ends_with(ENDING) {
        return Some(path.into());
    }
    let index = path.with_file_name(format!("{name}{ENDING}"));
    (!path.exists() && index.is_file()).then_some(index)
}

/// The index of the shards of which `path` is one.
pub(super) fn index_of_shard(path: &Path) -> Option<PathBuf> {
    let (start, ending) = (path.file_stem()?.to_str()?, path.extension()?.to_str()?);
    let (start, count) = start.rsplit_once("-of-")?;
    let (start, number) = start.rsplit_once('-')?;
    let is_number = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let index = path.with_file_name(format!("{start}.{ending}{ENDING}"));
    (is_number(number) && is_number(count) && index.is_file()).then_some(index)
}

/// The shards that an index names, without the folder.
fn shards(index: &Path) -> Result<(Index, BTreeSet<String>)> {
    let bytes = read_file(index, MOST, "an index of shards of safetensors is expected")?;
    let read: Index = serde_json::from_slice(&bytes)
        .map_err(|error| Error::data(index, format!("is not an index of safetensors shards: {error}")))?;
    let names: BTreeSet<_> = read.weight_map.values().cloned().collect();
    let is_plain = |name: &&String| {
        let mut parts = Path::new(name).components();
        matches!((parts.next(), parts.next()), (Some(Component::Normal(part)), None) if part == OsStr::new(name))
    };
    match names.iter().find(|name| !is_plain(name)) {
        None if names.is_empty() => Err(Error::data(index, "names no shard")),
        None => Ok((read, names)),
        Some(name) => Err(Error::data(
            index,
            format!("names `{name}`, which is not a file in its folder"),
        )),
    }
}

/// The files of an index, itself the first; alone where it cannot be read.
pub(super) fn files(index: PathBuf) -> Vec<PathBuf> {
    let names = shards(&index).map(|(_, names)| names).unwrap_or_default();
    let shards: Vec<_> = names.iter().map(|name| index.with_file_name(name)).collect();
    std::iter::once(index).chain(shards).collect()
}

/// The tensors of all shards.
pub(super) fn read(index: &Path) -> Result<HashMap<String, Tensor>> {
    let (Index { weight_map }, names) = shards(index)?;
    let mut tensors = HashMap::new();
    for name in &names {
        let shard = index.with_file_name(name);
        for (tensor, values) in read_one(&shard)? {
            if weight_map.get(&tensor) != Some(name) {
                let message = format!("contains {tensor}, which {} does not assign to it", index.display());
                return Err(Error::data(shard, message));
            }
            tensors.insert(tensor, values);
        }
    }
    match weight_map.iter().find(|(tensor, _)| !tensors.contains_key(*tensor)) {
        None => Ok(tensors),
        Some((tensor, shard)) => {
            let message = format!("lacks {tensor}, which {} assigns to it", index.display());
            Err(Error::data(index.with_file_name(shard), message))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::{read, write};
    use super::*;
    use tch::{Device, Kind};

    /// A folder of two shards, `a` in the first and `b` in the second, and their index.
    fn folder(index: &str) -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        for (name, file) in [
            ("a", "m-00001-of-00002.safetensors"),
            ("b", "m-00002-of-00002.safetensors"),
        ] {
            let tensor = Tensor::full([2], i64::from(name == "b"), (Kind::Float, Device::Cpu));
            write([(name.to_string(), tensor)], &folder.path().join(file)).unwrap();
        }
        std::fs::write(folder.path().join("m.safetensors.index.json"), index).unwrap();
        folder
    }

    const WHOLE: &str = r#"{"metadata": {"total_size": 16},
        "weight_map": {"a": "m-00001-of-00002.safetensors", "b": "m-00002-of-00002.safetensors"}}"#;

    fn error(index: &str, name: &str) -> String {
        let folder = folder(index);
        let error = read(&folder.path().join(name)).unwrap_err().to_string();
        error.replace(&format!("{}/", folder.path().display()), "")
    }

    #[test]
    fn shards_are_read_by_their_index_and_under_the_name_of_the_whole() {
        let folder = folder(WHOLE);
        for name in ["m.safetensors", "m.safetensors.index.json"] {
            let read = read(&folder.path().join(name)).unwrap();
            assert_eq!(read.len(), 2);
            assert_eq!(read["b"].double_value(&[1]), 1.0);
            let files = super::super::files(&folder.path().join(name));
            assert_eq!(files.len(), 3, "{files:?}");
            assert!(files.iter().all(|file| file.is_file()));
        }
    }

    #[test]
    fn a_shard_alone_names_its_index() {
        assert_eq!(
            error(WHOLE, "m-00001-of-00002.safetensors"),
            "m-00001-of-00002.safetensors: is one of several shards; name m.safetensors.index.json"
        );
    }

    #[test]
    fn an_index_that_does_not_fit_its_shards_is_an_error_in_a_line() {
        let name = "m.safetensors";
        let index = "m.safetensors.index.json";
        let without = WHOLE.replace(
            "\"a\": \"m-00001-of-00002.safetensors\", ",
            "\"a\": \"m-00002-of-00002.safetensors\", ",
        );
        assert_eq!(
            error(&without, name),
            format!("m-00002-of-00002.safetensors: lacks a, which {index} assigns to it")
        );
        let more = WHOLE.replace("\"a\"", "\"c\"");
        assert_eq!(
            error(&more, name),
            format!("m-00001-of-00002.safetensors: contains a, which {index} does not assign to it")
        );
        let missing = WHOLE.replace("m-00001-of-00002", "m-00003-of-00003");
        assert_eq!(
            error(&missing, name),
            "m-00003-of-00003.safetensors: there is no such file; a file of safetensors is expected"
        );
        for outside in ["../x.safetensors", "/x", "", ".."] {
            let outside = format!("{{\"weight_map\": {{\"a\": \"{outside}\"}}}}");
            let message = error(&outside, name);
            assert!(
                message.starts_with(index) && message.ends_with("which is not a file in its folder"),
                "{message}"
            );
        }
        assert_eq!(error("{\"weight_map\": {}}", name), format!("{index}: names no shard"));
        assert!(error("{}", name).starts_with(&format!("{index}: is not an index of safetensors shards: ")));
    }
}
