//! How columns are packed, and what of that can be unpacked.

use super::columns::Columns;
use parquet::basic::Compression;
use parquet::file::metadata::ParquetMetaData;

/// Checks that the wanted columns of a file can be unpacked.
///
/// # Errors
/// The column and its codec, with what writes it anew.
pub(super) fn require(metadata: &ParquetMetaData, columns: &Columns) -> Result<(), String> {
    let content = columns.content.iter().map(|&column| (column, &columns.called));
    let label = columns.label.map(|column| (column, &columns.label_called));
    for (column, called) in content.chain(label) {
        let groups = metadata.row_groups().iter();
        let mut codecs = groups.map(|group| group.column(column).compression());
        if let Some(codec) = codecs.find(|codec| !is_read(*codec)) {
            // Its level is not known.
            let codec = codec.to_string();
            let codec = codec.split('(').next().unwrap_or_default();
            return Err(format!(
                "`{called}` is compressed by {codec}; snappy, zstd and gzip are read: \
                 `pyarrow.parquet.write_table(pyarrow.parquet.read_table(FILE), OTHER, compression=\"zstd\")` writes it so"
            ));
        }
    }
    Ok(())
}

/// As the features of the crate say.
fn is_read(codec: Compression) -> bool {
    use Compression::{GZIP, SNAPPY, UNCOMPRESSED, ZSTD};
    matches!(codec, UNCOMPRESSED | SNAPPY | GZIP(_) | ZSTD(_))
}
