//! `fmicl data info`.

use super::Found;
use crate::Bytes;
use fmicl_core::registry::{self, Listing};
use fmicl_core::{Dataset, Error, Modality, Part, Result, Source, Split};
use std::io::{self, Write};

/// All that is known of a dataset.
///
/// # Errors
/// What is missing, once everything is printed; or that stdout is closed.
pub(super) fn one(out: &mut impl Write, dataset: &Part<dyn Dataset>) -> anyhow::Result<()> {
    let (name, source) = (dataset.name(), dataset.source());
    let mut line = |key: &str, value: &str| writeln!(out, "  {key:<9} {value}");
    line("dataset", &in_toml(dataset)?)?;
    for (index, folder) in source.looks_in.iter().enumerate() {
        let there = if folder.exists() { "is there" } else { "is not there" };
        let key = if index == 0 { "looks in" } else { "" };
        line(key, &format!("{} ({there})", folder.display()))?;
    }
    let found = Found::open(&**dataset);
    match &found {
        Ok(found) => line("found", &found.to_string())?,
        Err(error) => line("not found", &error.to_string())?,
    }
    let (split, first) = match &found {
        Ok(Found { labelled: None, .. }) => (Split::Pretrain, "first image"),
        _ => (Split::Test, "first test image"),
    };
    if dataset.modality() == Modality::Images
        && let Ok(image) = dataset.open(split).and_then(|samples| samples.image(0))
    {
        line(
            "images",
            &format!("the {first} has {} x {} pixels", image.width, image.height),
        )?;
    }
    if dataset.modality() == Modality::Texts
        && let Ok(samples) = dataset.open(Split::Pretrain)
    {
        for index in 0..samples.len().min(EXAMPLES) {
            let shown = match samples.texts(index) {
                Ok(texts) => texts.iter().map(|text| shortened(text)).collect::<Vec<_>>().join(" | "),
                Err(error) => error.to_string(),
            };
            line(if index == 0 { "texts" } else { "" }, &shown)?;
        }
    }
    if !source.downloads.is_empty() {
        line("to get it", &format!("fmicl data fetch {name}"))?;
    } else if !source.by_hand.is_empty() {
        line("by hand", &source.by_hand)?;
    }
    for download in &source.downloads {
        let bytes = download
            .bytes
            .map_or("size not known".to_string(), |bytes| Bytes(bytes).to_string());
        let checksum = download
            .checksum
            .as_ref()
            .map_or("no checksum is published".to_string(), |sum| sum.to_string());
        let unpacked = download
            .unpack
            .as_ref()
            .map(|archive| format!(", unpacks to less than {}", Bytes(archive.at_most)));
        line(
            "",
            &format!("{}: {bytes}, {checksum}{}", download.url, unpacked.unwrap_or_default()),
        )?;
    }
    for (key, value) in [("page", &source.page), ("terms", &source.terms)] {
        if !value.is_empty() {
            line(key, value)?;
        }
    }
    match found {
        Ok(_) => Ok(()),
        Err(error @ Error::Config { .. }) => Err(error.into()),
        Err(_) if !source.downloads.is_empty() => {
            let message = format!("{name} is not there; `fmicl data fetch {name}` downloads it");
            Err(Error::Run(message).into())
        }
        Err(error) => Err(Error::Run(format!("{name} is not there: {error}")).into()),
    }
}

/// Samples of texts that are shown.
const EXAMPLES: usize = 3;

/// The start of a text, in one line.
fn shortened(text: &str) -> String {
    const MOST: usize = 100;
    let text = text.replace(char::is_control, " ");
    match text.char_indices().nth(MOST) {
        Some((end, _)) => format!("{}...", &text[..end]),
        None => text,
    }
}

/// The part as it is written in an experiment.
pub(super) fn in_toml(dataset: &Part<dyn Dataset>) -> Result<String> {
    Ok(toml::Value::Table(registry::write_options(dataset)?).to_string())
}

/// Every registered dataset, a line each.
///
/// # Errors
/// That stdout is closed.
pub(super) fn all(out: &mut impl Write) -> io::Result<()> {
    let rows: Vec<[String; 4]> = registry::list::<dyn Dataset>().iter().map(row).collect();
    let header = ["dataset", "here", "download", "terms"].map(String::from);
    let width = |column: usize| {
        rows.iter()
            .chain([&header])
            .map(|row| row[column].len())
            .max()
            .unwrap_or(0)
    };
    let [name, here, size] = [0, 1, 2].map(width);
    for row in [&header].into_iter().chain(&rows) {
        writeln!(out, "{:name$}  {:here$}  {:size$}  {}", row[0], row[1], row[2], row[3])?;
    }
    let folder = fmicl_data::data_folder();
    writeln!(
        out,
        "\n`fmicl data info DATASET` says where it is looked for; `fmicl data fetch DATASET` downloads it to {} (FMICL_DATA \
         names another folder).",
        folder.display()
    )
}

fn row(part: &Listing) -> [String; 4] {
    let name = part.name.to_string();
    let Ok(dataset) = Part::<dyn Dataset>::new(part.name, toml::Table::new()) else {
        return [
            name,
            format!("needs {}", part.options.join(", ")),
            String::new(),
            String::new(),
        ];
    };
    let source = dataset.source();
    let split = if dataset.is_labelled() {
        Split::Test
    } else {
        Split::Pretrain
    };
    // One class alone needs no test split.
    let is_here = dataset.open(split).is_ok() || Found::open(&*dataset).is_ok();
    let here = if is_here { "yes" } else { "no" };
    [name, here.into(), size(&source), source.terms]
}

/// What has to be downloaded, or why nothing has to.
fn size(source: &Source) -> String {
    let sizes: Option<Vec<u64>> = source.downloads.iter().map(|download| download.bytes).collect();
    match sizes {
        _ if source.downloads.is_empty() => "-".into(),
        Some(sizes) => Bytes(sizes.iter().sum()).to_string(),
        None => "?".into(),
    }
}
