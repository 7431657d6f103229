//! The files of a folder that are no samples, counted by their kind.

use super::extensions::{ARRAY, EXTENSIONS};
use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::fmt;
use std::path::Path;

/// Files and hidden folders that were passed over.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct LeftOut(BTreeMap<String, usize>);

impl LeftOut {
    /// Counts files by their extensions.
    pub fn add(&mut self, names: &[OsString]) {
        for name in names {
            let kind = match Path::new(name).extension() {
                _ if is_hidden(name) => "hidden".to_string(),
                Some(extension) => {
                    let extension = extension.to_ascii_lowercase();
                    // It can hold anything, a terminal's escape codes included.
                    format!(".{}", extension.to_string_lossy().escape_debug())
                }
                None => "without an extension".to_string(),
            };
            *self.0.entry(kind).or_default() += 1;
        }
    }

    /// Counts photos that have no class. The kinds read well behind one and behind many.
    pub fn add_beside_classes(&mut self, photos: &[OsString]) {
        if !photos.is_empty() {
            *self.0.entry("beside the class folders".into()).or_default() += photos.len();
        }
    }

    /// Counts folders that the program writes to.
    pub fn add_own(&mut self, folders: &[OsString]) {
        if !folders.is_empty() {
            *self.0.entry("taken for runs or sweeps".into()).or_default() += folders.len();
        }
    }

    /// Adds the counts of another.
    pub fn join(&mut self, other: LeftOut) {
        for (kind, count) in other.0 {
            *self.0.entry(kind).or_default() += count;
        }
    }

    /// A line about the folder at `path`; none where nothing was left out.
    pub fn line(&self, path: &Path) -> Option<String> {
        let count: usize = self.0.values().sum();
        let read = EXTENSIONS.map(|extension| format!(".{extension}")).join(" ");
        (count > 0).then(|| {
            let path = path.display();
            format!("{path}: {count} left out: {self} (read are {read}, and .{ARRAY} where there are none of these)")
        })
    }
}

/// Returns true if the system's tools do not show a file of this name.
pub(super) fn is_hidden(name: &OsStr) -> bool {
    name.as_encoded_bytes().starts_with(b".")
}

/// Kinds that are named, the most frequent first.
const MOST_KINDS: usize = 8;

impl fmt::Display for LeftOut {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut kinds: Vec<_> = self.0.iter().collect();
        kinds.sort_by_key(|&(_, &count)| Reverse(count));
        let (named, others) = kinds.split_at(kinds.len().min(MOST_KINDS));
        let mut parts: Vec<_> = named.iter().map(|(kind, count)| format!("{count} {kind}")).collect();
        if !others.is_empty() {
            let count: usize = others.iter().map(|&(_, &count)| count).sum();
            parts.push(format!("{count} of {} other kinds", others.len()));
        }
        f.write_str(&parts.join(", "))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(names: &[&str]) -> LeftOut {
        let mut left_out = LeftOut::default();
        left_out.add(&names.iter().map(OsString::from).collect::<Vec<_>>());
        left_out
    }

    #[test]
    fn kinds_are_counted_whatever_the_case_of_their_extension() {
        let mut left_out = of(&["a.svg", "b.SVG", "c.txt", "README", ".DS_Store", "._a.png", "x.y.svg"]);
        left_out.add_beside_classes(&["a.png".into()]);
        left_out.add_own(&["runs".into()]);
        assert_eq!(
            left_out.line(Path::new("/d/train")).unwrap(),
            "/d/train: 9 left out: 3 .svg, 2 hidden, 1 .txt, 1 beside the class folders, 1 taken for runs or sweeps, 1 without \
             an extension (read are .jpg .jpeg .png .ppm .bmp .pgm .tif .tiff .webp .gif .pbm .pnm .jpe .jfif, and .npy \
             where there are none of these)"
        );
        assert_eq!(LeftOut::default().line(Path::new("/d")), None);
    }

    #[test]
    fn a_line_stays_short_and_clean_whatever_the_extensions() {
        let names: Vec<String> = (0..100).map(|number| format!("x.{number}")).collect();
        let left_out = of(&names.iter().map(String::as_str).collect::<Vec<_>>());
        assert!(
            left_out.to_string().ends_with("1 .14, 1 .15, 92 of 92 other kinds"),
            "{left_out}"
        );
        assert_eq!(of(&["a.\u{1b}[31m"]).to_string(), "1 .\\u{1b}[31m");
    }
}
