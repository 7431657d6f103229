//! The columns of the table of runs.

use crate::keys::{BEST, Keys};
use crate::row::{Field, Row};
use crate::sweep::Group;
use crate::table::{Column, NOTHING};
use fmicl_runner::shown;
use std::time::Duration;

/// The heading of the directories, whose cells are shortened where there is not enough room.
pub const NAME: &str = "run";
/// The loss of the last epoch.
const LOSS: &str = "train.loss";

/// Ranks of columns: what is given room first.
const MAIN: usize = 1;
const OF_BEST: usize = 2;
const TIME: usize = 3;
const CHANGED: usize = 4;

/// A row of the table.
#[derive(Debug)]
pub enum Line<'a> {
    /// A run.
    Run(&'a Row),
    /// A sweep.
    Sweep(Group<'a>),
}

impl Line<'_> {
    /// The value of a key.
    pub fn field(&self, keys: &Keys, key: &str) -> Option<Field> {
        match self {
            Line::Run(row) => keys.field(row, key),
            Line::Sweep(group) => group.field(keys, key),
        }
    }

    fn state(&self) -> String {
        match self {
            Line::Run(row) => row.state(),
            Line::Sweep(group) => group.state().to_string(),
        }
    }

    fn name(&self) -> &str {
        match self {
            Line::Run(row) => &row.name,
            Line::Sweep(group) => &group.name,
        }
    }

    fn done(&self) -> String {
        match self {
            Line::Run(row) => row.done(),
            Line::Sweep(group) => group.done(),
        }
    }

    fn time(&self, keys: &Keys) -> String {
        match self.field(keys, "seconds") {
            Some(Field::Number(seconds)) => shown::duration(Duration::try_from_secs_f64(seconds).unwrap_or_default()),
            _ => NOTHING.into(),
        }
    }
}

/// The columns of the table, with those of the keys that were `asked` for.
pub fn columns(lines: &[Line], keys: &Keys, changed: &[&str], asked: &[String]) -> Vec<Column> {
    let of = |head: &str, rank: usize, right: bool, cell: &dyn Fn(&Line) -> String| Column {
        head: shown::name(head),
        cells: lines.iter().map(|line| shown::name(&cell(line))).collect(),
        right,
        rank,
    };
    let mut columns = vec![
        of("state", 0, false, &|line| line.state()),
        of(NAME, 0, false, &|line| line.name().to_string()),
    ];
    for (index, (key, head)) in changed.iter().zip(heads(changed)).enumerate() {
        // A key that is asked for has room.
        let rank = if asked.iter().any(|asked| asked == key) {
            MAIN
        } else {
            CHANGED + index
        };
        columns.push(of_key(lines, keys, key, &head, rank));
    }
    for (_, main) in keys.metrics.mains() {
        columns.push(of_key(lines, keys, main, main, MAIN));
        if keys.metrics.is_repeated(main) {
            let best = format!("{BEST}{main}");
            columns.push(of_key(lines, keys, &best, &best, OF_BEST));
        }
    }
    columns.push(of_key(lines, keys, LOSS, LOSS, usize::MAX));
    let shown = ["state", "name", "epochs", "seconds"];
    for key in asked
        .iter()
        .filter(|key| !shown.contains(&&***key) && !changed.contains(&&***key))
    {
        if !columns.iter().any(|column| column.head == *key) {
            columns.push(of_key(lines, keys, key, key, MAIN));
        }
    }
    columns.push(of("done", 0, true, &|line| line.done()));
    columns.push(of("time", TIME, true, &|line| line.time(keys)));
    // Of no use where no run has it.
    let is_empty = |column: &Column| column.rank > 0 && column.cells.iter().all(|cell| cell == NOTHING);
    columns.retain(|column| !is_empty(column));
    columns
}

/// The column of a key.
fn of_key(lines: &[Line], keys: &Keys, key: &str, head: &str, rank: usize) -> Column {
    let fields: Vec<Option<Field>> = lines.iter().map(|line| line.field(keys, key)).collect();
    let metric = key.strip_prefix(BEST).unwrap_or(key);
    let is_metric = keys.metrics.like(metric).is_some() && keys.config().all(|own| own != key);
    let cell = |field: &Option<Field>| match field {
        Some(Field::Number(number)) if is_metric => keys.metrics.shown(metric, *number),
        Some(field) => shown::name(&field.text()),
        None => NOTHING.into(),
    };
    Column {
        head: shown::name(head),
        right: fields.iter().flatten().all(|field| matches!(field, Field::Number(_))),
        cells: fields.iter().map(cell).collect(),
        rank,
    }
}

/// The last words of each key that no other one ends with.
fn heads(keys: &[&str]) -> Vec<String> {
    let ends = |key: &str, end: &str| {
        let rest = key.strip_suffix(end);
        rest.is_some_and(|rest| rest.is_empty() || rest.ends_with('.'))
    };
    let head = |key: &&str| {
        let starts = key.rmatch_indices('.').map(|(at, _)| at + 1).chain([0]);
        let mut suffixes = starts.map(|start| &key[start..]);
        let own = suffixes.find(|suffix| keys.iter().filter(|other| ends(other, suffix)).count() == 1);
        own.unwrap_or(key).to_string()
    };
    keys.iter().map(head).collect()
}

#[cfg(test)]
mod tests {
    use super::heads;

    #[test]
    fn a_heading_is_the_shortest_end_that_no_other_key_has() {
        let keys = [
            "seed",
            "objective.alpha",
            "objective.similarity.temperature",
            "evaluations.knn.temperature",
            "train.lr",
        ];
        assert_eq!(
            heads(&keys),
            ["seed", "alpha", "similarity.temperature", "knn.temperature", "lr"]
        );
        assert_eq!(heads(&["a.lr", "lr"]), ["a.lr", "lr"]);
    }
}
