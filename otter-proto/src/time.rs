//! Time as the machines see it: a monotonic [`Instant`] that the driver passes in, and [`UnixMillis`] for the wire.

use std::fmt;

/// Milliseconds of a monotonic clock with an arbitrary start. Machines compare and add, never read a clock.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Instant(pub u64);

impl Instant {
    /// This instant plus `ms` milliseconds, saturating.
    #[must_use]
    pub const fn plus(self, ms: u64) -> Self {
        Self(self.0.saturating_add(ms))
    }

    /// Milliseconds from `earlier` to this instant; 0 when `earlier` is later.
    pub const fn since(self, earlier: Self) -> u64 {
        self.0.saturating_sub(earlier.0)
    }
}

/// Wall-clock milliseconds since 1970-01-01T00:00:00Z. On the wire: RFC 3339 UTC with three decimals.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct UnixMillis(pub u64);

/// The last instant that has a four-digit year.
const MAX_MILLIS: u64 = 253_402_300_799_999;

impl UnixMillis {
    /// Reads RFC 3339 UTC: `YYYY-MM-DDTHH:MM:SS[.fraction]Z`. `None` for anything else, also for other offsets.
    pub fn parse(text: &str) -> Option<Self> {
        let mut rest = text.strip_suffix('Z')?.bytes();
        let mut parts = [0; 6];
        for (part, (digits, separator)) in parts.iter_mut().zip(FORM) {
            if separator.is_some_and(|separator| rest.next() != Some(separator)) {
                return None;
            }
            for _ in 0..digits {
                *part = *part * 10 + digit(rest.next()?)?;
            }
        }
        let [year, month, day, hour, minute, second] = parts;
        let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
        let days_in_month = match month {
            4 | 6 | 9 | 11 => 30,
            2 if leap => 29,
            2 => 28,
            1..=12 => 31,
            _ => return None,
        };
        if year < 1970 || day == 0 || day > days_in_month || hour > 23 || minute > 59 || second > 60 {
            return None;
        }
        let seconds = days_from_civil(year, month, day) * 86_400 + hour * 3600 + minute * 60 + second.min(59);
        Some(Self(seconds * 1000 + milliseconds(rest)?))
    }
}

/// The parts of an instant: how many digits, and what stands before them.
const FORM: [(u8, Option<u8>); 6] =
    [(4, None), (2, Some(b'-')), (2, Some(b'-')), (2, Some(b'T')), (2, Some(b':')), (2, Some(b':'))];

/// What is left behind the seconds: nothing, or a point and digits.
fn milliseconds(mut fraction: std::str::Bytes<'_>) -> Option<u64> {
    let (mut sum, mut worth) = (0, 100);
    match fraction.next() {
        None => return Some(0),
        Some(b'.') if fraction.len() > 0 => {}
        Some(_) => return None,
    }
    for byte in fraction {
        sum += digit(byte)? * worth;
        worth /= 10;
    }
    Some(sum)
}

#[cfg(feature = "serde")]
impl serde::Serialize for UnixMillis {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

#[cfg(feature = "serde")]
impl<'de> serde::Deserialize<'de> for UnixMillis {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = <std::borrow::Cow<'de, str>>::deserialize(deserializer)?;
        Self::parse(&text).ok_or_else(|| {
            serde::de::Error::custom("an instant is RFC 3339 UTC, for instance 2026-11-22T14:00:00.123Z")
        })
    }
}

#[cfg(feature = "schema")]
impl schemars::JsonSchema for UnixMillis {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Instant".into()
    }
    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({
            "type": "string",
            "format": "date-time",
            "description": "An instant: RFC 3339 in UTC with three decimals.",
            "pattern": "^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}\\.[0-9]{3}Z$"
        })
    }
}

impl fmt::Display for UnixMillis {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let ms = self.0.min(MAX_MILLIS);
        let (days, of_day) = (ms / 86_400_000, ms % 86_400_000);
        let (year, month, day) = civil_from_days(days);
        let (hour, minute) = (of_day / 3_600_000, of_day / 60_000 % 60);
        let (second, milli) = (of_day / 1000 % 60, of_day % 1000);
        write!(f, "{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}.{milli:03}Z")
    }
}

fn digit(byte: u8) -> Option<u64> {
    byte.is_ascii_digit().then(|| u64::from(byte - b'0'))
}

/// Days since 1970-01-01 of a date of the proleptic Gregorian calendar, counted in 400-year eras from March.
const fn days_from_civil(year: u64, month: u64, day: u64) -> u64 {
    let y = if month <= 2 { year - 1 } else { year };
    let (era, year_of_era) = (y / 400, y % 400);
    let day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    era * 146_097 + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year - 719_468
}

const fn civil_from_days(days: u64) -> (u64, u64, u64) {
    let z = days + 719_468;
    let (era, day_of_era) = (z / 146_097, z % 146_097);
    let year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let mp = (5 * day_of_year + 2) / 153;
    let (day, month) = (day_of_year - (153 * mp + 2) / 5 + 1, if mp < 10 { mp + 3 } else { mp - 9 });
    let year = year_of_era + era * 400;
    (if month <= 2 { year + 1 } else { year }, month, day)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn instants_print_with_three_decimals() {
        assert_eq!(UnixMillis(1_795_355_302_926).to_string(), "2026-11-22T13:48:22.926Z");
        assert_eq!(UnixMillis(0).to_string(), "1970-01-01T00:00:00.000Z");
        assert_eq!(UnixMillis(951_782_400_000).to_string(), "2000-02-29T00:00:00.000Z");
    }

    #[test]
    fn parsing_inverts_printing() {
        for ms in [0, 1, 951_782_400_123, 1_795_355_302_926, 4_102_444_799_999, MAX_MILLIS] {
            assert_eq!(UnixMillis::parse(&UnixMillis(ms).to_string()), Some(UnixMillis(ms)));
        }
    }

    #[test]
    fn only_utc_instants_of_real_days_are_read() {
        assert_eq!(UnixMillis::parse("2026-11-22T13:48:22Z"), UnixMillis::parse("2026-11-22T13:48:22.000Z"));
        assert_eq!(UnixMillis::parse("2026-11-22T13:48:22.9269Z"), Some(UnixMillis(1_795_355_302_926)));
        for bad in [
            "",
            "2026-02-30T00:00:00Z",
            "2026-11-22",
            "2026-11-22T13:48:22+01:00",
            "2026-13-01T00:00:00Z",
            "2026-11-22T13:48:22.Z",
        ] {
            assert_eq!(UnixMillis::parse(bad), None, "{bad}");
        }
    }
}
