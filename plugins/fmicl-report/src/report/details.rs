//! The sections that need a run's encoder or its data. Each is left out, with a line that says why, where it cannot be had.

use super::encoder::{self, Encoded, Neighbour, Source};
use super::map::{Points, Sprite, clipped};
use super::page::Page;
use super::run::RunFiles;
use super::sections::of_run;
use super::{confusion, html, projections, table};
use crate::pictures;
use fmicl_core::{Draw, Hits, Modality, Result};
use fmicl_runner::command::ModelArgs;
use fmicl_runner::eval::TRAINED;
use fmicl_runner::run::Restored;
use std::collections::HashMap;
use std::fmt::Write;

/// Samples whose views are shown, and whose neighbours, and how many of those.
const VIEWED: usize = 6;
const QUERIES: usize = 12;
const NEIGHBOURS: usize = 6;
/// The largest side of a picture in pixels.
const SIDE: usize = 96;

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
pub fn add(page: &mut Page, runs: &[&RunFiles], asked: Option<&Asked>) {
    let mut parts = Parts::default();
    for run in runs {
        let head = match runs.len() {
            1 => String::new(),
            _ => format!("<h3>{}</h3>", html::name(&run.name)),
        };
        parts.confusions(page, runs, run, &head);
        let Some(asked) = asked else { continue };
        if let Err(error) = parts.encoder(page, (runs, run), asked, &head) {
            let line = format!("Map, neighbours, pairs and views are left out: {error}");
            page.leave_out(of_run(runs, run, &line));
        }
    }
    if asked.is_none() {
        page.leave_out("Map, neighbours, pairs and views are left out: the page is of the files alone");
    }
    parts.write(page);
}

impl Parts {
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
                "From result.json: a row is a class, a column what its test samples are taken for.",
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

    /// # Errors
    /// An experiment or data that cannot be opened; what fails later is left out by itself.
    fn encoder(
        &mut self,
        page: &mut Page,
        (runs, run): (&[&RunFiles], &RunFiles),
        asked: &Asked,
        head: &str,
    ) -> Result<()> {
        let source = Source::open(run.dir.path(), asked.model)?;
        let leave_out = |page: &mut Page, what: &str, error: &fmicl_core::Error| {
            page.leave_out(of_run(runs, run, &format!("{what} left out: {error}")));
        };
        let mut it = match source.restore(asked.model) {
            Ok(it) => Some(it),
            Err(error) => {
                leave_out(page, "Map, neighbours and pairs are", &error);
                None
            }
        };
        let views = it.as_ref().map(|it| it.model.learner.views());
        let views = views.or(source.experiment.views.count()).unwrap_or(2);
        match views_of(&source, views) {
            Ok(views) => self.views += &format!("{head}{views}"),
            Err(error) => leave_out(page, "Views are", &error),
        }
        let Some(it) = &mut it else { return Ok(()) };
        match source
            .shown()
            .and_then(|shown| encoder::encode(it, shown, asked.samples))
        {
            Ok(encoded) => {
                match self.map_of(page, &source, &encoded) {
                    Ok(map) => self.map += &format!("{head}{map}"),
                    Err(error) => leave_out(page, "The map is", &error),
                }
                match neighbours_of(run, &source, it, &encoded) {
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
                    self.pairs += &format!("{head}<div class=\"charts\">{text}</div>");
                }
            }
            Err(error) => leave_out(page, "Distances of pairs and assumption 2 are", &error),
        }
        Ok(())
    }

