//! Keys that runs have: their own, those of their configs, those of their metrics, and the best values of these.

use crate::metrics::Metrics;
use crate::row::{Field, OWN, Row, part};
use fmicl_core::{Error, Result, registry};
use std::collections::BTreeSet;

/// What the key of the best value of a metric begins with.
pub const BEST: &str = "best.";

/// Headings of the table that are no keys, and what stands below them.
const HEADINGS: [(&str, &str); 3] = [("run", "name"), ("done", "epochs"), ("time", "seconds")];

/// The keys of some runs.
#[derive(Debug)]
pub struct Keys {
    config: BTreeSet<String>,
    /// Those of the config whose values differ among the runs.
    differ: Vec<String>,
    /// What is known of their metrics.
    pub metrics: Metrics,
}

impl Keys {
    /// Those of these runs.
    pub fn of(rows: &[Row]) -> Self {
        let mut keys = Keys {
            config: rows.iter().flat_map(|row| row.config.keys().cloned()).collect(),
            differ: Vec::new(),
            metrics: Metrics::of(rows.iter().map(|row| &row.measured)),
        };
        let all: Vec<&Row> = rows.iter().collect();
        keys.differ = keys.that_differ(&all).into_iter().map(String::from).collect();
        keys
    }

    /// The keys of the config that end with these words: among those that differ if there are some, as headings of the table do.
    fn ending_with(&self, words: &str) -> Vec<&str> {
        let ends = |key: &&str| key.strip_suffix(words).is_some_and(|above| above.ends_with('.'));
        let differ: Vec<&str> = self.differ.iter().map(String::as_str).filter(ends).collect();
        match differ.is_empty() {
            true => self.config().filter(ends).collect(),
            false => differ,
        }
    }

    /// The keys of the configs.
    pub fn config(&self) -> impl Iterator<Item = &str> {
        self.config.iter().map(String::as_str)
    }

    /// The key that is meant by one on the command line: an evaluation alone stands for its main metric, a heading of the table, such
    /// as `lr`, for its key.
    ///
    /// # Errors
    /// A config error with the nearest key, where no run has such a one, or with all keys that are meant, where there are several.
    pub fn find(&self, option: &str, key: &str) -> Result<String> {
        let key = part(key);
        let metric = |name: &str| match self.metrics.main(name) {
            Some(main) => Some(main.to_string()),
            None => self.metrics.like(name).map(|_| name.to_string()),
        };
        if OWN.contains(&key) || self.config.contains(key) {
            return Ok(key.into());
        }
        if let Some(found) = metric(key) {
            return Ok(found);
        }
        if let Some(found) = key.strip_prefix(BEST).and_then(metric) {
            return Ok(format!("{BEST}{found}"));
        }
        if let Some((_, own)) = HEADINGS.iter().find(|(heading, _)| *heading == key) {
            return Ok((*own).into());
        }
        match &self.ending_with(key)[..] {
            [] => {}
            [only] => return Ok((*only).into()),
            several => {
                return Err(Error::config(format!(
                    "{option}: `{key}` is the end of several keys: write {}",
                    several.join(" or ")
                )));
            }
        }
        let evaluations = self.metrics.mains().map(|(evaluation, _)| evaluation);
        let known = OWN.into_iter().chain(self.config()).chain(self.metrics.names());
        let known: Vec<&str> = known.chain(evaluations).collect();
        let hint = registry::did_you_mean(key, &known);
        Err(Error::config(format!(
            "{option}: no run here has a key named `{key}`{hint}; --csv and --json have all of them"
        )))
    }

    /// The value of a key that was [found](Keys::find), in a run.
    pub fn field(&self, row: &Row, key: &str) -> Option<Field> {
        let best = |name: &str| row.measured.best(name, self.metrics.like(name)?);
        let metric = || match key.strip_prefix(BEST) {
            Some(name) => best(name),
            None => row.measured.last(key),
        };
        row.own(key)
            .or_else(|| row.config.get(key).cloned())
            .or_else(|| metric().map(Field::Number))
    }

    /// The keys whose values differ among these runs, those that most of them have first.
    pub fn that_differ<'a>(&'a self, rows: &[&Row]) -> Vec<&'a str> {
        let values = |key: &str| rows.iter().map(|row| row.config.get(key)).collect::<Vec<_>>();
        let differs = |key: &&str| values(key).windows(2).any(|pair| pair[0] != pair[1]);
        let mut keys: Vec<&str> = self.config().filter(differs).collect();
        keys.sort_by_key(|key| values(key).iter().filter(|value| value.is_none()).count());
        keys
    }
}
