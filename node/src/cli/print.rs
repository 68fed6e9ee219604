//! Printing to the terminal.

use std::io::{self, IsTerminal, Write};

use qrcode::{QrCode, render::unicode};
use serde::Serialize;

use super::Failure;

/// Prints a line; a reader that has gone away ends the command quietly.
pub(super) fn line(text: &str) -> Result<(), Failure> {
    let mut out = io::stdout().lock();
    match writeln!(out, "{text}").and_then(|()| out.flush()) {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Err(Failure::NobodyReads),
        outcome => outcome.map_err(Failure::io("cannot print")),
    }
}

/// Prints a value as one line of JSON.
pub(super) fn json<T: Serialize>(value: &T) -> Result<(), Failure> {
    let text = serde_json::to_string(value)
        .map_err(|error| Failure::Checked(format!("cannot write JSON: {error}")))?;
    line(&text)
}

/// Prints a value as JSON, or the text that a function makes of it.
pub(super) fn either<T: Serialize>(
    as_json: bool,
    value: &T,
    text: impl FnOnce(&T) -> String,
) -> Result<(), Failure> {
    if as_json {
        return json(value);
    }
    let text = text(value);
    if text.is_empty() { Ok(()) } else { line(&text) }
}

/// A QR code made of half blocks, dark on light as scanners want it.
pub(super) fn qr(text: &str) -> Result<String, Failure> {
    let code = QrCode::new(text.as_bytes())
        .map_err(|error| Failure::Checked(format!("no QR code can hold this: {error}")))?;
    Ok(code
        .render::<unicode::Dense1x2>()
        .dark_color(unicode::Dense1x2::Light)
        .light_color(unicode::Dense1x2::Dark)
        .build())
}

/// What a terminal may show of a text that somebody else wrote: no control characters, which
/// could move the cursor or rewrite what stands above.
pub(super) fn safe(text: &str) -> String {
    text.chars()
        .map(|c| if c.is_control() && c != '\n' && c != '\t' { '\u{fffd}' } else { c })
        .collect()
}

/// The same on one line.
pub(super) fn one_line(text: &str) -> String {
    safe(text).replace('\n', " ⏎ ")
}

/// Local date and time would need a time zone database: UTC, to the minute.
pub(super) fn time(millis: u64) -> String {
    let seconds = millis / 1000;
    let (days, rest) = (seconds / 86_400, seconds % 86_400);
    let (year, month, day) = civil(days);
    format!("{year:04}-{month:02}-{day:02} {:02}:{:02}", rest / 3600, rest % 3600 / 60)
}

/// The date of a day since 1970, by Howard Hinnant's `civil_from_days`.
#[allow(clippy::arithmetic_side_effects)] // days of a u64 of milliseconds are far from overflow
fn civil(days: u64) -> (u64, u64, u64) {
    let shifted = days + 719_468;
    let (era, day_of_era) = (shifted / 146_097, shifted % 146_097);
    let year_of_era =
        (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted_month = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * shifted_month + 2) / 5 + 1;
    let month = if shifted_month < 10 { shifted_month + 3 } else { shifted_month - 9 };
    let year = year_of_era + era * 400 + u64::from(month <= 2);
    (year, month, day)
}

/// Whether a person reads standard output.
pub(super) fn to_terminal() -> bool {
    io::stdout().is_terminal()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_utc_to_the_minute() {
        assert_eq!(time(0), "1970-01-01 00:00");
        assert_eq!(time(1_709_208_000_000), "2024-02-29 12:00");
        assert_eq!(time(1_798_761_599_000), "2026-12-31 23:59");
    }

    #[test]
    fn others_cannot_move_the_cursor() {
        assert_eq!(safe("a\u{1b}[2Jb\nc"), "a\u{fffd}[2Jb\nc");
        assert_eq!(one_line("a\nb"), "a ⏎ b");
    }
}
