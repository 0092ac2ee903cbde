//! Columns to values. SQLite has signed integers of 64 bits; ours are unsigned.

use otter_proto::UnixMillis;
use rusqlite::Row;
use rusqlite::types::Type;

/// A column for a number that never reaches 2^63.
pub(super) fn int(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

/// The number of a column written by [`int`].
pub(super) fn uint(row: &Row<'_>, column: usize) -> Result<u64, rusqlite::Error> {
    let number: i64 = row.get(column)?;
    u64::try_from(number).map_err(|error| damaged(column, error))
}

/// The instant of a column.
pub(super) fn instant(row: &Row<'_>, column: usize) -> Result<UnixMillis, rusqlite::Error> {
    uint(row, column).map(UnixMillis)
}

/// The value of a text column that `parse` understands.
pub(super) fn text<T, E: std::error::Error + Send + Sync + 'static>(
    row: &Row<'_>,
    column: usize,
    parse: impl FnOnce(&str) -> Result<T, E>,
) -> Result<T, rusqlite::Error> {
    let text = row.get_ref(column)?.as_str().map_err(|error| damaged(column, error))?;
    parse(text).map_err(|error| damaged(column, error))
}

/// A word of a closed set.
pub(super) fn word<T>(
    row: &Row<'_>,
    column: usize,
    parse: impl FnOnce(&str) -> Option<T>,
) -> Result<T, rusqlite::Error> {
    text(row, column, |text| parse(text).ok_or_else(|| UnknownWord(text.to_owned())))
}

#[derive(Debug, thiserror::Error)]
#[error("unknown word `{0}`")]
struct UnknownWord(String);

fn damaged(column: usize, error: impl std::error::Error + Send + Sync + 'static) -> rusqlite::Error {
    rusqlite::Error::FromSqlConversionFailure(column, Type::Text, Box::new(error))
}
