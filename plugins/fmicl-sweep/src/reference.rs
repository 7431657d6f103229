//! Numbers that a publication printed, shown beside those of the sweep.
//!
//! ```toml
//! [reference]
//! source = "Lu et al. (arXiv 2402.10150), table 3"
//!
//! [reference.numbers.linear]       # a metric of the report, then the values of the axes in their order
//! kl = { "CIFAR-10" = "90.61 (0.47)" }
//! ```

use super::lists::{among, unique};
use fmicl_core::{Error, Result, require};
use serde::Deserialize;
use toml::Value;

/// The block `[reference]` of a sweep file.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Reference {
    /// What the table calls the numbers; `paper` by default.
    #[serde(default = "paper")]
    name: String,
    /// Where they were printed; shown below the table.
    source: String,
    /// The numbers: tables by metric, and in each by the values of the axes in their order.
    numbers: toml::Table,
    /// The same, checked and flat.
    #[serde(skip)]
    printed: Vec<Printed>,
}

fn paper() -> String {
    "paper".into()
}

/// A printed number and its place.
#[derive(Debug, PartialEq)]
struct Printed {
    metric: String,
    /// Its value on each axis.
    labels: Vec<String>,
    /// As it was printed: rounded, with its last zeros.
    mean: String,
    spread: Option<String>,
}

impl Reference {
    /// Checks that each number belongs to a metric of the report and to a value of each axis; `axes` are names with their
    /// values.
    ///
    /// # Errors
    /// The first that does not, at its key.
    pub fn check(&mut self, axes: &[(&str, Vec<String>)], metrics: &[String]) -> Result<()> {
        let metrics: Vec<&str> = metrics.iter().map(String::as_str).collect();
        for (metric, numbers) in &self.numbers {
            let key = format!("reference.numbers.{metric}");
            let known = metrics.contains(&&**metric);
            let unknown = || {
                format!(
                    "no metric of the report is named so{}",
                    among(metric, "metrics", &metrics)
                )
            };
            require(known, &key, unknown)?;
            let mut found = Vec::new();
            walk(numbers, axes, &key, &mut Vec::new(), &mut found)?;
            self.printed
                .extend(found.into_iter().map(|(labels, mean, spread)| Printed {
                    metric: metric.clone(),
                    labels,
                    mean,
                    spread,
                }));
        }
        require(!self.printed.is_empty(), "reference.numbers", || "there is none".into())
    }

    fn number(&self, labels: &[impl AsRef<str>], metric: &str) -> Option<&Printed> {
        let is_at = |printed: &Printed| {
            printed
                .labels
                .iter()
                .map(String::as_str)
                .eq(labels.iter().map(AsRef::as_ref))
        };
        self.printed
            .iter()
            .find(|printed| printed.metric == metric && is_at(printed))
    }

    /// `paper: 90.61 (0.47)`, for the cell of these values on the axes.
    pub fn shown(&self, labels: &[&str], metric: &str) -> Option<String> {
        let printed = self.number(labels, metric)?;
        let spread = printed.spread.iter().map(|spread| format!(" ({spread})"));
        Some(format!("{}: {}{}", self.name, printed.mean, spread.collect::<String>()))
    }

    /// The lines below a table of these cells, each given by its values on the axes.
    pub fn caption(&self, scale: Option<&str>, cells: &[&[String]]) -> String {
        let scale = scale.map_or(String::new(), |scale| {
            format!(" Its numbers are of the full size, not of the scale {scale}.")
        });
        let is_hidden = |printed: &&Printed| !cells.contains(&&*printed.labels);
        let hidden = match self.printed.iter().filter(is_hidden).count() {
            0 => String::new(),
            hidden => format!(
                " {hidden} of its {} numbers belong to rows or columns that this table does not have.",
                self.printed.len()
            ),
        };
        format!("{}: {}.{scale}{hidden}\n", self.name, self.source.trim_end_matches('.'))
    }

    /// The metrics that it has numbers for, and whether any has a deviation.
    fn metrics(&self) -> Vec<(&str, bool)> {
        let metrics = unique(self.printed.iter().map(|printed| &*printed.metric));
        let has_spread = |metric: &str| {
            let mut of_metric = self.printed.iter().filter(|printed| printed.metric == metric);
            of_metric.any(|printed| printed.spread.is_some())
        };
        metrics.into_iter().map(|metric| (metric, has_spread(metric))).collect()
    }

    /// The heads of its columns in the CSV file.
    pub fn heads(&self) -> Vec<String> {
        let heads = self.metrics().into_iter().flat_map(|(metric, spread)| {
            let mean = format!("{} {metric}", self.name);
            let spread = spread.then(|| format!("{mean} deviation"));
            std::iter::once(mean).chain(spread)
        });
        heads.map(|head| head.replace(' ', "_")).collect()
    }

    /// The fields of a line of the CSV file.
    pub fn fields(&self, labels: &[String]) -> Vec<String> {
        let fields = self.metrics().into_iter().flat_map(|(metric, spread)| {
            let printed = self.number(labels, metric);
            let mean = printed.map(|printed| printed.mean.clone()).unwrap_or_default();
            let deviation = printed.and_then(|printed| printed.spread.clone()).unwrap_or_default();
            std::iter::once(mean).chain(spread.then_some(deviation))
        });
        fields.collect()
    }
}

/// Labels, mean and deviation.
type Found = (Vec<String>, String, Option<String>);

/// Every number in a table by the values of these axes.
fn walk(
    value: &Value,
    axes: &[(&str, Vec<String>)],
    key: &str,
    labels: &mut Vec<String>,
    found: &mut Vec<Found>,
) -> Result<()> {
    match (axes, value) {
        ([(axis, values), inner @ ..], Value::Table(table)) => {
            let values: Vec<&str> = values.iter().map(String::as_str).collect();
            for (label, value) in table {
                let key = format!("{key}.{label}");
                require(values.contains(&&**label), &key, || {
                    format!(
                        "the axis `{axis}` has no value `{label}`{}",
                        among(label, "values", &values)
                    )
                })?;
                labels.push(label.clone());
                walk(value, inner, &key, labels, found)?;
                labels.pop();
            }
            Ok(())
        }
        ([(axis, _), ..], other) => Err(Error::config(format!(
            "expected a table by the values of the axis `{axis}`, found {other}"
        ))
        .at(key)),
        ([], value) => {
            let number = number(value).ok_or_else(|| {
                Error::config(format!(
                    "expected a number, or a text such as \"90.61\" or \"90.61 (0.47)\", found {value}"
                ))
                .at(key)
            })?;
            found.push((labels.clone(), number.0, number.1));
            Ok(())
        }
    }
}

/// A number as it was printed, and its deviation.
fn number(value: &Value) -> Option<(String, Option<String>)> {
    let text = match value {
        Value::String(text) => text.clone(),
        Value::Integer(_) | Value::Float(_) => value.to_string(),
        _ => return None,
    };
    let (mean, spread) = match text.split_once(" (") {
        Some((mean, spread)) => (mean, Some(spread.strip_suffix(')')?)),
        None => (&*text, None),
    };
    let is_number = |text: &str| text.parse::<f64>().is_ok_and(f64::is_finite);
    let are_numbers = is_number(mean) && spread.is_none_or(is_number);
    are_numbers.then(|| (mean.to_string(), spread.map(str::to_string)))
}
