//! A map of features in two dimensions, with the images that the script shows.

use super::encoder::{Encoded, Source};
use super::page::Page;
use super::{html, layout};
use crate::pictures::{self, address};
use fmicl_core::{Modality, Result};
use serde_json::{Value, json};

/// The most points of t-SNE, whose time grows with their square.
const TSNE: usize = 2_000;
/// The most images, and their side in pixels.
const IMAGES: usize = 2_000;
const SIDE: usize = 32;
/// Images that are read at a time.
const BATCH: usize = 256;
/// Letters of a text that are shown.
const LETTERS: usize = 160;
/// The most classes that a legend has.
const CLASSES: usize = 24;

/// The points of a map.
#[derive(Debug, Default)]
pub struct Points {
    /// Names and columns of the coordinates, from 0 to 4095; a later one may have fewer points.
    pub layouts: Vec<(&'static str, [Vec<u16>; 2])>,
    /// Class of each; empty without labels.
    pub labels: Vec<usize>,
    /// Names of the classes.
    pub classes: Vec<String>,
    /// Index of each in its split.
    pub samples: Vec<usize>,
    /// Text of each; empty without texts.
    pub texts: Vec<String>,
}

/// Images of the first points, in one.
#[derive(Debug)]
pub struct Sprite {
    /// Address that holds it.
    pub address: String,
    /// Points that have one.
    pub count: usize,
    /// Images in a row.
    pub columns: usize,
    /// Side of each in pixels.
    pub side: usize,
    /// What to add to a sentence on them.
    pub note: &'static str,
}

impl Points {
    /// The points of encoded samples.
    ///
    /// # Errors
    /// A sample that cannot be read.
    pub fn of(encoded: &Encoded, modality: Modality) -> Result<Self> {
        let features = &encoded.features;
        let count = encoded.indices.len().min(TSNE);
        let mut layouts = vec![("principal components", layout::whole(&layout::components(features, 2)))];
        if count >= 8 {
            let some = features.narrow(0, 0, count as i64);
            layouts.push(("t-SNE", layout::whole(&layout::tsne(&some))));
        }
        let classes = encoded.samples.classes();
        let labels = encoded.indices.iter().filter(|_| classes > 1);
        let texts = match modality {
            Modality::Images => Vec::new(),
            Modality::Texts => texts(encoded)?,
        };
        Ok(Points {
            layouts,
            labels: labels.map(|&index| encoded.samples.label(index)).collect(),
            classes: encoded.samples.class_names(),
            samples: encoded.indices.clone(),
            texts,
        })
    }

    fn data(&self, sprite: Option<(&Sprite, &str)>) -> Value {
        let layouts = self.layouts.iter().map(|(_, [x, y])| json!({"x": x, "y": y}));
        let sprite = sprite.map(
            |(sprite, id)| json!({"id": id, "count": sprite.count, "columns": sprite.columns, "side": sprite.side}),
        );
        json!({
            "count": self.samples.len(),
            "layouts": layouts.collect::<Vec<_>>(),
            "labels": self.labels,
            "classes": self.classes,
            "samples": self.samples,
            "texts": self.texts,
            "sprite": sprite,
        })
    }

    /// Adds the map to the page, and returns its HTML. `sprite` is one with the name that the page has it by.
    pub fn html(&self, page: &mut Page, sprite: Option<(&Sprite, &str)>, split: &str) -> String {
        let number = page.map(self.data(sprite));
        let last = self.layouts.len().saturating_sub(1);
        let choices = self.layouts.iter().enumerate().map(|(index, (name, [x, _]))| {
            let points = match x.len() < self.samples.len() {
                true => format!(" of {} points", x.len()),
                false => String::new(),
            };
            let pressed = index == last;
            format!(
                "<button type=\"button\" data-layout=\"{index}\" aria-pressed=\"{pressed}\">{name}{points}</button>"
            )
        });
        let mut classes: Vec<usize> = self.labels.clone();
        classes.sort();
        classes.dedup();
        let legend = match classes.len() {
            0 => String::new(),
            count if count > CLASSES => {
                format!(
                    "<p class=\"note\">{count} classes: colours and forms repeat; point at a mark for its class.</p>"
                )
            }
            _ => {
                let entry = |class: &usize| {
                    let own = self.classes.get(*class);
                    let name = own.map_or_else(|| format!("class {class}"), String::clone);
                    format!(
                        "<button type=\"button\" data-class=\"{class}\" aria-pressed=\"true\"><canvas class=\"mark\" width=\"28\" \
                         height=\"28\" aria-hidden=\"true\"></canvas>{}</button>",
                        html::name(&name)
                    )
                };
                format!(
                    "<div class=\"legend\">{}</div>",
                    classes.iter().map(entry).collect::<String>()
                )
            }
        };
        let label = format!(
            "Map of the features of {} {split} samples{}",
            self.samples.len(),
            if classes.is_empty() { "" } else { ", coloured by class" }
        );
        format!(
            "<figure class=\"map\" data-map=\"{number}\"><div class=\"legend choices\">{}</div><canvas role=\"img\" aria-label=\"{}\">\
             </canvas>{legend}</figure>",
            choices.collect::<String>(),
            html::escape(&label)
        )
    }
}

fn texts(encoded: &Encoded) -> Result<Vec<String>> {
    let text = |&index: &usize| {
        let texts = encoded.samples.texts(index)?;
        Ok(clipped(texts.first().map_or("", |text| text)))
    };
    encoded.indices.iter().map(text).collect()
}

/// The beginning of a text.
pub fn clipped(text: &str) -> String {
    match text.char_indices().nth(LETTERS) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_string(),
    }
}