    fn map_of(&mut self, page: &mut Page, source: &Source, encoded: &Encoded) -> Result<String> {
        let points = Points::of(encoded, source.modality())?;
        let sprite = Sprite::of(source, encoded)?;
        let mut text = format!(
            "<p class=\"note\">{} samples of the {} split</p>",
            encoded.indices.len(),
            encoded.split
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

/// Some samples of pre-training with their views, of the first epoch.
fn views_of(source: &Source, count: usize) -> Result<String> {
    let samples = &*source.pretrain;
    let shown = VIEWED.min(samples.len());
    let indices: Vec<usize> = (0..shown).map(|index| index * samples.len() / shown).collect();
    let draw = Draw {
        indices: &indices,
        views: count,
        seed: source.experiment.seed,
        epoch: 0,
    };
    let recipes = source.experiment.views.recipes(samples, &draw)?;
    let drawn = source.views(&draw)?;
    let pictured = drawn
        .iter()
        .map(|view| source.experiment.views.pictures(view))
        .collect::<Option<Vec<_>>>();
    let (Some(pictured), Some(plain)) = (pictured, source.pictures(samples, &indices)?) else {
        return Ok(tokens(samples, &indices, &recipes));
    };
    let plain = pictures::of_batch(&plain, SIDE)?;
    let pictured = pictured.iter().map(|view| pictures::of_batch(view, SIDE));
    let pictured = pictured.collect::<Result<Vec<_>>>()?;
    let mut text = String::new();
    for (row, index) in indices.iter().enumerate() {
        let _ = write!(
            text,
            "<div class=\"shots\"><figure><img alt=\"sample {index}\" src=\"{}\"><figcaption>sample {index}</figcaption></figure>",
            plain[row].address()?
        );
        for (view, pictures) in pictured.iter().enumerate() {
            let steps = recipes.get(row).and_then(|views| views.get(view)).into_iter().flatten();
            let steps: String = steps.map(|step| format!("<li>{}</li>", html::escape(step))).collect();
            let _ = write!(
                text,
                "<figure><img alt=\"view {} of sample {index}\" src=\"{}\"><ul>{steps}</ul></figure>",
                view + 1,
                pictures[row].address()?
            );
        }
        text.push_str("</div>");
    }
    Ok(text)
}

fn tokens(samples: &dyn fmicl_core::Samples, indices: &[usize], recipes: &[Vec<Vec<String>>]) -> String {
    let mut text = String::new();
    for (index, views) in indices.iter().zip(recipes) {
        let own = samples.texts(*index).unwrap_or_default();
        let first = own.first().map_or("", |text| text);
        let _ = write!(text, "<div class=\"sentence\"><p>{}</p>", html::name(&clipped(first)));
        for tokens in views {
            let tokens: String = tokens
                .iter()
                .map(|token| format!("<span>{}</span>", html::escape(token)))
                .collect();
            let _ = write!(text, "<div class=\"tokens\">{tokens}</div>");
        }
        text.push_str("</div>");
    }
    text
}

/// Neighbours of some samples: as many that the run's evaluation classified correctly as others, where both are there.
fn neighbours_of(run: &RunFiles, source: &Source, it: &Restored, encoded: &Encoded) -> Result<String> {
    let gallery = encoder::encode_gallery(it, source)?;
    let rows: Vec<usize> = (0..encoded.indices.len().min(200)).collect();
    let found = encoded.neighbours(&rows, &gallery, NEIGHBOURS);
    let is_labelled = encoded.samples.classes() > 1;
    let hits = hits_of(run, encoded.samples.len());
    let right = |row: usize| {
        let own = encoded.indices[row];
        let by_file = hits.as_ref().and_then(|(_, hits)| hits.0.get(own).copied());
        let nearest = || {
            found[row]
                .first()
                .is_some_and(|it| gallery.samples.label(it.sample) == encoded.samples.label(own))
        };
        by_file.unwrap_or_else(nearest)
    };
    let chosen: Vec<usize> = match is_labelled {
        false => rows.iter().copied().take(QUERIES).collect(),
        true => {
            let (good, bad): (Vec<usize>, Vec<usize>) = rows.iter().partition(|row| right(**row));
            let wrong = bad.len().min(QUERIES / 2);
            good.iter()
                .take(QUERIES - wrong)
                .chain(bad.iter().take(wrong))
                .copied()
                .collect()
        }
    };
    let by = hits.as_ref().map_or("the nearest neighbour", |(name, _)| name.as_str());
    let mut text = format!(
        "<p class=\"note\">among {} samples of the {} split{}</p>",
        gallery.indices.len(),
        gallery.split,
        if is_labelled {
            format!("; right or wrong by {}", html::name(by))
        } else {
            String::new()
        }
    );
    let of = Neighbours {
        source,
        encoded,
        gallery: &gallery,
    };
    match source.modality() {
        Modality::Texts => chosen.iter().try_for_each(|&row| -> Result<()> {
            text += &of.sentences(row, &found[row])?;
            Ok(())
        })?,
        Modality::Images => {
            text.push_str("<div class=\"tiles\">");
            for &row in &chosen {
                text += &of.images(row, &found[row], is_labelled.then(|| right(row)))?;
            }
            text.push_str("</div>");
        }
    }
    Ok(text)
}

/// The hits of kNN in the run's result, or of another evaluation, if they are of so many samples.
fn hits_of(run: &RunFiles, samples: usize) -> Option<(String, Hits)> {
    let mut own: Vec<_> = run.reports.of(TRAINED).collect();
    own.sort_by_key(|judged| judged.evaluation != "knn");
    own.into_iter().find_map(|judged| {
        let hits = judged.report.metric(&judged.report.main)?.hits.clone()?;
        (hits.0.len() == samples).then(|| (judged.evaluation.clone(), hits))
    })
}

struct Neighbours<'a> {
    source: &'a Source,
    encoded: &'a Encoded,
    gallery: &'a Encoded,
}

impl Neighbours<'_> {
    fn images(&self, row: usize, found: &[Neighbour], right: Option<bool>) -> Result<String> {
        let (encoded, gallery) = (self.encoded, self.gallery);
        let own = encoded.indices[row];
        let others: Vec<usize> = found.iter().map(|it| it.sample).collect();
        let pictures = |samples: &dyn fmicl_core::Samples, indices: &[usize]| match indices.is_empty() {
            true => Ok(Some(Vec::new())),
            false => {
                let batch = self.source.pictures(samples, indices)?;
                batch.map(|batch| pictures::of_batch(&batch, SIDE)).transpose()
            }
        };
        let both = pictures(&*encoded.samples, &[own])?.zip(pictures(&*gallery.samples, &others)?);
        let Some((query, shown)) = both else {
            return Ok(String::new());
        };
        let names = encoded.samples.class_names();
        let class = |label: usize| names.get(label).map_or_else(|| label.to_string(), String::clone);
        let label = encoded.samples.label(own);
        let caption = match right {
            None => format!("sample {own}"),
            Some(right) => {
                let (style, word) = if right { ("right", "right") } else { ("wrong", "wrong") };
                format!("{} <span class=\"{style}\">{word}</span>", html::name(&class(label)))
            }
        };
        let address = query
            .first()
            .map(|picture| picture.address())
            .transpose()?
            .unwrap_or_default();
        let mut text = format!(
            "<div class=\"tile large\"><figure><img alt=\"sample {own}\" src=\"{address}\"><figcaption>{caption}</figcaption></figure><div \
             class=\"row\">"
        );
        for (neighbour, picture) in found.iter().zip(&shown) {
            let other = gallery.samples.label(neighbour.sample);
            let style = match right {
                None => "",
                Some(_) if other == label => "yes",
                Some(_) => "no",
            };
            let named = match right {
                None => String::new(),
                Some(_) => format!("{}<br>", html::name(&class(other))),
            };
            let _ = write!(
                text,
                "<figure class=\"{style}\"><img alt=\"sample {}\" src=\"{}\"><figcaption>{named}{:.3}</figcaption></figure>",
                neighbour.sample,
                picture.address()?,
                neighbour.cosine
            );
        }
        Ok(text + "</div></div>")
    }

    fn sentences(&self, row: usize, found: &[Neighbour]) -> Result<String> {
        let text_of = |samples: &dyn fmicl_core::Samples, index: usize| -> Result<String> {
            let texts = samples.texts(index)?;
            Ok(html::name(&clipped(texts.first().map_or("", |text| text))))
        };
        let query = text_of(&*self.encoded.samples, self.encoded.indices[row])?;
        let items = found.iter().map(|it| {
            let text = text_of(&*self.gallery.samples, it.sample)?;
            Ok(format!("<li>{text} <small>{:.3}</small></li>", it.cosine))
        });
        let items = items.collect::<Result<String>>()?;
        Ok(format!("<div class=\"sentence\"><p>{query}</p><ol>{items}</ol></div>"))
    }
}
