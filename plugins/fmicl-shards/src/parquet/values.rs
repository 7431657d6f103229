//! The values of a column in a row group, one after the other.

use parquet::column::reader::{ColumnReader, ColumnReaderImpl};
use parquet::data_type::{ByteArray, DataType};
use parquet::errors::{ParquetError, Result};
use parquet::file::reader::RowGroupReader;

/// Values that are read at a time: few, since each may be a photo.
const TOGETHER: usize = 16;

/// Calls `each` for the bytes in each row of a column; for none where there is no value.
///
/// # Errors
/// What is wrong with the file, and errors of `each`.
pub(super) fn bytes<E: From<ParquetError>>(
    group: &dyn RowGroupReader,
    column: usize,
    each: impl FnMut(Option<&ByteArray>) -> Result<(), E>,
) -> Result<(), E> {
    match group.get_column_reader(column)? {
        ColumnReader::ByteArrayColumnReader(reader) => values(reader, group, column, each),
        _ => Err(ParquetError::General("a column has another type than the schema says".into()).into()),
    }
}

/// The integers in each row of a column.
///
/// # Errors
/// What is wrong with the file.
pub(super) fn integers(group: &dyn RowGroupReader, column: usize) -> Result<Vec<Option<i64>>> {
    let mut found = Vec::new();
    match group.get_column_reader(column)? {
        ColumnReader::Int64ColumnReader(reader) => values(reader, group, column, |value: Option<&i64>| {
            found.push(value.copied());
            Ok::<_, ParquetError>(())
        })?,
        ColumnReader::Int32ColumnReader(reader) => values(reader, group, column, |value: Option<&i32>| {
            found.push(value.copied().map(i64::from));
            Ok::<_, ParquetError>(())
        })?,
        _ => {
            return Err(ParquetError::General(
                "a column has another type than the schema says".into(),
            ));
        }
    }
    Ok(found)
}

fn values<T: DataType, E: From<ParquetError>>(
    mut reader: ColumnReaderImpl<T>,
    group: &dyn RowGroupReader,
    column: usize,
    mut each: impl FnMut(Option<&T::T>) -> Result<(), E>,
) -> Result<(), E> {
    let full = group.metadata().column(column).column_descr().max_def_level();
    let rows = usize::try_from(group.metadata().num_rows()).unwrap_or(usize::MAX);
    let (mut levels, mut values, mut done) = (Vec::new(), Vec::new(), 0);
    while done < rows {
        levels.clear();
        values.clear();
        let wanted = TOGETHER.min(rows - done);
        let (records, _, _) = reader.read_records(wanted, Some(&mut levels), None, &mut values)?;
        if records == 0 {
            let message = format!("a column ends after {done} of {rows} rows");
            return Err(ParquetError::General(message).into());
        }
        done += records;
        let mut present = values.iter();
        if full == 0 {
            present.try_for_each(|value| each(Some(value)))?;
            continue;
        }
        for level in &levels {
            each(if *level == full { present.next() } else { None })?;
        }
    }
    Ok(())
}
