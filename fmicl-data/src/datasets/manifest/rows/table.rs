//! Tables with a header: commas (RFC 4180), or tabs, between which a quotation mark is a letter; or what else separates the header's
//! columns.

use super::{Fields, Reader, Row};
use crate::datasets::separator;
use csv::StringRecord;
use fmicl_core::{Error, Result};

pub(super) fn commas<F: FnMut(Row) -> Result<()>>(reader: &mut Reader<F>, text: &str) -> Result<Vec<String>> {
    read(reader, text, b',')
}

pub(super) fn tabs<F: FnMut(Row) -> Result<()>>(reader: &mut Reader<F>, text: &str) -> Result<Vec<String>> {
    read(reader, text, b'\t')
}

fn read<F: FnMut(Row) -> Result<()>>(reader: &mut Reader<F>, text: &str, expected: u8) -> Result<Vec<String>> {
    let separator = separator::of(text, expected, reader.columns.path);
    let mut table = separator::reader(text, separator);
    let path = reader.path;
    let mut next = |record: &mut StringRecord| -> Result<Option<u64>> {
        // A record begins behind the blank lines that follow the one before.
        let (line, start) = (table.position().line(), table.position().byte() as usize);
        let blank = text[start..].bytes().take_while(|byte| b"\r\n".contains(byte));
        let line = line + blank.filter(|&byte| byte == b'\n').count() as u64;
        let is_there = table.read_record(record);
        // Nothing goes wrong with text in memory.
        let is_there = is_there.map_err(|error| Error::data(path, error.to_string()))?;
        Ok(is_there.then_some(line))
    };
    let mut header = StringRecord::new();
    let Some(line) = next(&mut header)? else {
        return Err(Error::data(path, "is empty; a first row names its columns"));
    };
    header.trim();
    let names: Vec<&str> = header.iter().collect();
    let twice = (1..names.len()).find(|&place| !names[place].is_empty() && names[..place].contains(&names[place]));
    if let Some(place) = twice {
        let name = names[place].escape_debug();
        return Err(reader.wrong(line, format_args!("two columns are called `{name}`")));
    }
    reader.check(line, &names)?;
    let columns = reader.columns;
    let read = [columns.path, columns.label, columns.split, columns.weight];
    let places = read.map(|name| {
        let is_it = |found: &&str| *found == name && !name.is_empty();
        names.iter().position(is_it)
    });
    let mut record = StringRecord::new();
    while let Some(line) = next(&mut record)? {
        if record.len() != names.len() {
            let (found, expected) = (record.len(), names.len());
            return Err(reader.wrong(
                line,
                format_args!("has {found} fields where the first row has {expected}"),
            ));
        }
        let [path, label, split, weight] = places.map(|place| place.and_then(|place| record.get(place)));
        let fields = Fields {
            path,
            label,
            split,
            weight,
        };
        reader.add(line, &fields)?;
    }
    let note = (separator != expected).then(|| format!("its fields are separated by {:?}", separator as char));
    Ok(reader.unread(&names).into_iter().chain(note).collect())
}
