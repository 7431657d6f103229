//! `fmicl views`: some samples and their random views, as the encoder sees them.

use crate::pictures::{self, Picture};
use clap::Args;
use fmicl_core::{Draw, Error, Result, Samples, Stop, disk};
use fmicl_runner::command::{Command, Group, Outcome};
use fmicl_runner::config::{self, Experiment};
use fmicl_runner::data::trained_on;
use fmicl_runner::run::{Model, RunDir};
use fmicl_runner::{DeviceChoice, out};
use std::fmt::Write as _;
use std::io::Write as _;
use std::path::Path;
use std::path::PathBuf;

/// Pixels between pictures, and the least side of one.
const GAP: usize = 4;
const LEAST: usize = 96;
/// The largest side of a picture.
const LARGEST: usize = 512;
/// Of a JPEG file, from 1 to 100.
const QUALITY: u8 = 92;
/// Of views of equal tokens.
pub const BY_DROPOUT: &str = "in training they differ by the encoder's dropout alone";

#[derive(Debug, Args)]
struct Views {
    /// The experiment file, or a run directory that `train` wrote
    experiment: PathBuf,
    /// The picture, a file that ends in .png or .jpg; needed for images, and of no use for texts
    #[arg(long, value_name = "FILE.png")]
    out: Option<PathBuf>,
    /// Samples, spread over those of pre-training
    #[arg(long, value_name = "COUNT", default_value_t = 8)]
    samples: usize,
    /// The epoch whose views are drawn, counted from 1
    #[arg(long, value_name = "EPOCH", default_value_t = 1)]
    epoch: u64,
    /// Change a value, such as views.crop.scale=[0.2,1.0]; may be repeated
    #[arg(long = "set", value_name = "KEY=VALUE")]
    sets: Vec<String>,
}

fmicl_runner::command!(
    "views",
    Views,
    Group::Inspect,
    "Draw samples and their views as the encoder sees them, with what was drawn for each"
);

impl Command for Views {
    fn run(self) -> Outcome {
        if let Some(out) = &self.out {
            Format::of(out)?;
            out::require_file_place(out)?;
        }
        let experiment = self.load()?;
        let (samples, _) = trained_on(&experiment.dataset).map_err(|error| experiment.locate(error))?;
        let drawn = Drawn::of(&experiment, &*samples, self.samples, self.epoch)?;
        let told = drawn.told();
        match (&drawn.pictures, &self.out) {
            (None, None) => {}
            (None, Some(out)) => {
                let message = format!(
                    "{}: these views are no pictures; without it, their tokens, or what is drawn for them, are printed",
                    out.display()
                );
                return Err(Error::config(message).at("--out").into());
            }
            (Some(_), None) => {
                return Err(
                    Error::config("is missing: name a file for the picture, such as views.png")
                        .at("--out")
                        .into(),
                );
            }
            (Some(pictures), Some(out)) => {
                let sheet = sheet(pictures);
                let bytes = match Format::of(out)? {
                    Format::Png => sheet.png(&[("Title", "fmicl views"), ("Description", &told)])?,
                    Format::Jpeg => sheet.jpeg(QUALITY)?,
                };
                disk::replace(out, &bytes)?;
                writeln!(
                    std::io::stdout(),
                    "{}: {} samples, the sample as evaluation sees it, then its {} views of epoch {}{}",
                    out.display(),
                    drawn.indices.len(),
                    pictures[0].len() - 1,
                    self.epoch,
                    drawn.note
                )?;
            }
        }
        write!(std::io::stdout(), "{told}")?;
        Ok(())
    }
}

/// The format of the picture.
enum Format {
    Png,
    Jpeg,
}

impl Format {
    /// That of a file's name.
    fn of(out: &Path) -> Result<Self> {
        let ending = out
            .extension()
            .map(|ending| ending.to_string_lossy().to_ascii_lowercase());
        match ending.as_deref() {
            Some("png") => Ok(Format::Png),
            Some("jpg" | "jpeg") => Ok(Format::Jpeg),
            _ => {
                let message = format!(
                    "{}: the picture is a PNG or a JPEG file; name one that ends in .png or .jpg",
                    out.display()
                );
                Err(Error::config(message).at("--out"))
            }
        }
    }
}

