//! The page: its head, the list of its sections, and the data of its script.

use super::chart::Chart;
use super::html;
use serde_json::{Value, json};
use std::fmt::Write;

const STYLE: &str = include_str!("assets/report.css");
const SCRIPT: &str = include_str!("assets/report.js");

/// A page under construction.
#[derive(Debug, Default)]
pub struct Page {
    /// Heading.
    pub title: String,
    /// HTML between the heading and the sections.
    pub hero: String,
    sections: Vec<Section>,
    charts: Vec<Value>,
    maps: Vec<Value>,
    /// Lines on what the page lacks, and why.
    left_out: Vec<String>,
}

#[derive(Debug)]
struct Section {
    id: String,
    title: String,
    html: String,
}

impl Page {
    /// An empty page.
    pub fn titled(title: &str) -> Self {
        Page {
            title: title.into(),
            ..Page::default()
        }
    }

    /// Adds a section with a short name for its address.
    pub fn section(&mut self, id: &str, title: &str, html: String) {
        self.sections.push(Section {
            id: id.into(),
            title: title.into(),
            html,
        });
    }

    /// Adds the numbers of a chart, and returns its HTML.
    pub fn chart(&mut self, chart: &Chart) -> String {
        self.charts.push(chart.data());
        chart.html(self.charts.len() - 1)
    }

    /// Adds the points of a map, and returns their number.
    pub fn map(&mut self, map: Value) -> usize {
        self.maps.push(map);
        self.maps.len() - 1
    }

    /// Notes that something is left out: a sentence.
    pub fn leave_out(&mut self, line: impl Into<String>) {
        let line = line.into();
        if !self.left_out.contains(&line) {
            self.left_out.push(line);
        }
    }

    /// What is left out.
    pub fn left_out(&self) -> &[String] {
        &self.left_out
    }

    /// The whole page: one file that needs no other.
    pub fn html(&self) -> String {
        let title = html::escape(&self.title);
        let mut toc = String::new();
        let mut body = String::new();
        for Section { id, title, html } in &self.sections {
            let title = html::escape(title);
            let _ = write!(toc, "<li><a href=\"#{id}\">{title}</a></li>");
            let _ = writeln!(
                body,
                "<section id=\"{id}\" aria-labelledby=\"h-{id}\"><h2 id=\"h-{id}\">{title}</h2>{html}</section>"
            );
        }
        if !self.left_out.is_empty() {
            toc.push_str("<li><a href=\"#left-out\">Left out</a></li>");
            let lines = self
                .left_out
                .iter()
                .map(|line| format!("<li>{}</li>", html::escape(line)));
            let _ = writeln!(
                body,
                "<section id=\"left-out\" aria-labelledby=\"h-left-out\"><h2 id=\"h-left-out\">Left out</h2><ul>{}</ul></section>",
                lines.collect::<String>()
            );
        }
        let data = html::json(&json!({"charts": self.charts, "maps": self.maps}));
        // No address is reached, whatever a text of the run holds.
        let policy = "default-src 'none'; img-src data:; style-src 'unsafe-inline'; script-src 'unsafe-inline'; base-uri 'none'; \
                      form-action 'none'";
        format!(
            "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n<meta http-equiv=\"Content-Security-Policy\" \
             content=\"{policy}\">\n<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n<meta \
             name=\"color-scheme\" content=\"light dark\">\n<title>{title} · fmicl report</title>\n<style>\n{STYLE}</style>\n</head>\n\
             <body>\n<a class=\"skip\" href=\"#content\">Skip to the content</a>\n<div class=\"layout\">\n<nav class=\"toc\" \
             aria-label=\"Contents\"><ol>{toc}</ol></nav>\n<main id=\"content\">\n<header class=\"hero\">{}</header>\n{body}</main>\n</div>\n\
             <div id=\"tip\" role=\"status\" aria-live=\"off\" hidden></div>\n<script type=\"application/json\" \
             id=\"data\">{data}</script>\n<script>\n{SCRIPT}</script>\n</body>\n</html>\n",
            self.hero
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_reaches_no_address_and_names_each_section_twice() {
        let mut page = Page {
            title: "</title><script>".into(),
            ..Page::default()
        };
        page.section("results", "Results", "<p>x</p>".into());
        page.leave_out("a <b>");
        page.leave_out("a <b>");
        let html = page.html();
        for address in ["http:", "https:", "url(//", "@import", " src="] {
            assert!(!html.contains(address), "{address}");
        }
        assert_eq!(html.matches("<script").count(), 2);
        assert_eq!(
            (html.matches("a &lt;b&gt;").count(), html.matches("#results").count()),
            (1, 1)
        );
    }
}
