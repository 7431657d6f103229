//! JSON lines: an object a line.

use super::{Fields, Reader, Row};
use fmicl_core::{Error, Result};
use serde_json::{Map, Value};
use std::collections::BTreeSet;

pub(super) fn lines<F: FnMut(Row) -> Result<()>>(reader: &mut Reader<F>, text: &str) -> Result<Vec<String>> {
    let mut names: BTreeSet<String> = BTreeSet::new();
    // The first row without a split, and whether any has one.
    let (mut without, mut has_split) = (None, false);
    for (index, line) in text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty()) {
        let number = index as u64 + 1;
        let object: Map<String, Value> = serde_json::from_str(line).map_err(|error| {
            // serde_json counts lines of its own.
            let error = error.to_string().replace(" at line 1 column ", ", at character ");
            reader.wrong(number, format_args!("is no JSON object ({error})"))
        })?;
        let before = names.len();
        names.extend(
            object
                .keys()
                .filter(|key| !names.contains(*key))
                .cloned()
                .collect::<Vec<_>>(),
        );
        if names.len() > before || before == 0 {
            reader.check(number, &names.iter().map(String::as_str).collect::<Vec<_>>())?;
        }
        let columns = reader.columns;
        match object.get(columns.split).filter(|_| !columns.split.is_empty()) {
            None => without = without.or(Some(number)),
            Some(Value::Null) => {
                let what = format!("its `{}` is null, and none of train, val and test", columns.split);
                return Err(reader.wrong(number, what));
            }
            Some(_) => has_split = true,
        }
        let text = |name: &str| match object.get(name).filter(|_| !name.is_empty()) {
            None | Some(Value::Null) => Ok(None),
            Some(Value::String(text)) => Ok(Some(text.clone())),
            Some(Value::Number(whole)) if whole.is_i64() => Ok(Some(whole.to_string())),
            Some(other) => {
                let what = format!("its `{name}` is {other}, neither a text nor a whole number");
                Err(reader.wrong(number, what))
            }
        };
        let [path, label, split] = [text(columns.path)?, text(columns.label)?, text(columns.split)?];
        let weight = match object.get(columns.weight).filter(|_| !columns.weight.is_empty()) {
            None => None,
            Some(Value::String(text)) => Some(text.clone()),
            Some(other) => Some(other.to_string()),
        };
        let fields = Fields {
            path: path.as_deref(),
            label: label.as_deref(),
            split: split.as_deref(),
            weight: weight.as_deref(),
        };
        reader.add(number, &fields)?;
    }
    // A row whose split was forgotten, or misspelt, may be one to test on.
    if let (true, Some(line)) = (has_split, without) {
        let what = format!("has no `{}`, and others do", reader.columns.split);
        return Err(reader.wrong(line, what));
    }
    match names.is_empty() {
        true => Err(Error::data(reader.path, "is empty; an object a line is expected")),
        false => Ok(Vec::from_iter(
            reader.unread(&names.iter().map(String::as_str).collect::<Vec<_>>()),
        )),
    }
}
