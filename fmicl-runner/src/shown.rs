//! Names, times and durations as people read them.

use std::time::{Duration, SystemTime};

/// A name on one line of a terminal: characters that would end the line, move the cursor, or turn or hide what stands beside them
/// are escaped.
pub fn name(text: &str) -> String {
    let is_hostile = |letter: char| {
        letter.is_control()
            || matches!(letter, '\u{61c}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}')
    };
    let shown = |letter: char| match is_hostile(letter) {
        true => letter.escape_default().to_string(),
        false => letter.to_string(),
    };
    text.chars().map(shown).collect()
}

/// A duration in its two largest units, such as `2 h 5 min`, `35 s` or `3 d`.
pub fn duration(time: Duration) -> String {
    let seconds = time.as_secs_f64().round() as u64;
    let parts = [
        (seconds / 86_400, "d"),
        (seconds / 3600 % 24, "h"),
        (seconds / 60 % 60, "min"),
        (seconds % 60, "s"),
    ];
    let first = parts.iter().position(|(count, _)| *count > 0).unwrap_or(3);
    let shown = parts[first..].iter().take(2).filter(|(count, _)| *count > 0);
    let shown: Vec<_> = shown.map(|(count, unit)| format!("{count} {unit}")).collect();
    match shown.is_empty() {
        true => "0 s".into(),
        false => shown.join(" "),
    }
}

/// How long ago a time was, in its largest unit, such as `3 h ago`.
pub fn ago(then: SystemTime, now: SystemTime) -> String {
    let passed = now.duration_since(then).unwrap_or_default();
    let text = duration(passed);
    let first: Vec<&str> = text.split(' ').take(2).collect();
    format!("{} ago", first.join(" "))
}

/// A time in UTC (RFC 3339), to the second.
pub fn time(at: SystemTime) -> String {
    humantime::format_rfc3339_seconds(at).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_would_move_the_cursor_or_turn_the_line_is_escaped() {
        assert_eq!(name("ünder-1 漢"), "ünder-1 漢");
        assert_eq!(name("a\nb\u{1b}[2J"), "a\\nb\\u{1b}[2J");
        assert_eq!(name("x\u{202e}gnp\u{200f}"), "x\\u{202e}gnp\\u{200f}");
    }

    #[test]
    fn durations_have_two_units_and_ages_one() {
        let shown = |seconds: f64| duration(Duration::from_secs_f64(seconds));
        assert_eq!([0.2, 59.6, 61.0].map(shown), ["0 s", "1 min", "1 min 1 s"]);
        assert_eq!([7500.0, 259_200.0, 86_460.0].map(shown), ["2 h 5 min", "3 d", "1 d"]);
        let now = SystemTime::now();
        assert_eq!(ago(now - Duration::from_secs(7500), now), "2 h ago");
        assert_eq!(ago(now + Duration::from_secs(5), now), "0 s ago");
    }
}