impl Sprite {
    /// The images of the first points, as many as take about `most` bytes; nothing if they are no images.
    ///
    /// # Errors
    /// A sample that cannot be read.
    pub fn of(source: &Source, encoded: &Encoded, most: usize) -> Result<Option<Self>> {
        let (mut all, mut note) = (Vec::new(), "");
        for indices in encoded.indices[..encoded.indices.len().min(IMAGES)].chunks(BATCH) {
            let Some(batch) = source.pictures(&*encoded.samples, indices)? else {
                return Ok(None);
            };
            all.extend(pictures::of_batch(&batch.batch, SIDE)?);
            note = batch.note;
        }
        let Some(side) = all.first().map(|picture| picture.width.max(picture.height)) else {
            return Ok(None);
        };
        let mut count = all.len();
        loop {
            let columns = ((count as f64).sqrt().ceil() as usize).max(1);
            let sheet = pictures::sheet(&all[..count].iter().collect::<Vec<_>>(), columns, 0, 0);
            let bytes = sheet.jpeg(72)?;
            if bytes.len() <= most || count < 16 {
                return Ok(Some(Sprite {
                    address: address("jpeg", &bytes),
                    count,
                    columns,
                    side,
                    note,
                }));
            }
            count = (count as f64 * 0.95 * most as f64 / bytes.len() as f64) as usize;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A map of so many points of three classes, one of a hostile name.
    pub fn points(count: usize) -> Points {
        let column = |step: usize| (0..count).map(|index| (index * step % 4096) as u16).collect::<Vec<_>>();
        Points {
            layouts: vec![
                ("principal components", [column(7), column(31)]),
                ("t-SNE", [vec![1; 9], vec![2; 9]]),
            ],
            labels: (0..count).map(|index| index % 3).collect(),
            classes: ["</script><script>alert(1)</script>", "two\nlines", "\u{202e}\u{5d0}"]
                .map(String::from)
                .to_vec(),
            samples: (0..count).collect(),
            texts: Vec::new(),
        }
    }

    #[test]
    fn fifty_thousand_points_are_small_and_hostile_names_stay_text() {
        let mut page = Page::default();
        let html = points(50_000).html(&mut page, None, "test");
        page.section("map", "Map", html);
        let html = page.html();
        assert!(html.len() < 2_000_000, "{}", html.len());
        assert!(!html.contains("<script>alert") && html.contains("<bdi>&lt;/script&gt;&lt;script&gt;alert(1)"));
        assert!(html.contains("t-SNE of 9 points") && html.matches("data-class=").count() == 3);
        let data = html
            .split("id=\"data\">")
            .nth(1)
            .unwrap()
            .split("</script>")
            .next()
            .unwrap();
        let data: Value = serde_json::from_str(data).unwrap();
        assert_eq!(data["maps"][0]["classes"][0], "</script><script>alert(1)</script>");
        assert_eq!(data["maps"][0]["layouts"][0]["x"].as_array().unwrap().len(), 50_000);
    }

    #[test]
    fn a_long_text_is_cut_between_letters() {
        assert_eq!(clipped("é"), "é");
        assert_eq!(clipped(&"é".repeat(500)).chars().count(), LETTERS + 1);
    }
}
