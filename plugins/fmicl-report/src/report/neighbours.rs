//! The section of neighbours: what the encoder takes for near.

use super::checkpoint::Of;
use super::encoder::{self, Encoded, Neighbour, Source};
use super::html;
use super::map::clipped;
use super::room::Scale;
use super::run::RunFiles;
use crate::pictures;
use fmicl_core::{Hits, Modality, Result, Samples};
use fmicl_runner::eval::TRAINED;
use fmicl_runner::run::Restored;
use std::fmt::Write;

/// Samples whose neighbours are shown, those among which they are chosen, and how many neighbours.
const QUERIES: usize = 12;
const CANDIDATES: usize = 200;
const NEIGHBOURS: usize = 6;

/// Neighbours of some samples.
pub struct Found<'a> {
    source: &'a Source,
    encoded: &'a Encoded,
    gallery: Encoded,
    /// By candidate, the first points of the encoded ones.
    neighbours: Vec<Vec<Neighbour>>,
    /// Whether each candidate is classified correctly.
    right: Vec<bool>,
    /// A sentence on all of it.
    note: String,
}

impl<'a> Found<'a> {
    /// Those of the first encoded samples. Right and wrong are those of the run's evaluation where the encoder is the one that it
    /// is of, and otherwise by the nearest neighbour.
    ///
    /// # Errors
    /// A gallery that cannot be read or encoded.
    pub fn new(run: &RunFiles, (source, it): (&'a Source, &Restored), encoded: &'a Encoded, of: &Of) -> Result<Self> {
        let gallery = encoder::encode_gallery(it, source)?;
        let rows: Vec<usize> = (0..encoded.indices.len().min(CANDIDATES)).collect();
        let neighbours = encoded.neighbours(&rows, &gallery, NEIGHBOURS);
        let hits = hits_of(run, encoded.samples.len()).filter(|_| of.is_last());
        let right = |&row: &usize| {
            let own = encoded.indices[row];
            let by_file = hits.as_ref().and_then(|(_, hits)| hits.0.get(own).copied());
            let label = encoded.samples.label(own);
            let nearest = neighbours[row].first();
            by_file.unwrap_or_else(|| nearest.is_some_and(|it| gallery.samples.label(it.sample) == label))
        };
        let right = rows.iter().map(right).collect();
        let by = hits.as_ref().map_or("the nearest neighbour", |(name, _)| name.as_str());
        let by = match encoded.samples.classes() > 1 {
            true => format!("; right or wrong by {}", html::name(by)),
            false => String::new(),
        };
        let note = format!(
            "among {} samples of the {} split, by {of}{by}",
            gallery.indices.len(),
            gallery.split
        );
        Ok(Found {
            source,
            encoded,
            gallery,
            neighbours,
            right,
            note,
        })
    }

    /// Of so many as the scale says: as many that are classified correctly as others, where both are there.
    ///
    /// # Errors
    /// A sample that cannot be read.
    pub fn html(&self, scale: Scale) -> Result<String> {
        let is_labelled = self.encoded.samples.classes() > 1;
        let queries = scale.of(QUERIES);
        let rows = 0..self.right.len();
        let chosen: Vec<usize> = match is_labelled {
            false => rows.take(queries).collect(),
            true => {
                let (good, bad): (Vec<usize>, Vec<usize>) = rows.partition(|&row| self.right[row]);
                let wrong = bad.len().min(queries / 2);
                let good = good.into_iter().take(queries - wrong);
                good.chain(bad.into_iter().take(wrong)).collect()
            }
        };
        let own = self.encoded.indices.first().map_or(&[][..], std::slice::from_ref);
        let pictures = self.source.pictures(&*self.encoded.samples, own)?;
        let of_pictures = pictures.map_or("", |pictures| pictures.note);
        let mut text = format!("<p class=\"note\">{}{of_pictures}</p>", self.note);
        match self.source.modality() {
            Modality::Texts => chosen.iter().try_for_each(|&row| -> Result<()> {
                text += &self.sentences(row)?;
                Ok(())
            })?,
            Modality::Images => {
                text.push_str("<div class=\"tiles\">");
                for &row in &chosen {
                    text += &self.images(row, is_labelled.then(|| self.right[row]), scale)?;
                }
                text.push_str("</div>");
            }
        }
        Ok(text)
    }

    fn images(&self, row: usize, right: Option<bool>, scale: Scale) -> Result<String> {
        let (encoded, gallery, found) = (self.encoded, &self.gallery, &self.neighbours[row]);
        let own = encoded.indices[row];
        let others: Vec<usize> = found.iter().map(|it| it.sample).collect();
        let pictures = |samples: &dyn Samples, indices: &[usize]| match indices.is_empty() {
            true => Ok(Some(Vec::new())),
            false => {
                let batch = self.source.pictures(samples, indices)?;
                batch.map(|it| pictures::of_batch(&it.batch, scale.side)).transpose()
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
            .map(|picture| picture.address(scale.is_full()))
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
                picture.address(scale.is_full())?,
                neighbour.cosine
            );
        }
        Ok(text + "</div></div>")
    }

    fn sentences(&self, row: usize) -> Result<String> {
        let text_of = |samples: &dyn Samples, index: usize| -> Result<String> {
            let texts = samples.texts(index)?;
            Ok(html::name(&clipped(texts.first().map_or("", |text| text))))
        };
        let query = text_of(&*self.encoded.samples, self.encoded.indices[row])?;
        let items = self.neighbours[row].iter().map(|it| {
            let text = text_of(&*self.gallery.samples, it.sample)?;
            Ok(format!("<li>{text} <small>{:.3}</small></li>", it.cosine))
        });
        let items = items.collect::<Result<String>>()?;
        Ok(format!("<div class=\"sentence\"><p>{query}</p><ol>{items}</ol></div>"))
    }
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
