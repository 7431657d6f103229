//! The report on a terminal: a column for each split, and the first of what is wrong.

use super::found::{Found, Spread};
use super::leaks::{Leak, TEST};
use super::report::Report;
use fmicl_core::Modality;
use std::io::{self, Write};

/// What is named of each fault; `--json` has all.
const SHOWN: usize = 10;

/// # Errors
/// That stdout is closed.
pub fn show(out: &mut impl Write, report: &Report) -> io::Result<()> {
    let mut rows: Vec<Vec<String>> = vec![];
    let mut row = |name: &str, cell: &dyn Fn(&Found) -> String| {
        let cells: Vec<_> = report.splits.iter().map(cell).collect();
        // Nobody has to read that there is nothing of what not every dataset has.
        if cells.iter().any(|cell| !cell.is_empty()) {
            rows.push([vec![name.to_string()], cells].concat());
        }
    };
    row("", &|split| split.name.into());
    row("samples", &|split| split.seen.len().to_string());
    row("unreadable", &|split| split.unreadable.len().to_string());
    row("same as another", &|split| Found::copies(&split.same).to_string());
    if report.modality == Modality::Images {
        row("look like another", &|split| {
            let samples: usize = split.alike.iter().map(Vec::len).sum();
            samples.to_string()
        });
        row("too plain to tell", &|split| split.not_compared.to_string());
        row("width", &|split| spread(split.sizes[0]));
        row("height", &|split| spread(split.sizes[1]));
        row("gray", &|split| split.plain.to_string());
    } else {
        row("characters", &|split| spread(split.sizes[0]));
        row("with an empty text", &|split| split.plain.to_string());
    }
    row("files", &|split| {
        let kinds: Vec<_> = split
            .kinds
            .iter()
            .map(|(kind, count)| format!("{count} .{kind}"))
            .collect();
        kinds.join(", ").escape_debug().to_string()
    });
    let labelled = |split: &Found, text: String| if split.counts.is_empty() { String::new() } else { text };
    row("classes", &|split| labelled(split, split.counts.len().to_string()));
    for (name, most) in [("smallest class", false), ("largest class", true)] {
        row(name, &|split| {
            let (count, class) = split.extreme(most).unwrap_or_default();
            labelled(split, format!("{count} ({class})"))
        });
    }
    row("classes without any", &|split| {
        labelled(split, split.missing_classes().len().to_string())
    });
    row("labels out of range", &|split| {
        labelled(split, split.out_of_range.len().to_string())
    });
    let contradicting = |split: &Found| labelled(split, split.contradicting().to_string());
    row("same, of two classes", &contradicting);
    table(out, &rows)?;
    some(out, "notes", report.notes().into_iter())?;
    if report.splits.iter().any(|split| split.name == TEST) {
        let leaks = &report.leaks;
        writeln!(out, "\ntest samples that are also trained on: {}", leaks.same_tests)?;
        if report.modality == Modality::Images {
            let bits = report.near;
            writeln!(
                out,
                "test samples that look like one that is trained on: {} (dHash, at most {bits} of 64 bits)",
                leaks.near_tests
            )?;
        }
    } else {
        writeln!(out, "\nno split is tested on")?;
    }
    named(out, report)
}

/// The first of each fault.
fn named(out: &mut impl Write, report: &Report) -> io::Result<()> {
    for split in &report.splits {
        let name = split.name;
        let unreadable = split
            .unreadable
            .iter()
            .filter_map(|&index| split.seen[index].as_ref().err().cloned());
        some(out, &format!("{name}: cannot be read"), unreadable)?;
        some(out, &format!("{name}: the same"), groups(split, &split.same))?;
        some(out, &format!("{name}: look alike"), groups(split, &split.alike))?;
        some(
            out,
            &format!("{name}: classes without a sample"),
            split.missing_classes().into_iter(),
        )?;
    }
    for (what, is_same) in [("in training and test", true), ("alike in training and test", false)] {
        let leaks = report.leaks.all.iter().filter(|leak| leak.bits.is_none() == is_same);
        let line = |leak: &Leak| {
            let (one, other) = (
                report.splits[leak.split].shown(leak.sample),
                report.splits[leak.test.0].shown(leak.test.1),
            );
            format!("{one} = {other}")
        };
        some(out, what, leaks.map(line))?;
    }
    Ok(())
}

fn groups<'a>(split: &'a Found, groups: &'a [Vec<usize>]) -> impl Iterator<Item = String> + 'a {
    groups.iter().map(|group| {
        let shown: Vec<_> = group.iter().take(SHOWN).map(|&index| split.shown(index)).collect();
        let more = group.len().saturating_sub(SHOWN);
        let more = if more > 0 {
            format!(" = {more} more")
        } else {
            String::new()
        };
        format!("{}{more}", shown.join(" = "))
    })
}

fn some(out: &mut impl Write, what: &str, lines: impl Iterator<Item = String>) -> io::Result<()> {
    let (mut lines, mut shown) = (lines, 0);
    for line in lines.by_ref().take(SHOWN) {
        if shown == 0 {
            writeln!(out, "\n{what}:")?;
        }
        // Paths may hold anything.
        let line: String = line
            .chars()
            .map(|letter| if letter.is_control() { '?' } else { letter })
            .collect();
        writeln!(out, "  {line}")?;
        shown += 1;
    }
    match lines.count() {
        0 => Ok(()),
        more => writeln!(out, "  and {more} more (--json FILE names all)"),
    }
}

fn spread(Spread { least, median, most }: Spread) -> String {
    match least == most {
        true => least.to_string(),
        false => format!("{least} to {most}, median {median}"),
    }
}

fn table(out: &mut impl Write, rows: &[Vec<String>]) -> io::Result<()> {
    let columns = rows.iter().map(Vec::len).max().unwrap_or(0);
    let width = |column: usize| {
        rows.iter()
            .filter_map(|row| row.get(column))
            .map(|cell| cell.chars().count())
            .max()
    };
    let widths: Vec<usize> = (0..columns).map(|column| width(column).unwrap_or(0)).collect();
    for row in rows {
        let cells = row.iter().zip(&widths).map(|(cell, width)| format!("{cell:width$}"));
        writeln!(out, "{}", cells.collect::<Vec<_>>().join("  ").trim_end())?;
    }
    Ok(())
}
