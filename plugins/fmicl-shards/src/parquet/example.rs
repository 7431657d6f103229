//! A tiny dataset of Parquet files.

use crate::example::image;
use fmicl_core::{Error, Result};
use parquet::data_type::{ByteArray, ByteArrayType, Int64Type};
use parquet::errors::Result as ParquetResult;
use parquet::file::metadata::KeyValue;
use parquet::file::properties::WriterProperties;
use parquet::file::writer::SerializedFileWriter;
use parquet::schema::parser::parse_message_type;
use std::ops::Range;
use std::path::Path;
use std::sync::Arc;

/// Writes a training file of twenty images and a test file of four, with the features of `datasets`.
pub(super) fn write(folder: &Path) -> Result<()> {
    std::fs::create_dir_all(folder).map_err(|error| Error::io(folder, error))?;
    for (name, images) in [
        ("train-00000-of-00001.parquet", 0..20),
        ("test-00000-of-00001.parquet", 20..24),
    ] {
        let path = folder.join(name);
        let bytes = file(images).map_err(|error| Error::data(&path, error.to_string()))?;
        std::fs::write(&path, bytes).map_err(|error| Error::io(&path, error))?;
    }
    Ok(())
}

const SCHEMA: &str = "message schema {
    OPTIONAL GROUP image { OPTIONAL BYTE_ARRAY bytes; OPTIONAL BYTE_ARRAY path (UTF8); }
    OPTIONAL INT64 label;
}";
const FEATURES: &str = r#"{"info": {"features": {"image": {"_type": "Image"}, "label": {"names": ["one", "two"], "_type": "ClassLabel"}}}}"#;

fn file(images: Range<u8>) -> ParquetResult<Vec<u8>> {
    file_with(images, |_| true)
}

/// A file of images, of which some rows have none.
pub(super) fn file_with(images: Range<u8>, has_image: fn(u8) -> bool) -> ParquetResult<Vec<u8>> {
    let features = KeyValue::new("huggingface".into(), FEATURES.to_string());
    let properties = WriterProperties::builder()
        .set_key_value_metadata(Some(vec![features]))
        .set_dictionary_enabled(false);
    let schema = Arc::new(parse_message_type(SCHEMA)?);
    let mut writer = SerializedFileWriter::new(Vec::new(), schema, Arc::new(properties.build()))?;
    let mut group = writer.next_row_group()?;
    let there = images.clone().filter(|&number| has_image(number));
    let bytes: Vec<ByteArray> = there.map(|number| image(number % 2, number).into()).collect();
    // The bytes are there, or their group alone.
    let levels: Vec<i16> = images.clone().map(|number| 1 + i16::from(has_image(number))).collect();
    let paths: Vec<ByteArray> = images
        .clone()
        .map(|number| format!("{number}.ppm").into_bytes().into())
        .collect();
    let labels: Vec<i64> = images.clone().map(|number| i64::from(number % 2)).collect();
    for (values, levels) in [(bytes, levels), (paths, vec![2; images.len()])] {
        if let Some(mut column) = group.next_column()? {
            column
                .typed::<ByteArrayType>()
                .write_batch(&values, Some(&levels), None)?;
            column.close()?;
        }
    }
    if let Some(mut column) = group.next_column()? {
        column
            .typed::<Int64Type>()
            .write_batch(&labels, Some(&vec![1; labels.len()]), None)?;
        column.close()?;
    }
    group.close()?;
    writer.into_inner()
}
