//! The index: where the samples of each shard lie, kept in a file so that shards are looked through once.
//!
//! A line with a checksum, and JSON. It lies beside the shards, or in the user's cache folder where that cannot be written.

use crate::section::Section;
use fmicl_core::{Error, Result, disk, read_file};
use serde::{Deserialize, Serialize};
use std::path::{Path, PathBuf};

/// A file of sections.
#[derive(Serialize, Deserialize)]
struct Index {
    version: u32,
    /// The options that the sections depend on.
    what: String,
    sections: Vec<Section>,
}

const VERSION: u32 = 2;
/// The most bytes of an index: of some hundred million samples.
const MOST: u64 = 16 << 30;

/// Where the index of a root and of some options may lie: beside the shards, and in the cache folder.
pub(crate) struct Places {
    what: String,
    paths: Vec<PathBuf>,
}

impl Places {
    /// `what` says on which options the sections depend.
    pub fn new(root: &Path, what: String) -> Self {
        Places::with_cache(root, what, cache_folder())
    }

    fn with_cache(root: &Path, what: String, cache: Option<PathBuf>) -> Self {
        let options = crc32fast::hash(what.as_bytes());
        let mut paths = vec![root.join(format!(".fmicl-shards-{options:08x}.index"))];
        if let (Some(cache), Ok(root)) = (cache, root.canonicalize()) {
            let root = crc32fast::hash(root.as_os_str().as_encoded_bytes());
            paths.push(cache.join(format!("shards-{root:08x}-{options:08x}.index")));
        }
        Places { what, paths }
    }

    /// The sections of the first index that is whole; none where there is no such index.
    pub fn load(&self, pieces: usize) -> Vec<Section> {
        let read = self.paths.iter().find_map(|path| {
            let bytes = read_file(path, MOST, "").ok()?;
            let found = parse(&bytes).filter(|index| index.version == VERSION && index.what == self.what);
            if found.is_none() {
                tracing::info!(
                    "{}: is damaged, or of another version; it is made again",
                    path.display()
                );
            }
            found
        });
        let mut sections = read.map_or(vec![], |index| index.sections);
        sections.retain(|section| section.is_sound(pieces));
        sections
    }

    /// Writes the index, where it can be written; a line says why it cannot. Shards that were written a moment ago are left
    /// out: a change in the same moment would not be seen. A line says so where that leaves none.
    pub fn save(&self, sections: &[Section]) -> Option<String> {
        let sections: Vec<_> = sections
            .iter()
            .filter(|section| !section.stamp.is_fresh())
            .cloned()
            .collect();
        if sections.is_empty() {
            let root = self.paths[0].parent().unwrap_or(&self.paths[0]).display();
            return Some(format!(
                "{root}: the shards were written a moment ago, so that their index is not kept yet, and is made again"
            ));
        }
        let index = Index {
            version: VERSION,
            what: self.what.clone(),
            sections,
        };
        let json = match serde_json::to_vec(&index) {
            Ok(json) => json,
            Err(error) => return Some(format!("the index of the shards cannot be written: {error}")),
        };
        let bytes = [format!("{:08x}\n", crc32fast::hash(&json)).as_bytes(), &json].concat();
        let mut failed = None;
        for path in &self.paths {
            match write(path, &bytes) {
                Ok(()) => return None,
                Err(error) => failed = Some(error),
            }
        }
        failed.map(|error| format!("{error}: the index of the shards cannot be kept, and is made again each time"))
    }
}

/// Under a name of this process's own first: another may write the same index.
fn write(path: &Path, bytes: &[u8]) -> Result<()> {
    let folder = path.parent().unwrap_or(path);
    std::fs::create_dir_all(folder).map_err(|error| Error::io(folder, error))?;
    let own = path.with_extension(std::process::id().to_string());
    disk::replace(&own, bytes)?;
    std::fs::rename(&own, path).map_err(|error| Error::io(path, error))
}

fn parse(bytes: &[u8]) -> Option<Index> {
    let (sum, json) = bytes.split_at_checked(9)?;
    let is_whole = sum == format!("{:08x}\n", crc32fast::hash(json)).as_bytes();
    is_whole.then(|| serde_json::from_slice(json).ok()).flatten()
}

