//! The sections that need a run's encoder or its data. Each is left out, with a line that says why, where it cannot be had.

use super::checkpoint::Of;
use super::encoder::{self, Encoded, Source};
use super::map::{Points, Sprite};
use super::page::Page;
use super::room::Room;
use super::run::RunFiles;
use super::sections::of_run;
use super::{confusion, drawn, html, neighbours, projections, table};
use fmicl_core::{Error, Result};
use fmicl_runner::command::ModelArgs;
use fmicl_runner::run::CheckpointChoice;
use std::collections::HashMap;
use std::fmt::Write;

/// Percent of a run's room for pictures: those of the map, of neighbours, of views.
const SHARES: [usize; 3] = [55, 30, 15];

/// What to show of a run's encoder.
pub struct Asked<'a> {
    /// The checkpoint, and changes of the data's place.
    pub model: &'a ModelArgs,
    /// The most samples of a map, and of the pairs.
    pub samples: usize,
}

/// The HTML of all runs, by section.
#[derive(Default)]
struct Parts {
    map: String,
    neighbours: String,
    confusion: String,
    views: String,
    pairs: String,
    /// Sprites that the page has, by their addresses.
    sprites: HashMap<String, String>,
}

/// Adds the sections of the runs' encoders; from their files alone where nothing is `asked`.
///
/// # Errors
/// A checkpoint, a change or a device that was asked for and cannot be had.
pub fn add(page: &mut Page, runs: &[&RunFiles], asked: Option<&Asked>) -> Result<()> {
    let mut parts = Parts::default();
    for (index, run) in runs.iter().enumerate() {
        let head = match runs.len() {
            1 => String::new(),
            _ => format!("<h3>{}</h3>", html::name(&run.name)),
        };
        parts.confusions(page, runs, run, &head);
        let Some(asked) = asked else { continue };
        let Some(room) = Room::of_a_run(page.html().len() + parts.length(), runs.len() - index) else {
            page.leave_out(of_run(runs, run, &format!("{ALL}: the page has no room for more")));
            continue;
        };
        let left_out = parts.encoder(page, (runs, run), (asked, &room), &head);
        if let Some(why) = left_out.map_err(|error| of_one(runs, run, error))? {
            page.leave_out(of_run(runs, run, &format!("{ALL}: {why}")));
        }
    }
    if asked.is_none() {
        page.leave_out(format!("{ALL}: the page is of the files alone"));
    }
    parts.write(page);
    Ok(())
}

/// What is left out of a run whose encoder or data cannot be had.
const ALL: &str = "Map, neighbours, pairs and views are left out";

/// An error of one of several runs, by its name.
fn of_one(runs: &[&RunFiles], run: &RunFiles, error: Error) -> Error {
    match (runs.len(), error) {
        (1, error) => error,
        (_, error @ Error::Config { .. }) => Error::config(format!("{}: {error}", run.name)),
        (_, error) => Error::Run(format!("{}: {error}", run.name)),
    }
}

impl Parts {
    /// Characters so far.
    fn length(&self) -> usize {
        let all = [&self.map, &self.neighbours, &self.confusion, &self.views, &self.pairs];
        all.into_iter().map(String::len).sum()
    }

    fn write(self, page: &mut Page) {
        let sections = [
            (
                "map",
                "Map of the features",
                "Features of unit length in two dimensions. Point at a mark for its sample; press a class to see it alone.",
                self.map,
            ),
            (
                "neighbours",
                "Nearest neighbours",
                "The samples whose features have the largest cosine. Solid green frames have the query's class, dashed ones another.",
                self.neighbours,
            ),
            (
                "confusion",
                "Confusion",
                "From result.json, of the encoder at the end of training: a row is a class, a column what its test samples are taken for.",
                self.confusion,
            ),
            (
                "views",
                "Views that training sees",
                "The sample as evaluation sees it, then its random views of the first epoch, with what was drawn for them.",
                self.views,
            ),
            (
                "pairs",
                "Pairs of projections",
                "The paper's figures of the projections, as <code>fmicl figures</code> writes them.",
                self.pairs,
            ),
        ];
        for (id, title, lead, html) in sections {
            if !html.is_empty() {
                page.section(id, title, format!("<p class=\"lead\">{lead}</p>{html}"));
            }
        }
    }

    fn confusions(&mut self, page: &mut Page, runs: &[&RunFiles], run: &RunFiles, head: &str) {
        let names: Vec<String> = match run.result.as_ref().map(|result| &result["labels"]["class_names"]) {
            Some(names) => serde_json::from_value(names.clone()).unwrap_or_default(),
            None => Vec::new(),
        };
        let mut text = String::new();
        for (index, (judged, matrix)) in table::confusions(run).enumerate() {
            match confusion::html(matrix, &names) {
                Ok(matrix) => {
                    let open = if index == 0 { " open" } else { "" };
                    let name = html::name(&judged.evaluation);
                    let _ = write!(text, "<details{open}><summary>{name}</summary>{matrix}</details>");
                }
                Err(error) => page.leave_out(of_run(runs, run, &format!("A confusion matrix is left out: {error}"))),
            }
        }
        if !text.is_empty() {
            self.confusion += &format!("{head}{text}");
        }
    }

