//! JSON lines: an object a line.

use super::{Reader, Row, WEIGHT};
use fmicl_core::{Error, Result};
use serde_json::{Map, Value};

pub(super) fn lines<F: FnMut(Row) -> Result<()>>(reader: &mut Reader<F>, text: &str) -> Result<Vec<String>> {
    let mut unread = None;
    for (index, line) in text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty()) {
        let number = index as u64 + 1;
        let object: Map<String, Value> = serde_json::from_str(line).map_err(|error| {
            // serde_json counts lines of its own.
            let error = error.to_string().replace(" at line 1 column ", ", at character ");
            reader.wrong(number, format_args!("is no JSON object ({error})"))
        })?;
        if unread.is_none() || object.contains_key(WEIGHT) {
            let names: Vec<&str> = object.keys().map(String::as_str).collect();
            reader.check(number, &names)?;
            unread = Some(reader.unread(&names));
        }
        let columns = reader.columns;
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
        reader.add(number, path.as_deref(), label.as_deref(), split.as_deref())?;
    }
    unread.ok_or_else(|| Error::data(reader.path, "is empty; an object a line is expected"))
}
