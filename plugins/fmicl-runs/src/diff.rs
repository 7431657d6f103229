//! `fmicl diff`: what differs between runs.

use crate::keys::Keys;
use crate::row::{Field, Row};
use crate::sides::{Sides, Values};
use crate::table::{Column, NOTHING, fitted};
use clap::Args;
use fmicl_core::Error;
use fmicl_runner::command::{Command, Group, Outcome};
use fmicl_runner::run::{RunDir, Sweep};
use fmicl_runner::shell::word;
use fmicl_runner::{shown, wrap};
use serde_json::{Map, Value, json};
use std::io::{Write, stdout};
use std::path::PathBuf;

#[derive(Debug, Args)]
struct Diff {
    /// Run directories that `train` wrote, two or more
    #[arg(value_name = "RUN", required = true, num_args = 2..)]
    runs: Vec<PathBuf>,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

fmicl_runner::command!(
    "diff",
    Diff,
    Group::Inspect,
    "Compare runs: configs, metrics, programs and machines"
);

impl Command for Diff {
    fn run(self) -> Outcome {
        let mut rows = Vec::new();
        for path in &self.runs {
            if let Some(sweep) = Sweep::at(path) {
                return Err(refused(&sweep).into());
            }
            RunDir::open(path)?;
            rows.push(Row::new(path, None));
        }
        // Of a config that cannot be read nothing can be said.
        let broken: Vec<Error> = rows
            .iter()
            .filter(|row| row.observed.config.is_empty())
            .map(|row| Error::Run(row.observed.problems.first().cloned().unwrap_or_default()))
            .collect();
        if !broken.is_empty() {
            return Err(broken.into());
        }
        for problem in rows
            .iter()
            .flat_map(|row| row.observed.problems.iter().chain(&row.measured.problem))
        {
            tracing::warn!("{problem}");
        }
        let keys = Keys::of(&rows);
        let sides = Sides::of(&rows, &keys);
        match self.json {
            true => writeln!(stdout(), "{:#}", as_json(&rows, &sides))?,
            false => print(&rows, &sides, &keys)?,
        }
        Ok(())
    }
}

/// A sweep among the runs.
fn refused(sweep: &Sweep) -> Error {
    let name = sweep.path.display();
    let cell = sweep
        .cells
        .first()
        .map_or(String::new(), |cell| format!(", such as {}", cell.display()));
    let message = format!(
        "{name}: is a sweep, and runs are compared: name runs of it{cell}; `fmicl runs --cells {}` lists them",
        word(&sweep.path)
    );
    Error::config(message)
}

/// The second run's value less the first one's; only two are compared.
fn difference(values: &[Option<f64>]) -> Option<f64> {
    match values {
        [Some(first), Some(second)] => Some(second - first),
        _ => None,
    }
}

fn as_json(rows: &[Row], sides: &Sides) -> Value {
    let texts = |values: &[Values<String>]| -> Map<String, Value> {
        values
            .iter()
            .map(|(key, values)| (key.clone(), json!(values)))
            .collect()
    };
    let config = sides.config.iter().map(|(key, values)| {
        let values: Vec<_> = values
            .iter()
            .map(|field| field.as_ref().map_or(Value::Null, Field::json))
            .collect();
        (key.clone(), json!(values))
    });
    let metrics = sides.metrics.iter().map(|(name, values)| {
        let value = json!({ "values": values, "difference": difference(values) });
        (name.clone(), value)
    });
    json!({
        "runs": rows.iter().map(|row| &row.name).collect::<Vec<_>>(),
        "states": rows.iter().map(|row| row.observed.state.name()).collect::<Vec<_>>(),
        "config": config.collect::<Map<_, _>>(),
        "metrics": metrics.collect::<Map<_, _>>(),
        "provenance": texts(&sides.provenance),
    })
}

fn print(rows: &[Row], sides: &Sides, keys: &Keys) -> std::io::Result<()> {
    let heads = heads(rows);
    let mut stdout = stdout().lock();
    for (row, head) in rows.iter().zip(&heads) {
        let of = if head == &row.name {
            String::new()
        } else {
            format!(", {}", row.name)
        };
        writeln!(
            stdout,
            "{}",
            shown::name(&format!("{head}: {}, {} epochs{of}", row.state(), row.done()))
        )?;
    }
    let width = wrap::width(&stdout);
    let mut section = |title: &str, same: &str, columns: Vec<Column>| {
        if columns[0].cells.is_empty() {
            return writeln!(stdout, "\n{title}: {same}");
        }
        let (lines, left_out) = fitted(columns, width, title);
        writeln!(stdout)?;
        lines.iter().try_for_each(|line| writeln!(stdout, "{line}"))?;
        match left_out.is_empty() {
            true => Ok(()),
            false => writeln!(stdout, "no room for: {}; --json has all", left_out.join(", ")),
        }
    };
    let text = |field: &Field| field.text();
    section(
        "config",
        "no key differs",
        columns("config", &heads, &sides.config, false, &|_, field| text(field)),
    )?;
    let number = |name: &str, value: &f64| keys.metrics.shown(name, *value);
    let mut metrics = columns("metrics", &heads, &sides.metrics, true, &number);
    if let [_, _] = &heads[..] {
        let cell = |(name, values): &Values<f64>| {
            let difference =
                difference(values).map(|difference| (difference, keys.metrics.shown(name, difference.abs())));
            match difference {
                None => NOTHING.into(),
                Some((difference, shown)) if difference < 0.0 => format!("-{shown}"),
                Some((_, shown)) => format!("+{shown}"),
            }
        };
        metrics.push(Column {
            head: "difference".into(),
            cells: sides.metrics.iter().map(cell).collect(),
            right: true,
            rank: 1,
        });
    }
    section("metrics", "none of these runs has any yet", metrics)?;
    let provenance = columns("provenance", &heads, &sides.provenance, false, &|_, text: &String| {
        text.clone()
    });
    section("provenance", "the same program, machine and data", provenance)?;
    Ok(())
}

/// A column of keys, and one for each run.
fn columns<T>(
    title: &str,
    heads: &[String],
    values: &[Values<T>],
    right: bool,
    cell: &dyn Fn(&str, &T) -> String,
) -> Vec<Column> {
    let keys = Column {
        head: title.into(),
        cells: values.iter().map(|(key, _)| shown::name(key)).collect(),
        right: false,
        rank: 0,
    };
    let of = |(run, head): (usize, &String)| Column {
        head: shown::name(head),
        cells: values
            .iter()
            .map(|(key, values)| {
                values[run]
                    .as_ref()
                    .map_or(NOTHING.into(), |value| shown::name(&cell(key, value)))
            })
            .collect(),
        right,
        rank: run + 1,
    };
    std::iter::once(keys).chain(heads.iter().enumerate().map(of)).collect()
}

/// The runs' folders by their own names, where these differ.
fn heads(rows: &[Row]) -> Vec<String> {
    let short = |row: &Row| {
        row.observed
            .path
            .file_name()
            .map(|name| name.to_string_lossy().into_owned())
    };
    let short: Option<Vec<String>> = rows.iter().map(short).collect();
    let whole = || rows.iter().map(|row| row.name.clone()).collect();
    let differ = |names: &Vec<String>| {
        names
            .iter()
            .enumerate()
            .all(|(index, name)| !names[..index].contains(name))
    };
    short.filter(differ).unwrap_or_else(whole)
}
