//! `fmicl runs`: every run and sweep below a folder.

use crate::columns::{Line, NAME, columns};
use crate::files;
use crate::filter::{Condition, Order};
use crate::keys::Keys;
use crate::row::{Row, named};
use crate::sweep::Group;
use crate::table::fitted;
use clap::Args;
use fmicl_core::{Error, Result};
use fmicl_runner::command::{self, Command, Outcome};
use fmicl_runner::run::{Found, State, Sweep, find};
use fmicl_runner::{shown, wrap};
use std::cmp::Ordering;
use std::io::{Write, stdout};
use std::path::{Path, PathBuf};

/// Folders that are looked in where none is named.
const USUAL: [&str; 2] = ["runs", "sweeps"];
/// Runs of which the table says why they are in their state.
const MOST_TOLD: usize = 10;

#[derive(Debug, Args)]
struct Runs {
    /// Folders with runs and sweeps in them [default: runs and sweeps, or the working folder]
    #[arg(value_name = "DIR")]
    folders: Vec<PathBuf>,
    /// Sort by a column, such as knn.accuracy, train.lr or started; -KEY turns the order round
    #[arg(long, value_name = "KEY", allow_hyphen_values = true)]
    sort: Option<String>,
    /// Show those for which a condition holds, such as objective.divergence=js, state=running or 'knn.accuracy>90'; may be repeated
    #[arg(long = "where", value_name = "KEY=VALUE")]
    conditions: Vec<String>,
    /// Show every run of a sweep, not the sweep as one row
    #[arg(long)]
    cells: bool,
    /// Print CSV: every run, the keys in which configs differ, and all metrics
    #[arg(long)]
    csv: bool,
    /// Print JSON: every run with its config and all metrics
    #[arg(long, conflicts_with = "csv")]
    json: bool,
}

fmicl_runner::command!(
    "runs",
    Runs,
    command::Group::Inspect,
    "List runs and sweeps: state, what differs, metrics, progress"
);

impl Command for Runs {
    fn run(self) -> Outcome {
        runs(&self)
    }
}

fn runs(options: &Runs) -> Outcome {
    let found = found(&options.folders)?;
    let mut rows = Vec::new();
    for one in &found {
        match one {
            Found::Run(path) => rows.push(Row::new(path, None)),
            Found::Sweep(sweep) => rows.extend(sweep.cells.iter().map(|cell| Row::new(cell, Some(&sweep.path)))),
        }
    }
    for row in &rows {
        let problems = row.observed.problems.iter().cloned();
        for problem in problems.chain(
            row.measured
                .problem
                .iter()
                .map(|problem| format!("{}: {problem}", row.name)),
        ) {
            tracing::warn!("{problem}");
        }
    }
    let keys = Keys::of(&rows);
    let conditions: Vec<Condition> = options
        .conditions
        .iter()
        .map(|text| Condition::read(text, &keys, &rows))
        .collect::<Result<_>>()?;
    let order = options
        .sort
        .as_deref()
        .map(|text| Order::read(text, &keys))
        .transpose()?;
    let holds = |row: &&Row| conditions.iter().all(|condition| condition.holds(&keys, row));
    let chosen: Vec<&Row> = rows.iter().filter(holds).collect();
    let changed = keys.that_differ(&chosen);
    let compare = |one: &Line, other: &Line| -> Ordering {
        let by = |key: &str| (one.field(&keys, key), other.field(&keys, key));
        match &order {
            Some(order) => {
                let (one, other) = by(order.key());
                order.of(one.as_ref(), other.as_ref())
            }
            // The last one that began stands last.
            None => {
                let (one, other) = by("started");
                let text = |field: Option<crate::row::Field>| field.map(|field| field.text());
                text(one).cmp(&text(other))
            }
        }
    };
    if options.csv || options.json {
        let mut lines: Vec<Line> = chosen.iter().map(|row| Line::Run(row)).collect();
        lines.sort_by(compare);
        let sorted: Vec<&Row> = lines.iter().flat_map(of).collect();
        let text = match options.csv {
            true => files::csv(&sorted, &keys, &changed).map_err(|error| Error::Run(format!("--csv: {error}")))?,
            false => format!("{:#}\n", files::json(&sorted, &keys, &changed)).into_bytes(),
        };
        return Ok(stdout().write_all(&text)?);
    }
    let mut lines = lines(&found, &chosen, options)?;
    lines.sort_by(compare);
    let asked = conditions.iter().map(|condition| condition.key().to_string());
    let asked: Vec<String> = asked.chain(order.iter().map(|order| order.key().to_string())).collect();
    let unmet = conditions.iter().find_map(|condition| condition.unmet(&keys, &rows));
    // What watches a run changes nothing of it.
    let changed: Vec<&str> = changed.into_iter().filter(|key| !is_of_trackers(key)).collect();
    Ok(print(&lines, &keys, (&changed, &asked), unmet)?)
}

fn is_of_trackers(key: &str) -> bool {
    key.split('.').next() == Some("trackers")
}

