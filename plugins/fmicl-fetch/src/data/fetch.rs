//! `fmicl data fetch`.

use super::Found;
use crate::{Event, Fetch};
use fmicl_core::{Dataset, Error, Part, Result};
use indicatif::{ProgressBar, ProgressStyle};
use std::io::{IsTerminal, Write};

/// Fetches what is not there, and says what is there then.
///
/// # Errors
/// In one line: see [`crate::fetch`]; and where the dataset cannot be fetched, or does not open then.
pub(super) fn fetch(out: &mut impl Write, dataset: &Part<dyn Dataset>, from: Option<String>) -> anyhow::Result<()> {
    let name = dataset.name();
    if let Ok(found) = Found::open(&**dataset) {
        return Ok(writeln!(out, "{name} is there already: {found}")?);
    }
    let found = download(dataset, from)?;
    writeln!(out, "{name} is there: {found}")?;
    Ok(writeln!(
        out,
        "in an experiment: dataset = {}",
        super::info::in_toml(dataset)?
    )?)
}

fn download(dataset: &Part<dyn Dataset>, from: Option<String>) -> Result<Found> {
    let (name, source) = (dataset.name(), dataset.source());
    if source.downloads.is_empty() {
        // Options that are missing are the nearer fault.
        return match Found::open(&**dataset) {
            Err(error @ Error::Config { .. }) => Err(error),
            _ if source.by_hand.is_empty() => {
                Err(Error::Run(format!("{name} does not say where it can be downloaded")))
            }
            _ => Err(Error::Run(format!("{name} cannot be fetched: {}", source.by_hand))),
        };
    }
    let bar = Bar::new();
    let options = Fetch {
        from,
        ..Default::default()
    };
    let fetched = crate::fetch(&source, &options, |event| bar.show(event));
    bar.0.finish_and_clear();
    let new = !fetched?.is_empty();
    Found::open(&**dataset).map_err(|error| match error {
        error if new => error,
        error => Error::Run(format!(
            "{error} (what was fetched before is still there, but not whole: move it away)"
        )),
    })
}

/// A bar on a terminal, lines elsewhere.
struct Bar(ProgressBar);

impl Bar {
    fn new() -> Self {
        let template = "{wide_bar} {decimal_bytes} of {decimal_total_bytes}, {decimal_bytes_per_sec}, eta {eta}";
        let style = ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar());
        Bar(if std::io::stderr().is_terminal() {
            ProgressBar::no_length().with_style(style)
        } else {
            ProgressBar::hidden()
        })
    }

    fn show(&self, event: Event) {
        match event {
            Event::File(origin) => {
                self.0.reset();
                self.line(origin);
            }
            Event::Note(note) => self.line(&format!("  {note}")),
            Event::Progress { done, total } => {
                if let Some(total) = total {
                    self.0.set_length(total);
                }
                self.0.set_position(done);
            }
        }
    }

    fn line(&self, line: &str) {
        self.0.suspend(|| eprintln!("{line}"));
    }
}