/// `$XDG_CACHE_HOME/fmicl`, or `~/.cache/fmicl`.
pub(crate) fn cache_folder() -> Option<PathBuf> {
    let folder = |name: &str| {
        std::env::var_os(name)
            .filter(|value| !value.is_empty())
            .map(PathBuf::from)
    };
    let cache = folder("XDG_CACHE_HOME").or_else(|| Some(folder("HOME")?.join(".cache")));
    Some(cache?.join("fmicl"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::section::Stamp;
    use std::time::{Duration, SystemTime};

    fn section(folder: &Path) -> Section {
        let path = folder.join("a.tar");
        std::fs::write(&path, [0; 100]).unwrap();
        let file = std::fs::File::options().write(true).open(&path).unwrap();
        file.set_modified(SystemTime::UNIX_EPOCH + Duration::from_millis(1500))
            .unwrap();
        Section {
            name: "a.tar".into(),
            offsets: vec![10, 50],
            lengths: vec![20, 50],
            labels: vec![1, 0],
            ..Section::new(Stamp::of(&path, "").unwrap())
        }
    }

    #[test]
    fn an_index_reads_as_it_was_written_and_a_damaged_one_is_none() {
        let folder = tempfile::tempdir().unwrap();
        let places = |what: &str| Places::with_cache(folder.path(), what.into(), None);
        let sections = [section(folder.path())];
        assert_eq!(places("tar").save(&sections), None);
        assert_eq!(places("tar").load(1), sections);
        assert_eq!(places("other options").load(1), []);
        // Two texts of one sample have one label at most.
        assert_eq!(places("tar").load(2), []);
        let path = &places("tar").paths[0];
        let whole = std::fs::read(path).unwrap();
        for at in [0, 8, 20, whole.len() - 1] {
            let mut damaged = whole.clone();
            damaged[at] ^= 1;
            std::fs::write(path, damaged).unwrap();
            assert_eq!(places("tar").load(1), [], "byte {at}");
            std::fs::write(path, &whole[..at]).unwrap();
            assert_eq!(places("tar").load(1), [], "cut at {at}");
        }
        let names: Vec<_> = std::fs::read_dir(folder.path()).unwrap().collect();
        assert_eq!(names.len(), 2, "{names:?}");
    }

    #[test]
    fn an_index_that_leads_out_of_its_shard_is_none() {
        let folder = tempfile::tempdir().unwrap();
        let places = Places::with_cache(folder.path(), "tar".into(), None);
        let whole = section(folder.path());
        for (offset, length) in [(51, 50), (u64::MAX, 1)] {
            let mut section = whole.clone();
            (section.offsets[1], section.lengths[1]) = (offset, length);
            places.save(&[section]);
            assert_eq!(places.load(1), []);
        }
        places.save(&[whole]);
        assert_eq!(places.load(1).len(), 1);
    }

    #[test]
    fn where_the_folder_of_the_shards_cannot_be_written_the_index_lies_in_the_cache() {
        let [folder, cache] = [(); 2].map(|()| tempfile::tempdir().unwrap());
        let sections = [section(folder.path())];
        let places = Places::with_cache(folder.path(), "tar".into(), Some(cache.path().join("fmicl")));
        // A folder is in its place.
        std::fs::create_dir(&places.paths[0]).unwrap();
        assert_eq!(places.save(&sections), None);
        assert_eq!(places.load(1), sections);
        assert_eq!(std::fs::read_dir(cache.path().join("fmicl")).unwrap().count(), 1);
        let nowhere = Places::with_cache(folder.path(), "tar".into(), None);
        let note = nowhere.save(&sections).unwrap();
        assert!(
            note.ends_with(": the index of the shards cannot be kept, and is made again each time"),
            "{note}"
        );
    }

    #[test]
    fn a_shard_that_was_written_a_moment_ago_is_not_remembered() {
        let folder = tempfile::tempdir().unwrap();
        let places = Places::with_cache(folder.path(), "tar".into(), None);
        let old = section(folder.path());
        let path = folder.path().join("b.tar");
        std::fs::write(&path, [0; 100]).unwrap();
        let fresh = Section {
            name: "b.tar".into(),
            stamp: Stamp::of(&path, "").unwrap(),
            ..old.clone()
        };
        places.save(&[old.clone(), fresh]);
        assert_eq!(places.load(1), [old]);
    }

    #[test]
    fn a_shard_of_a_time_to_come_is_remembered_and_that_none_is_kept_is_said() {
        let folder = tempfile::tempdir().unwrap();
        let places = Places::with_cache(folder.path(), "tar".into(), None);
        let old = section(folder.path());
        let path = folder.path().join("a.tar");
        let at = |time: SystemTime| {
            let file = std::fs::File::options().write(true).open(&path).unwrap();
            file.set_modified(time).unwrap();
            Section {
                stamp: Stamp::of(&path, "").unwrap(),
                ..old.clone()
            }
        };
        let note = places.save(&[at(SystemTime::now())]).unwrap();
        assert!(note.ends_with(
            ": the shards were written a moment ago, so that their index is not kept yet, and is made again"
        ));
        let later = at(SystemTime::now() + Duration::from_secs(86_400));
        assert_eq!(places.save(std::slice::from_ref(&later)), None);
        assert_eq!(places.load(1), [later]);
    }
}
