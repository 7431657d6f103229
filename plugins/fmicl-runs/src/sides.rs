//! What differs between runs: config, metrics, provenance.

use crate::keys::Keys;
use crate::row::{Field, Row};
use fmicl_core::{Portion, read_file};
use fmicl_runner::run::provenance::{Segment, distinct};
use std::collections::BTreeSet;
use std::path::Path;

/// The most bytes of `dataset.json`.
const MOST: u64 = 256 << 20;

/// A key, and its value in each run; nothing in one that has not got it.
pub type Values<T> = (String, Vec<Option<T>>);

/// Runs side by side.
#[derive(Debug)]
pub struct Sides {
    /// The keys of the configs that differ.
    pub config: Vec<Values<Field>>,
    /// All metrics.
    pub metrics: Vec<Values<f64>>,
    /// What differs of programs, machines and data.
    pub provenance: Vec<Values<String>>,
}

impl Sides {
    /// Those of these runs.
    pub fn of(rows: &[Row], keys: &Keys) -> Self {
        let all: Vec<&Row> = rows.iter().collect();
        let mut differ = keys.that_differ(&all);
        differ.sort_unstable();
        let config = |key: &str| rows.iter().map(|row| row.config.get(key).cloned()).collect();
        let metric = |name: &str| rows.iter().map(|row| row.measured.last(name)).collect::<Vec<_>>();
        let metrics = keys.metrics.names().map(|name| (name.to_string(), metric(name)));
        Sides {
            config: differ.into_iter().map(|key| (key.to_string(), config(key))).collect(),
            metrics: metrics
                .filter(|(_, values)| values.iter().any(Option::is_some))
                .collect(),
            provenance: provenance(rows),
        }
    }
}

fn provenance(rows: &[Row]) -> Vec<Values<String>> {
    let mut found = Vec::new();
    let mut add = |name: &str, value: &dyn Fn(&Segment) -> String| {
        let of = |row: &Row| {
            let text = distinct(Segment::that_count(&row.observed.segments), value);
            Some(text).filter(|text| !text.is_empty())
        };
        found.push((name.to_string(), rows.iter().map(of).collect::<Vec<_>>()));
    };
    for (index, name) in Segment::DECISIVE.into_iter().enumerate() {
        add(name, &|segment| segment.decisive()[index].1.clone());
    }
    add("host", &|segment| segment.host.clone());
    add("processor", &|segment| segment.processor.clone());
    let segments = || rows.iter().flat_map(|row| &row.observed.segments);
    let crates: BTreeSet<&String> = segments().flat_map(|segment| segment.crates.keys()).collect();
    for name in crates {
        add(&format!("crate {name}"), &|segment| {
            segment.crates.get(name).cloned().unwrap_or_default()
        });
    }
    let data: Vec<Option<Vec<Portion>>> = rows.iter().map(|row| portions(&row.observed.path)).collect();
    let first = data.first().cloned().flatten();
    let dataset = data.iter().map(|own| {
        let own = own.as_deref()?;
        let samples: usize = own.iter().map(|portion| portion.samples).sum();
        let differs = Portion::difference(own, first.as_deref()?);
        Some(differs.map_or(format!("{samples} samples"), |_| format!("{samples} samples, others")))
    });
    found.push(("training data".into(), dataset.collect()));
    found.retain(|(_, values)| values.windows(2).any(|pair| pair[0] != pair[1]));
    found
}

/// What a run was trained on; nothing where that is not on record.
fn portions(run: &Path) -> Option<Vec<Portion>> {
    let bytes = read_file(&run.join("dataset.json"), MOST, "").ok()?;
    serde_json::from_slice(&bytes).ok()
}