    /// Adds what there is of a run's encoder and data; returns why there is nothing. What fails by itself is left out by itself.
    ///
    /// # Errors
    /// What was asked for and cannot be had.
    fn encoder(
        &mut self,
        page: &mut Page,
        (runs, run): (&[&RunFiles], &RunFiles),
        (asked, room): (&Asked, &Room),
        head: &str,
    ) -> Result<Option<String>> {
        let is_changed = !asked.model.sets.is_empty() || asked.model.device.is_some();
        let (dir, experiment, device) = match asked.model.open(run.dir.path(), "report") {
            Err(error) if is_changed => return Err(error),
            Err(error) => return Ok(Some(error.to_string())),
            Ok(opened) => opened,
        };
        let restored = dir
            .experiment_with(&asked.model.sets)
            .and_then(|experiment| dir.restore(experiment, device, &asked.model.checkpoint));
        // The last one may lack, as of a run that has just begun; one that is named may not.
        let restored = match restored {
            Err(error) if asked.model.checkpoint != CheckpointChoice::Last => return Err(error),
            restored => restored,
        };
        let source = match Source::open(experiment) {
            Err(error) if is_changed => return Err(error),
            Err(error) => return Ok(Some(error.to_string())),
            Ok(source) => source,
        };
        match source.differs(&dir) {
            Ok(None) => {}
            Ok(Some(differs)) => return Ok(Some(format!("{differs}: not what the run was trained on"))),
            Err(error) => {
                let line = format!("Whether the data is what the run was trained on is not known: {error}");
                page.leave_out(of_run(runs, run, &line));
            }
        }
        let leave_out = |page: &mut Page, what: &str, error: &Error| {
            page.leave_out(of_run(runs, run, &format!("{what} left out: {error}")));
        };
        let mut it = match restored {
            Ok(it) => Some(it),
            Err(error) => {
                leave_out(page, "Map, neighbours and pairs are", &error);
                None
            }
        };
        let views = it.as_ref().map(|it| it.model.learner.views());
        let views = views.or(source.experiment.views.count()).unwrap_or(2);
        match room.fitted(SHARES[2], |scale| drawn::html(&source, views, scale)) {
            Ok(views) => self.views += &format!("{head}{views}"),
            Err(error) => leave_out(page, "Views are", &error),
        }
        let Some(it) = &mut it else { return Ok(None) };
        let of = Of::new(&dir, it);
        let shown = source.shown(run.labels());
        match shown.and_then(|shown| encoder::encode(it, shown, asked.samples)) {
            Ok(encoded) => {
                match self.map_of(page, (&source, &encoded), &of, room) {
                    Ok(map) => self.map += &format!("{head}{map}"),
                    Err(error) => leave_out(page, "The map is", &error),
                }
                let neighbours = neighbours::Found::new(run, (&source, it), &encoded, &of);
                match neighbours.and_then(|found| room.fitted(SHARES[1], |scale| found.html(scale))) {
                    Ok(text) => self.neighbours += &format!("{head}{text}"),
                    Err(error) => leave_out(page, "Neighbours are", &error),
                }
            }
            Err(error) => leave_out(page, "Map and neighbours are", &error),
        }
        match source.pairs(it, asked.samples) {
            Ok(pairs) => {
                let mut text = String::new();
                for (name, chart) in [
                    ("Distances of pairs are", projections::distances(&pairs)),
                    ("Assumption 2 is", projections::assumption_2(&pairs, it)),
                ] {
                    match chart {
                        Ok(chart) => text += &page.chart(&chart),
                        Err(error) => leave_out(page, name, &error),
                    }
                }
                if !text.is_empty() {
                    let note = format!("<p class=\"note\">of {of}</p>");
                    self.pairs += &format!("{head}{note}<div class=\"charts\">{text}</div>");
                }
            }
            Err(error) => leave_out(page, "Distances of pairs and assumption 2 are", &error),
        }
        Ok(None)
    }

    fn map_of(
        &mut self,
        page: &mut Page,
        (source, encoded): (&Source, &Encoded),
        of: &Of,
        room: &Room,
    ) -> Result<String> {
        let points = Points::of(encoded, source.modality())?;
        let sprite = Sprite::of(source, encoded, room.bytes(SHARES[0]))?;
        let mut text = format!(
            "<p class=\"note\">{} samples of the {} split, by {of}{}</p>",
            encoded.indices.len(),
            encoded.split,
            sprite.as_ref().map_or("", |sprite| sprite.note)
        );
        let id = sprite.as_ref().map(|sprite| {
            let next = format!("sprite{}", self.sprites.len());
            // Runs on the same data share one.
            match self.sprites.get(&sprite.address) {
                Some(id) => id.clone(),
                None => {
                    let _ = write!(text, "<img id=\"{next}\" alt=\"\" hidden src=\"{}\">", sprite.address);
                    self.sprites.insert(sprite.address.clone(), next.clone());
                    next
                }
            }
        });
        let sprite = sprite.as_ref().zip(id.as_deref());
        Ok(text + &points.html(page, sprite, encoded.split))
    }
}
