//! Shards that say how many they are: `train-00000-of-00032.parquet`.

use fmicl_core::{Error, Result};
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

/// The most missing shards that are named.
const NAMED: usize = 3;

/// Where the names of all files end in `-NNNNN-of-NNNNN`, all that they tell of must be there.
///
/// # Errors
/// [`Error::Data`] with the names of those that are missing.
pub(crate) fn require_all(files: &[PathBuf]) -> Result<()> {
    let parsed: Option<Vec<_>> = files.iter().map(|file| Numbered::of(file)).collect();
    let mut sets = BTreeMap::<_, (BTreeSet<u64>, &Numbered)>::new();
    let parsed = parsed.unwrap_or_default();
    for one in &parsed {
        let key = (one.folder, one.before.clone(), one.count);
        let (numbers, _) = sets.entry(key).or_insert_with(|| (BTreeSet::new(), one));
        numbers.insert(one.number);
    }
    for (numbers, one) in sets.values() {
        // Some count from 1.
        let first = u64::from(!numbers.contains(&0) && numbers.contains(&one.count));
        let all = first..one.count.saturating_add(first);
        let there = numbers.range(all.clone()).count() as u64;
        let missing = one.count - there;
        if missing == 0 {
            continue;
        }
        let names = all.filter(|number| !numbers.contains(number)).take(NAMED);
        let names: Vec<_> = names.map(|number| one.name(number)).collect();
        let more = match missing.saturating_sub(NAMED as u64) {
            0 => String::new(),
            more => format!(" and {more} more"),
        };
        let message = format!(
            "lacks {}{more}: the others' names say that there are {}; the option of the split may name those that are to be read",
            names.join(", "),
            one.count
        );
        return Err(Error::data(one.folder, message));
    }
    Ok(())
}

/// A name with a number and a count.
struct Numbered<'a> {
    folder: &'a Path,
    before: String,
    number: u64,
    count: u64,
    /// Digits of the number.
    width: usize,
    /// The count as it is written, and the extension.
    after: String,
}

impl<'a> Numbered<'a> {
    fn of(file: &'a Path) -> Option<Self> {
        let name = file.file_name()?.to_str()?;
        let (start, after) = name.rsplit_once("-of-")?;
        let (before, number) = start.rsplit_once('-')?;
        let (count, _) = after.split_once('.')?;
        let parse = |text: &str| {
            let is_number = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
            is_number.then(|| text.parse::<u64>().ok()).flatten()
        };
        Some(Numbered {
            folder: file.parent()?,
            before: before.to_string(),
            number: parse(number)?,
            count: parse(count)?,
            width: number.len(),
            after: after.to_string(),
        })
    }

    /// What the shard with another number is called.
    fn name(&self, number: u64) -> String {
        format!("{}-{number:0width$}-of-{}", self.before, self.after, width = self.width)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn missing(names: &[&str]) -> Option<String> {
        let files: Vec<_> = names.iter().map(|name| Path::new("d").join(name)).collect();
        require_all(&files).err().map(|error| error.to_string())
    }

    #[test]
    fn shards_that_tell_of_others_are_read_with_all_of_them() {
        assert_eq!(missing(&["a-00000-of-00002.tar", "a-00001-of-00002.tar"]), None);
        assert_eq!(missing(&["a-1-of-2.tar", "a-2-of-2.tar", "b-0-of-1.tar"]), None);
        // Not all say so.
        assert_eq!(missing(&["a-00000-of-00002.tar", "b.tar"]), None);
        let expected = "d: lacks a-00001-of-00003.tar: the others' names say that there are 3; the option of the split may name \
                        those that are to be read";
        let found = missing(&["a-00000-of-00003.tar", "a-00002-of-00003.tar"]);
        assert_eq!(found.as_deref(), Some(expected));
        let many = missing(&["a-7-of-99999999999.tar"]).unwrap();
        let expected =
            "d: lacks a-0-of-99999999999.tar, a-1-of-99999999999.tar, a-2-of-99999999999.tar and 99999999995 more: ";
        assert!(many.starts_with(expected), "{many}");
    }
}
