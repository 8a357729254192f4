//! What commands print: data on standard output, for programs and pipes; talk on standard error, for people.

use std::fmt::Write as _;
use std::io::{self, ErrorKind, Write as _};

use serde::Serialize;

use super::Failure;

/// Prints data as it is. A reader that has seen enough (`| head`) is no failure.
pub(super) fn data(text: &str) -> Result<(), Failure> {
    let mut stdout = io::stdout().lock();
    match stdout
        .write_all(text.as_bytes())
        .and_then(|()| stdout.flush())
    {
        Err(error) if error.kind() != ErrorKind::BrokenPipe => Err(Failure::failed(format_args!(
            "cannot write the answer: {error}"
        ))),
        _ => Ok(()),
    }
}

/// Prints data as JSON on one line.
pub(super) fn json(value: &impl Serialize) -> Result<(), Failure> {
    let text = serde_json::to_string(value).map_err(Failure::failed)?;
    data(&format!("{text}\n"))
}

/// Prints data as JSON for people to read.
pub(super) fn pretty_json(value: &impl Serialize) -> Result<(), Failure> {
    let text = serde_json::to_string_pretty(value).map_err(Failure::failed)?;
    data(&format!("{text}\n"))
}

/// Prints rows under a heading, each column as wide as its widest cell.
pub(super) fn table<const N: usize>(
    heading: [&str; N],
    rows: Vec<[String; N]>,
) -> Result<(), Failure> {
    let mut lines = vec![heading.map(str::to_owned)];
    lines.extend(rows);
    self::lines(lines)
}

/// Prints rows, each column as wide as its widest cell and the last as wide as it is.
pub(super) fn lines<const N: usize>(rows: Vec<[String; N]>) -> Result<(), Failure> {
    let rows: Vec<_> = rows
        .into_iter()
        .map(|row| row.map(|cell| plain(&cell)))
        .collect();
    let widths: [usize; N] = std::array::from_fn(|column| {
        let widths = rows.iter().map(|row| row[column].chars().count());
        widths.max().unwrap_or(0)
    });
    let mut text = String::new();
    for row in rows {
        for (cell, width) in row.iter().zip(widths) {
            // A String takes whatever is written to it.
            let _ = write!(text, "{cell:width$}  ");
        }
        text.truncate(text.trim_end_matches(' ').len());
        text.push('\n');
    }
    data(&text)
}

/// Says something to whoever sits in front. There is nobody to tell when even that fails.
pub(super) fn talk(words: impl std::fmt::Display) {
    let _ = writeln!(io::stderr().lock(), "{words}");
}

/// Text that somebody else chose, without what would move a terminal's cursor or turn its reading direction.
pub(super) fn plain(text: &str) -> String {
    text.chars()
        .map(|character| match character {
            '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' => {
                character.escape_unicode().to_string()
            }
            character if character.is_control() => character.escape_unicode().to_string(),
            character => character.to_string(),
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_others_wrote_cannot_drive_the_terminal() {
        assert_eq!(
            plain("Ada\u{1b}[2J\u{9b}31m\u{202e}"),
            "Ada\\u{1b}[2J\\u{9b}31m\\u{202e}"
        );
        assert_eq!(plain("Ångström 日本"), "Ångström 日本");
    }
}
