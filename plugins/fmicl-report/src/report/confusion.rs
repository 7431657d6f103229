//! Confusion matrices, as a table or, of many classes, as a picture.

use super::html;
use crate::pictures::{Picture, address};
use fmicl_core::{Confusion, Result};
use std::fmt::Write;

/// The most classes of a table.
const TABLE: usize = 20;
/// Confusions that are listed.
const LISTED: usize = 12;

/// The matrix of classes with these names, which may be fewer.
///
/// # Errors
/// A picture that cannot be written.
pub fn html(confusion: &Confusion, names: &[String]) -> Result<String> {
    let name = |class: usize| names.get(class).map_or_else(|| class.to_string(), String::clone);
    let rows = &confusion.0;
    if rows.len() <= TABLE {
        return Ok(table(rows, name));
    }
    Ok(format!("{}{}", picture(rows)?, list(rows, name)))
}

fn table(rows: &[Vec<u32>], name: impl Fn(usize) -> String) -> String {
    let heads = (0..rows.len()).map(|class| format!("<th scope=\"col\">{}</th>", html::name(&name(class))));
    let mut text = format!(
        "<div class=\"scroll\"><table class=\"confusion\"><thead><tr><th scope=\"col\">is \\ taken for</th>{}</tr></thead><tbody>",
        heads.collect::<String>()
    );
    for (class, row) in rows.iter().enumerate() {
        let total = total(row);
        let _ = write!(text, "<tr><th scope=\"row\">{}</th>", html::name(&name(class)));
        for (taken, &count) in row.iter().enumerate() {
            let share = f64::from(count) / total;
            let classes = match (count, taken == class) {
                (0, _) => "zero",
                (_, true) => "hit",
                _ => "",
            };
            let _ = write!(
                text,
                "<td class=\"{classes}\" style=\"background:rgba(var(--heat),{:.2})\">{count}</td>",
                share.sqrt() * 0.55
            );
        }
        text.push_str("</tr>");
    }
    text + "</tbody></table></div>"
}

/// The samples of a class, at least 1.
fn total(row: &[u32]) -> f64 {
    row.iter().map(|&count| u64::from(count)).sum::<u64>().max(1) as f64
}

/// A pixel for each pair of classes, the darker the more.
fn picture(rows: &[Vec<u32>]) -> Result<String> {
    let shade = |row: &Vec<u32>| {
        let total = total(row);
        let opacity = move |&count: &u32| ((f64::from(count) / total).sqrt() * 255.0).round() as u8;
        row.iter().flat_map(|count| [110, opacity(count)]).collect::<Vec<u8>>()
    };
    let picture = Picture {
        width: rows.len(),
        height: rows.len(),
        channels: 2,
        pixels: rows.iter().flat_map(shade).collect(),
    };
    Ok(format!(
        "<img class=\"heat\" alt=\"Confusion matrix of {} classes: rows are classes, columns what their samples are taken for\" src=\"{}\">",
        rows.len(),
        address("png", &picture.png(&[])?)
    ))
}

/// The most frequent confusions.
fn list(rows: &[Vec<u32>], name: impl Fn(usize) -> String) -> String {
    let cells = rows.iter().enumerate().flat_map(|(class, row)| {
        let others = row
            .iter()
            .enumerate()
            .filter(move |(taken, count)| *taken != class && **count > 0);
        others.map(move |(taken, &count)| (count, class, taken))
    });
    let mut cells: Vec<_> = cells.collect();
    cells.sort_by_key(|&(count, class, taken)| (std::cmp::Reverse(count), class, taken));
    let items = cells.iter().take(LISTED).map(|&(count, class, taken)| {
        format!(
            "<tr><th scope=\"row\">{}</th><td>{}</td><td>{count}</td></tr>",
            html::name(&name(class)),
            html::name(&name(taken))
        )
    });
    format!(
        "<h4>Most frequent confusions</h4><table><thead><tr><th scope=\"col\">is</th><th scope=\"col\">taken for</th><th \
         scope=\"col\">samples</th></tr></thead><tbody>{}</tbody></table>",
        items.collect::<String>()
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_class_has_any_number_of_samples() {
        assert_eq!(total(&[u32::MAX, u32::MAX]), 2.0 * f64::from(u32::MAX));
        assert_eq!(total(&[0, 0]), 1.0);
    }

    #[test]
    fn few_classes_are_a_table_of_the_counts_with_names_as_text() {
        let confusion = Confusion(vec![vec![5, 0], vec![3, 12]]);
        let html = html(&confusion, &["<b>".into(), "two".into()]).unwrap();
        assert!(html.contains("&lt;b&gt;") && !html.contains("<b>"));
        for cell in [">5</td>", ">3</td>", ">12</td>", "<td class=\"zero\""] {
            assert!(html.contains(cell), "{cell}: {html}");
        }
    }

    #[test]
    fn many_classes_are_a_picture_and_their_most_frequent_confusions() {
        let mut rows = vec![vec![0; 150]; 150];
        (0..150).for_each(|class| rows[class][class] = 90);
        (rows[3][140], rows[140][3]) = (9, 7);
        let html = html(&Confusion(rows), &[]).unwrap();
        assert!(
            html.contains("data:image/png;base64,") && html.len() < 20_000,
            "{}",
            html.len()
        );
        let first = html.find("<bdi>3</bdi></th><td><bdi>140</bdi></td><td>9</td>").unwrap();
        assert!(first < html.find("<bdi>140</bdi></th><td><bdi>3</bdi></td><td>7</td>").unwrap());
    }
}
