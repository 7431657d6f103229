//! Text within HTML.

use serde_json::Value;

/// Text as it stands between tags and in quoted attributes, whatever it holds. Control characters, which HTML forbids, are replaced.
pub fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            '\n' | '\t' => escaped.push(letter),
            letter if letter.is_control() => escaped.push('\u{fffd}'),
            letter => escaped.push(letter),
        }
    }
    escaped
}

/// A name that may run from right to left, which does not turn what stands beside it.
pub fn name(text: &str) -> String {
    format!("<bdi>{}</bdi>", escape(text))
}

/// JSON within `<script type="application/json">`: no tag, comment or end of the script can begin in it.
pub fn json(value: &Value) -> String {
    let text = value.to_string();
    text.replace('<', "\\u003c")
        .replace('>', "\\u003e")
        .replace('\u{2028}', "\\u2028")
        .replace('\u{2029}', "\\u2029")
}

/// A number with at most five significant digits, as short as it can be.
pub fn number(value: f64) -> String {
    if !value.is_finite() {
        return "–".into();
    }
    let size = value.abs();
    let text = match size {
        0.0 => return "0".into(),
        _ if !(1e-3..1e6).contains(&size) => {
            let text = format!("{value:.3e}");
            let (digits, exponent) = text.split_once('e').unwrap_or((&text, "0"));
            return format!("{}e{exponent}", without_zeros(digits)).replace('-', "−");
        }
        _ => format!("{value:.*}", (4 - size.log10().floor() as i64).clamp(0, 7) as usize),
    };
    without_zeros(&text).replace('-', "−")
}

fn without_zeros(digits: &str) -> &str {
    match digits.contains('.') {
        true => digits.trim_end_matches('0').trim_end_matches('.'),
        false => digits,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn no_text_becomes_a_tag_or_ends_an_attribute() {
        let hostile = "<script>alert(\"1\")</script>\n'a' & b\u{0}";
        let expected = "&lt;script&gt;alert(&quot;1&quot;)&lt;/script&gt;\n&#39;a&#39; &amp; b\u{fffd}";
        assert_eq!(escape(hostile), expected);
        assert_eq!(name("\u{5d0}<"), "<bdi>\u{5d0}&lt;</bdi>");
    }

    #[test]
    fn json_ends_no_script_and_stays_the_same_value() {
        let value = json!({"</script><!--": ["]]>", "<SCRIPT", "\u{2028}", 0.1, null]});
        let text = super::json(&value);
        assert!(!text.contains(['<', '>', '\u{2028}']), "{text}");
        assert_eq!(serde_json::from_str::<Value>(&text).unwrap(), value);
    }

    #[test]
    fn numbers_are_short() {
        let shown = [0.0, 1.0, 93.125, 12345.678, 0.012345, 2e-4, -1.5, 1234567.0, f64::NAN].map(number);
        let expected = ["0", "1", "93.125", "12346", "0.012345", "2e−4", "−1.5", "1.235e6", "–"];
        assert_eq!(shown, expected);
    }
}
