//! The label of a sample: an integer as text, or a key of a JSON object.

use fmicl_core::Result;

/// Where a sample's label stands.
#[derive(Debug, Clone)]
pub(crate) enum Label {
    /// Nowhere: labels are not read.
    None,
    /// In the file with this extension, as text.
    Text(String),
    /// Under this key of `.json`.
    Key(String),
}

/// The highest label: more classes than any dataset has, and few enough to count.
pub(crate) const HIGHEST: u32 = (1 << 24) - 1;
/// The most bytes of a file that a label is read from.
pub(super) const MOST: u64 = 1 << 20;

impl Label {
    /// The extension of the file that it is read from.
    pub fn extension(&self) -> Option<&str> {
        match self {
            Label::None => None,
            Label::Text(extension) => Some(extension),
            Label::Key(_) => Some("json"),
        }
    }

    /// How a user would call what is missing where there is none.
    pub fn describe(&self) -> String {
        match self {
            Label::None => String::new(),
            Label::Text(extension) => format!("a `.{extension}`"),
            Label::Key(key) => format!("a `.json` with the key `{key}`"),
        }
    }

    /// The label in the bytes of such a file; nothing where the object has no such key.
    ///
    /// # Errors
    /// What was found in its place.
    pub fn read(&self, bytes: &[u8]) -> Result<Option<u32>, String> {
        match self {
            Label::None => Ok(None),
            Label::Text(_) => {
                let text = String::from_utf8_lossy(bytes);
                number(text.trim(), text.trim().parse().ok()).map(Some)
            }
            Label::Key(key) => {
                let object: serde_json::Value =
                    serde_json::from_slice(bytes).map_err(|error| format!("is not JSON: {error}"))?;
                let Some(value) = object.get(key) else { return Ok(None) };
                let found = number(&value.to_string(), value.as_i64());
                found
                    .map(Some)
                    .map_err(|message| format!("{message}, under the key `{key}`"))
            }
        }
    }
}

/// The label that a number is, or what it is instead.
pub(crate) fn number(text: &str, number: Option<i64>) -> Result<u32, String> {
    let label = number.and_then(|number| u32::try_from(number).ok());
    label.filter(|&label| label <= HIGHEST).ok_or_else(|| {
        let shown: String = text.chars().take(40).collect();
        format!("holds `{shown}`, which is no label: an integer from 0 to {HIGHEST} is expected")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_label_is_an_integer_as_text_or_under_a_key() {
        let (text, key) = (Label::Text("cls".into()), Label::Key("label".into()));
        assert_eq!(text.read(b" 7\n").unwrap(), Some(7));
        assert_eq!(key.read(br#"{"label": 3, "other": "x"}"#).unwrap(), Some(3));
        assert_eq!(key.read(br#"{"other": 3}"#).unwrap(), None);
        let expected = "which is no label: an integer from 0 to 16777215 is expected";
        for (label, bytes, found) in [
            (&text, &b"cat"[..], "cat"),
            (&text, b"", ""),
            (&text, b"-1", "-1"),
            (&text, b"1.5", "1.5"),
            (&text, b"99999999999", "99999999999"),
        ] {
            assert_eq!(label.read(bytes).unwrap_err(), format!("holds `{found}`, {expected}"));
        }
        let error = key.read(br#"{"label": "cat"}"#).unwrap_err();
        assert_eq!(error, format!("holds `\"cat\"`, {expected}, under the key `label`"));
        assert!(key.read(b"{").unwrap_err().starts_with("is not JSON: "));
    }
}