impl Views {
    fn load(&self) -> Result<Experiment, Vec<Error>> {
        match RunDir::is_at(&self.experiment) {
            true => {
                let run = RunDir::open(&self.experiment).and_then(|run| run.experiment_with(&self.sets));
                run.map_err(|error| vec![error])
            }
            false => config::load_all(&self.experiment, &self.sets),
        }
    }
}

/// Samples with what was drawn for them.
struct Drawn {
    indices: Vec<usize>,
    /// By sample and view.
    recipes: Vec<Vec<Vec<String>>>,
    /// By sample: the sample, then its views; nothing of texts.
    pictures: Option<Vec<Vec<Picture>>>,
    /// What to add to a sentence on the pictures.
    note: &'static str,
}

impl Drawn {
    fn of(experiment: &Experiment, samples: &dyn Samples, count: usize, epoch: u64) -> Result<Self> {
        let Some(epoch) = epoch.checked_sub(1) else {
            return Err(Error::config("0 is no epoch; they are counted from 1").at("--epoch"));
        };
        let count = count.min(samples.len());
        if count == 0 {
            return Err(Error::config("0 samples are no picture; take at least 1").at("--samples"));
        }
        let indices: Vec<usize> = (0..count).map(|index| index * samples.len() / count).collect();
        let views = match experiment.views.count() {
            Some(views) => views,
            // Only the architecture knows how many it takes.
            None => Model::build(experiment, DeviceChoice::Cpu.resolve()?)?.learner.views(),
        };
        let draw = Draw {
            indices: &indices,
            views,
            seed: experiment.seed,
            epoch,
        };
        let recipes = experiment.views.recipes(samples, &draw)?;
        let plain = experiment.views.evaluation(samples, &indices, &Stop::default())?;
        let random = experiment.views.random(samples, &draw, &Stop::default())?;
        let batches = std::iter::once(&plain)
            .chain(&random)
            .map(|view| pictures::of_view(&*experiment.views, view));
        let mut note = "";
        let pictures = match batches.collect::<Option<Vec<_>>>() {
            None => None,
            Some(batches) => {
                note = batches.first().map_or("", |first| first.note);
                let columns = batches.iter().map(|it| pictures::of_batch(&it.batch, LARGEST));
                let columns = columns.collect::<Result<Vec<_>>>()?;
                let row = |row: usize| columns.iter().filter_map(|column| column.get(row).cloned()).collect();
                Some((0..count).map(row).collect())
            }
        };
        Ok(Drawn {
            indices,
            recipes,
            pictures,
            note,
        })
    }

    /// A line for each view.
    fn told(&self) -> String {
        let mut told = String::new();
        let between = if self.pictures.is_some() { "; " } else { " " };
        for (index, views) in self.indices.iter().zip(&self.recipes) {
            for (view, steps) in views.iter().enumerate() {
                let is_same_text = self.pictures.is_none() && view > 0 && steps == &views[view - 1];
                let steps = match steps.is_empty() {
                    true => "as it is".into(),
                    false if is_same_text => format!("the tokens of view {view}; {BY_DROPOUT}"),
                    false => steps.join(between),
                };
                let _ = writeln!(told, "sample {index}, view {}: {steps}", view + 1);
            }
        }
        told
    }
}

/// A row for each sample, small pictures enlarged.
fn sheet(rows: &[Vec<Picture>]) -> Picture {
    let columns = rows.first().map_or(1, Vec::len);
    let side = rows
        .iter()
        .flatten()
        .map(|picture| picture.width.max(picture.height))
        .max()
        .unwrap_or(1);
    let times = LEAST.div_ceil(side).max(1);
    let large: Vec<Picture> = rows.iter().flatten().map(|picture| picture.enlarged(times)).collect();
    pictures::sheet(&large.iter().collect::<Vec<_>>(), columns, GAP, 255)
}
