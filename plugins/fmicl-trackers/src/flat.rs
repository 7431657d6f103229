//! A config's values by their dotted keys, as viewers compare runs by them.

use fmicl_core::toml::{Table, Value};

/// The values of a config, in the order of their keys: `train.lr`. Lists are one value.
pub fn leaves(config: &Table) -> Vec<(String, Value)> {
    let mut found = Vec::new();
    for (key, value) in config {
        match value {
            Value::Table(inner) => {
                let inner = leaves(inner).into_iter();
                found.extend(inner.map(|(rest, value)| (format!("{key}.{rest}"), value)));
            }
            value => found.push((key.clone(), value.clone())),
        }
    }
    found
}

/// A value as text: a string without its quotes, anything else as in TOML.
pub fn shown(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        value => value.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_dotted_and_lists_are_one_value() {
        let config: Table = "a = 1\n[b]\nc = 'x y'\nd = [1, 2]\n[b.e]\nf = true".parse().unwrap();
        let flat = leaves(&config)
            .into_iter()
            .map(|(key, value)| format!("{key}={}", shown(&value)));
        assert_eq!(flat.collect::<Vec<_>>(), ["a=1", "b.c=x y", "b.d=[1, 2]", "b.e.f=true"]);
    }
}
