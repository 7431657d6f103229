//! The page of a sweep: its table, its plot, and the curves of every run.

use super::curves::Curves;
use super::page::Page;
use super::run::RunFiles;
use super::{config, html, markdown, sections};
use crate::pictures::address;
use fmicl_core::{Error, Result, read_file};
use fmicl_runner::run::RunDir;
use std::fmt::Write;
use std::path::{Path, PathBuf};

/// The most runs whose curves are drawn.
const RUNS: usize = 200;
/// The most bytes of a table or a plot.
const LONGEST: u64 = 16 << 20;

/// Returns true if a folder is that of a sweep.
pub fn is_at(path: &Path) -> bool {
    !RunDir::is_at(path)
        && path.join("runs").is_dir()
        && (path.join("table.md").is_file() || path.join("results.csv").is_file())
}

/// The page.
///
/// # Errors
/// A folder that cannot be read.
pub fn page(path: &Path, name: &str) -> Result<Page> {
    let mut page = Page::titled(name);
    let dirs = dirs(path)?;
    let mut runs = Vec::new();
    for dir in &dirs {
        let name = dir.file_name().unwrap_or_default().to_string_lossy().into_owned();
        match RunFiles::read(dir, name) {
            Ok(run) => runs.push(run),
            Err(error) => page.leave_out(format!("A run is left out: {error}")),
        }
    }
    let finished = runs.iter().filter(|run| run.result.is_some()).count();
    page.hero = format!(
        "<p class=\"kicker\">fmicl report of a sweep</p><h1>{}</h1><p class=\"status\">{finished} of {} runs have finished</p>",
        html::name(name),
        runs.len()
    );
    match text(&path.join("table.md")) {
        Ok(table) => page.section("results", "Results", markdown::html(&table)),
        Err(error) => page.leave_out(format!("The table is left out: {error}")),
    }
    if let Ok(plot) = read_file(&path.join("plot.svg"), LONGEST, "") {
        page.section(
            "plot",
            "Plot",
            format!(
                "<img class=\"plot\" alt=\"Plot of the sweep\" src=\"{}\">",
                address("svg+xml", &plot)
            ),
        );
    }
    if runs.len() > RUNS {
        page.leave_out(format!(
            "Of {} runs the curves of the first {RUNS} are drawn",
            runs.len()
        ));
    }
    for line in runs
        .iter()
        .flat_map(|run| run.missing.iter().map(move |line| format!("{}: {line}", run.name)))
    {
        page.leave_out(line);
    }
    let mut groups: Vec<String> = Vec::new();
    let curves = runs.iter().take(RUNS).map(|run| Curves {
        run,
        colour: colour(&mut groups, &run.name),
    });
    sections::curves_of(&mut page, &curves.collect::<Vec<_>>());
    match every_run(&path.join("results.csv")) {
        Ok(table) => page.section("runs", "Every run", table),
        Err(error) => page.leave_out(format!("The table of every run is left out: {error}")),
    }
    let all: Vec<&RunFiles> = runs.iter().collect();
    let mut text = String::new();
    if let Some(differences) = config::differences(&all) {
        text += &format!("<details><summary>Differences between the runs</summary>{differences}</details>");
    }
    all.iter().take(1).for_each(|run| text += &config::config(run, false));
    if let Some(machines) = config::machines(&all[..all.len().min(1)]) {
        text += &machines;
    }
    page.section("config", "Configuration", text);
    Ok(page)
}

/// The run directories, by name.
fn dirs(path: &Path) -> Result<Vec<PathBuf>> {
    let path = path.join("runs");
    let entries = std::fs::read_dir(&path).map_err(|error| Error::io(&path, error))?;
    let mut dirs: Vec<PathBuf> = entries.filter_map(|entry| Some(entry.ok()?.path())).collect();
    dirs.retain(|dir| RunDir::is_at(dir));
    dirs.sort();
    Ok(dirs)
}

/// The colour of a run: one for all seeds of a cell.
fn colour(groups: &mut Vec<String>, name: &str) -> usize {
    let cell = name.rsplit_once("seed-").map_or(name, |(cell, _)| cell);
    groups.iter().position(|group| group == cell).unwrap_or_else(|| {
        groups.push(cell.to_string());
        groups.len() - 1
    })
}

fn text(path: &Path) -> Result<String> {
    let bytes = read_file(path, LONGEST, "the sweep writes it after its first run")?;
    String::from_utf8(bytes).map_err(|_| Error::data(path, "is not text"))
}

/// `results.csv` as a table.
fn every_run(path: &Path) -> Result<String> {
    let text = text(path)?;
    let wrong = |error: csv::Error| Error::data(path, error.to_string());
    let mut reader = csv::ReaderBuilder::new().flexible(true).from_reader(text.as_bytes());
    let cells = |record: &csv::StringRecord, tag: &str| -> String {
        record
            .iter()
            .map(|field| format!("<{tag}>{}</{}>", html::name(field), &tag[..2]))
            .collect()
    };
    let head = cells(reader.headers().map_err(wrong)?, "th scope=\"col\"");
    let mut body = String::new();
    for record in reader.records() {
        let _ = write!(body, "<tr>{}</tr>", cells(&record.map_err(wrong)?, "td"));
    }
    Ok(format!(
        "<p class=\"lead\">results.csv, a row for each run.</p><details><summary>Show all columns</summary><div class=\"scroll\"><table \
         class=\"results\"><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div></details>"
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_seeds_of_a_cell_have_one_colour() {
        let mut groups = Vec::new();
        let found = ["kl_narrow_seed-0", "kl_narrow_seed-1", "js_narrow_seed-0", "seed-3"]
            .map(|name| colour(&mut groups, name));
        assert_eq!(found, [0, 0, 1, 2]);
    }
}
