//! A sweep as one row.

use crate::keys::{BEST, Keys};
use crate::metrics::Better;
use crate::row::{Field, Row};
use fmicl_runner::run::State;

/// Where the runs of a sweep have several values.
const SEVERAL: &str = "…";

/// Runs of a sweep.
#[derive(Debug)]
pub struct Group<'a> {
    /// Its directory, as it was named.
    pub name: String,
    /// Whether a process works on it.
    pub is_running: bool,
    /// All its runs, those that have not begun included; nothing where that is not known, or some are left out.
    pub planned: Option<usize>,
    /// Those that have begun.
    pub rows: Vec<&'a Row>,
}

impl Group<'_> {
    fn count(&self, states: &[State]) -> usize {
        let own = self.rows.iter().filter(|row| states.contains(&row.observed.state));
        own.count()
    }

    fn over(&self) -> usize {
        self.count(&[State::Finished, State::Collapsed])
    }

    /// State of the whole.
    pub fn state(&self) -> State {
        if self.is_running || self.count(&[State::Running]) > 0 {
            return State::Running;
        }
        let ended = [State::Failed, State::Unknown, State::BrokenOff];
        let bad = ended.into_iter().find(|state| self.count(&[*state]) > 0);
        match bad {
            Some(state) => state,
            None if self.over() >= self.planned.unwrap_or(self.rows.len()) => State::Finished,
            None => State::Stopped,
        }
    }

    /// What is done, as the table shows it.
    pub fn done(&self) -> String {
        let all = self.planned.unwrap_or(self.rows.len());
        let failed = match self.count(&[State::Failed]) {
            0 => String::new(),
            failed => format!(", {failed} failed"),
        };
        format!("{}/{all} runs{failed}", self.over())
    }

    /// The value of a key: a sum of counts and times, the first start, the best of a metric, and the value of the config that
    /// all runs have.
    pub fn field(&self, keys: &Keys, key: &str) -> Option<Field> {
        let values: Vec<Field> = self.rows.iter().filter_map(|row| keys.field(row, key)).collect();
        let numbers = || values.iter().filter_map(Field::number);
        match key {
            "state" => return Some(Field::Text(self.state().to_string())),
            "name" => return Some(Field::Text(self.name.clone())),
            "seconds" | "epochs" | "steps" => return Some(Field::Number(numbers().sum())),
            "started" => return values.into_iter().min_by(Field::order),
            "seen" => return values.into_iter().max_by(Field::order),
            _ => {}
        }
        let metric = keys.metrics.like(key.strip_prefix(BEST).unwrap_or(key));
        if let Some(metric) = metric.filter(|_| keys.config().all(|own| own != key)) {
            return metric.best_of(numbers()).map(Field::Number);
        }
        let (first, rest) = values.split_first()?;
        match rest.iter().all(|value| value == first) && values.len() == self.rows.len() {
            true => Some(first.clone()),
            false => Some(Field::Text(SEVERAL.into())),
        }
    }
}