/// What lies in the folders, each once.
fn found(folders: &[PathBuf]) -> Result<Vec<Found>> {
    let usual: Vec<PathBuf> = USUAL.iter().map(PathBuf::from).filter(|path| path.is_dir()).collect();
    let folders = match (folders.is_empty(), usual.is_empty()) {
        (false, _) => folders,
        (true, false) => &usual,
        (true, true) => &[PathBuf::from(".")],
    };
    let mut all: Vec<Found> = Vec::new();
    for folder in folders {
        require_folder(folder)?;
        let (found, unread) = find(folder)?;
        match &unread[..] {
            [] => {}
            [only] => tracing::warn!("{only}"),
            [first, rest @ ..] => tracing::warn!("{first}; {} more folders cannot be read", rest.len()),
        }
        // One folder may be named in several ways.
        let whole = |one: &Found| match one {
            Found::Run(path) => path.canonicalize().ok(),
            Found::Sweep(sweep) => sweep.path.canonicalize().ok(),
        };
        let known: Vec<_> = all.iter().map(whole).collect();
        all.extend(found.into_iter().filter(|one| !known.contains(&whole(one))));
    }
    match all.is_empty() {
        false => Ok(all),
        true => {
            let folders: Vec<String> = folders.iter().map(|folder| named(folder)).collect();
            Err(Error::Run(format!(
                "{}: no run here, nor five folders below; name a folder that `train --out` or `sweep --out` wrote to, or one above it",
                folders.join(", ")
            )))
        }
    }
}

fn require_folder(path: &Path) -> Result<()> {
    let wanted = "name a folder with runs in it";
    match (path.is_dir(), path.exists()) {
        (true, _) => Ok(()),
        (_, true) => Err(Error::data(path, format!("is a file; {wanted}"))),
        _ => Err(Error::data(
            path,
            format!("there is no such folder{}; {wanted}", fmicl_core::beside(path)),
        )),
    }
}

/// The rows of the table: those of `chosen`, in sweeps unless each of their cells is wanted.
fn lines<'a>(found: &'a [Found], chosen: &[&'a Row], options: &Runs) -> Result<Vec<Line<'a>>> {
    let mut lines: Vec<Line> = chosen
        .iter()
        .filter(|row| row.sweep.is_none() || options.cells)
        .map(|row| Line::Run(row))
        .collect();
    for one in found.iter().filter(|_| !options.cells) {
        let Found::Sweep(sweep) = one else { continue };
        let name = named(&sweep.path);
        let own = chosen.iter().copied().filter(|row| row.sweep.as_ref() == Some(&name));
        let rows: Vec<&Row> = own.collect();
        // Of a sweep that is filtered by its runs, the others do not count.
        let planned = sweep.planned.filter(|_| options.conditions.is_empty());
        if !rows.is_empty() || options.conditions.is_empty() {
            lines.push(Line::Sweep(group(sweep, rows, planned)));
        }
    }
    Ok(lines)
}

/// A sweep whose lock cannot be looked at counts as not running, and is told.
fn group<'a>(sweep: &Sweep, rows: Vec<&'a Row>, planned: Option<usize>) -> Group<'a> {
    let is_running = sweep.is_running().unwrap_or_else(|error| {
        tracing::warn!("{error}; whether it is running is not known");
        false
    });
    Group {
        name: named(&sweep.path),
        is_running,
        planned,
        rows,
    }
}

fn of<'a>(line: &Line<'a>) -> Vec<&'a Row> {
    match line {
        Line::Run(row) => vec![row],
        Line::Sweep(group) => group.rows.clone(),
    }
}

fn print(
    lines: &[Line],
    keys: &Keys,
    (changed, asked): (&[&str], &[String]),
    unmet: Option<String>,
) -> std::io::Result<()> {
    let mut stdout = stdout().lock();
    if lines.is_empty() {
        let why = unmet.unwrap_or_else(|| "no run fulfils every --where".into());
        return writeln!(stdout, "{}", shown::name(&why));
    }
    let width = wrap::width(&stdout);
    let (table, left_out) = fitted(columns(lines, keys, changed, asked), width, NAME);
    table.iter().try_for_each(|line| writeln!(stdout, "{line}"))?;
    let mut notes = Vec::new();
    if !left_out.is_empty() {
        notes.push(format!("no room for: {}; --csv has every column", left_out.join(", ")));
    }
    let told = [State::Failed, State::Collapsed, State::Unknown, State::BrokenOff];
    let why = |row: &&Row| told.contains(&row.observed.state) && row.observed.why.is_some();
    let rows: Vec<&Row> = lines.iter().flat_map(of).filter(why).collect();
    for row in rows.iter().take(MOST_TOLD) {
        let why = row.observed.why.as_deref().unwrap_or_default();
        notes.push(shown::name(&format!("{}: {}: {why}", row.name, row.observed.state)));
    }
    if rows.len() > MOST_TOLD {
        notes.push(format!("and {} more; --csv says why of each", rows.len() - MOST_TOLD));
    }
    for note in notes {
        writeln!(stdout, "{}", wrap::wrapped(&note, width, 2))?;
    }
    stdout.flush()
}
