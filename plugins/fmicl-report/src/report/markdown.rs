//! The Markdown that a sweep writes: headings, tables and paragraphs.

use super::html::escape;
use std::fmt::Write;

/// The text as HTML, its headings below those of the page's sections.
pub fn html(text: &str) -> String {
    let mut out = String::new();
    let mut lines = text.lines().peekable();
    while let Some(line) = lines.next() {
        let line = line.trim();
        if line.starts_with('|') {
            let mut rows = vec![line];
            while let Some(next) = lines.next_if(|line| line.trim().starts_with('|')) {
                rows.push(next.trim());
            }
            out += &table(&rows);
        } else if let Some(heading) = line.strip_prefix('#') {
            let _ = write!(out, "<h4>{}</h4>", inline(heading.trim_start_matches('#').trim()));
        } else if let Some(item) = line.strip_prefix("* ").or(line.strip_prefix("- ")) {
            let mut items = vec![item];
            while let Some(next) = lines.next_if(|line| line.starts_with("* ") || line.starts_with("- ")) {
                items.push(&next[2..]);
            }
            let items: String = items.iter().map(|item| format!("<li>{}</li>", inline(item))).collect();
            let _ = write!(out, "<ul class=\"notes\">{items}</ul>");
        } else if !line.is_empty() {
            let mut words = vec![line];
            let goes_on = |line: &&str| !line.trim().is_empty() && !line.starts_with(['|', '#', '*', '-']);
            while let Some(next) = lines.next_if(goes_on) {
                words.push(next.trim());
            }
            let _ = write!(out, "<p class=\"note\">{}</p>", inline(&words.join(" ")));
        }
    }
    out
}

/// The cells of a row, in which `\|` is a bar.
fn cells(row: &str) -> Vec<String> {
    let row = row.trim().trim_start_matches('|');
    let row = row.strip_suffix('|').filter(|row| !row.ends_with('\\')).unwrap_or(row);
    let mut cells = vec![String::new()];
    let mut letters = row.chars().peekable();
    while let Some(letter) = letters.next() {
        match letter {
            '\\' if letters.peek() == Some(&'|') => {
                letters.next();
                if let Some(cell) = cells.last_mut() {
                    cell.push('|');
                }
            }
            '|' => cells.push(String::new()),
            letter => {
                if let Some(cell) = cells.last_mut() {
                    cell.push(letter);
                }
            }
        }
    }
    cells.iter().map(|cell| cell.trim().to_string()).collect()
}

fn table(rows: &[&str]) -> String {
    let is_rule = |row: &&str| row.chars().all(|letter| "|-: ".contains(letter));
    let mut rows = rows.iter().filter(|row| !is_rule(row)).map(|row| cells(row));
    let heads = rows.next().unwrap_or_default();
    let heads: String = heads
        .iter()
        .map(|head| format!("<th scope=\"col\">{}</th>", inline(head)))
        .collect();
    let body = rows.map(|cells| {
        let cells = cells.iter().enumerate().map(|(index, cell)| match index {
            0 => format!("<th scope=\"row\">{}</th>", inline(cell)),
            _ => format!("<td>{}</td>", inline(cell)),
        });
        format!("<tr>{}</tr>", cells.collect::<String>())
    });
    format!(
        "<div class=\"scroll\"><table class=\"results\"><thead><tr>{heads}</tr></thead><tbody>{}</tbody></table></div>",
        body.collect::<String>()
    )
}

/// A line, with bold words and code.
fn inline(text: &str) -> String {
    let mut out = String::new();
    for (index, part) in text.split("**").enumerate() {
        let last = text.matches("**").count();
        let is_bold = index % 2 == 1 && index < last;
        let part = code(part);
        match is_bold {
            true => out += &format!("<strong class=\"best\">{part}</strong>"),
            false if index % 2 == 1 => out += &format!("**{part}"),
            false => out += &part,
        }
    }
    format!("<bdi>{out}</bdi>")
}

fn code(text: &str) -> String {
    let parts: Vec<&str> = text.split('`').collect();
    let last = parts.len() - 1;
    let part = |(index, part): (usize, &&str)| match index % 2 == 1 {
        true if index < last => format!("<code>{}</code>", escape(part)),
        true => format!("`{}", escape(part)),
        false => escape(part),
    };
    parts.iter().enumerate().map(part).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sweeps_table_is_a_table_with_its_numbers_as_they_are() {
        let text = "# a & b\n\n| objective | linear |\n| --- | --- |\n| `kl` | **36.0** ± 0.4 |\n| x \\| <i> | – |\n\nOne\nsentence.\n";
        let html = html(text);
        for part in [
            "<h4><bdi>a &amp; b</bdi></h4>",
            "<th scope=\"col\"><bdi>linear</bdi></th>",
            "<th scope=\"row\"><bdi><code>kl</code></bdi></th><td><bdi><strong class=\"best\">36.0</strong> ± 0.4</bdi></td>",
            "<th scope=\"row\"><bdi>x | &lt;i&gt;</bdi></th><td><bdi>–</bdi></td>",
            "<p class=\"note\"><bdi>One sentence.</bdi></p>",
        ] {
            assert!(html.contains(part), "{part}: {html}");
        }
        assert_eq!(html.matches("<tr>").count(), 3);
    }

    #[test]
    fn half_a_mark_is_text() {
        assert_eq!(inline("a ** b"), "<bdi>a ** b</bdi>");
        assert_eq!(inline("a ` b"), "<bdi>a ` b</bdi>");
    }
}
