//! The section of views: samples as training sees them.

use super::encoder::Source;
use super::html;
use super::map::clipped;
use super::room::Scale;
use crate::pictures;
use crate::views::BY_DROPOUT;
use fmicl_core::{Draw, Result};
use std::fmt::Write;

/// Samples whose views are shown.
const VIEWED: usize = 6;

/// Some samples of pre-training with `count` views, of the first epoch.
///
/// # Errors
/// A sample that cannot be read.
pub fn html(source: &Source, count: usize, scale: Scale) -> Result<String> {
    let samples = &*source.pretrain;
    let shown = scale.of(VIEWED).min(samples.len());
    let indices: Vec<usize> = (0..shown).map(|index| index * samples.len() / shown).collect();
    let draw = Draw {
        indices: &indices,
        views: count,
        seed: source.experiment.seed,
        epoch: 0,
    };
    let recipes = source.experiment.views.recipes(samples, &draw)?;
    let drawn = source.views(&draw)?;
    let views = &*source.experiment.views;
    let pictured = drawn.iter().map(|view| pictures::of_view(views, view));
    let pictured = pictured.collect::<Option<Vec<_>>>();
    let (Some(pictured), Some(plain)) = (pictured, source.pictures(samples, &indices)?) else {
        return Ok(tokens(samples, &indices, &recipes));
    };
    let mut text = match plain.note {
        "" => String::new(),
        note => format!("<p class=\"note\">Pictures{note}</p>"),
    };
    let plain = pictures::of_batch(&plain.batch, scale.side)?;
    let pictured = pictured.iter().map(|view| pictures::of_batch(&view.batch, scale.side));
    let pictured = pictured.collect::<Result<Vec<_>>>()?;
    for (row, index) in indices.iter().enumerate() {
        let _ = write!(
            text,
            "<div class=\"shots\"><figure><img alt=\"sample {index}\" src=\"{}\"><figcaption>sample {index}</figcaption></figure>",
            plain[row].address(scale.is_full())?
        );
        for (view, pictures) in pictured.iter().enumerate() {
            let steps = recipes.get(row).and_then(|views| views.get(view)).into_iter().flatten();
            let steps: String = steps.map(|step| format!("<li>{}</li>", html::escape(step))).collect();
            let _ = write!(
                text,
                "<figure><img alt=\"view {} of sample {index}\" src=\"{}\"><ul>{steps}</ul></figure>",
                view + 1,
                pictures[row].address(scale.is_full())?
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
        let are_same = views.len() > 1 && views.windows(2).all(|pair| pair[0] == pair[1]);
        if are_same {
            let _ = write!(text, "<p class=\"note\">All {} views; {BY_DROPOUT}</p>", views.len());
        }
        for tokens in views.iter().take(if are_same { 1 } else { views.len() }) {
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
