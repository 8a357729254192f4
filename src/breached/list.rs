//! The public list of hashes, as it can be downloaded (Have I Been Pwned's passwords, "ordered by hash"): a line each of 40
//! hexadecimal digits of SHA-1, a colon and how often it was seen; or a folder of such lists, one for each first five
//! digits, which its lines leave out. Read line by line, whatever its size.

use std::fs::{self, File};
use std::io::{self, BufRead, BufReader, Read as _};
use std::path::{Path, PathBuf};

use super::Hash;

/// How many digits name a range, and how many ranges there are.
const RANGE_DIGITS: usize = 5;
const RANGES: u32 = 1 << (4 * RANGE_DIGITS);
/// No line comes near this, in bytes.
const LONGEST: u64 = 128;
/// How much of a file is read at once, in bytes.
const PIECE: usize = 1 << 20;

/// A password of the list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Listed {
    /// What it is known by.
    pub hash: Hash,
    /// How often it was seen. Lines that are there to hide how long an answer is have none.
    pub seen: u64,
}

/// Why a list cannot be used. Each says what to do.
#[derive(Debug, thiserror::Error)]
pub enum Unusable {
    /// The operating system's word.
    #[error("{0} cannot be read: {1}")]
    Io(PathBuf, io::Error),
    /// A folder without lists.
    #[error(
        "{0} has no file that is named as a range is, from 00000.txt to FFFFF.txt: name the folder that the downloader wrote them to"
    )]
    NoRanges(PathBuf),
    /// A line that is none of a list.
    #[error("{name}, line {line}: {what}")]
    Line {
        /// The file.
        name: PathBuf,
        /// Counted from 1.
        line: u64,
        /// What is wrong, and what to do.
        what: &'static str,
    },
}

const NO_LINE: &str = "this is not a hash of 40 hexadecimal digits, a colon and a count. Take the list of SHA-1 hashes, \
     and look whether it was downloaded whole";
const NO_SUFFIX: &str =
    "this is not the last 35 digits of a hash, a colon and a count. Download this range again";
const NTLM: &str = "these are NTLM hashes. Take the list of SHA-1 hashes";
const NOT_SORTED: &str = "this hash is not above the one before it. Take the list that is ordered by hash, or sort it \
     (LC_ALL=C sort)";

/// A list, to be read once.
pub struct List {
    parts: Box<dyn Iterator<Item = io::Result<Part>>>,
    /// What the parts are of.
    name: PathBuf,
    current: Option<Part>,
    last: Option<Hash>,
    text: Vec<u8>,
}

/// A file of a list, whose lines leave out their first digits.
struct Part {
    name: PathBuf,
    left_out: String,
    lines: Box<dyn BufRead>,
    line: u64,
}

impl List {
    /// The list at `path`: a file, a folder of ranges, or `-` for standard input.
    ///
    /// # Errors
    /// When there is none.
    pub fn open(path: &Path) -> Result<Self, Unusable> {
        let failed = |error| Unusable::Io(path.to_owned(), error);
        if path == Path::new("-") {
            let lines = Box::new(BufReader::with_capacity(PIECE, io::stdin()));
            return Ok(Self::of("standard input".into(), lines));
        }
        if fs::metadata(path).map_err(failed)?.is_dir() {
            return Self::of_ranges(path);
        }
        let file = File::open(path).map_err(failed)?;
        Ok(Self::of(
            path.to_owned(),
            Box::new(BufReader::with_capacity(PIECE, file)),
        ))
    }

    /// A list in one piece.
    pub fn of(name: PathBuf, lines: Box<dyn BufRead>) -> Self {
        let part = Part {
            name: name.clone(),
            left_out: String::new(),
            lines,
            line: 0,
        };
        Self::of_parts(name, std::iter::once(Ok(part)))
    }

    fn of_ranges(folder: &Path) -> Result<Self, Unusable> {
        let failed = |error| Unusable::Io(folder.to_owned(), error);
        // Which there are, in order, at a byte each: the folder lists a million names in any order.
        let mut endings: Vec<Option<&str>> = vec![None; RANGES as usize];
        for entry in fs::read_dir(folder).map_err(failed)? {
            let name = entry.map_err(failed)?.file_name();
            if let Some((range, ending)) = name.to_str().and_then(range) {
                endings[range as usize] = Some(ending);
            }
        }
        if endings.iter().all(Option::is_none) {
            return Err(Unusable::NoRanges(folder.to_owned()));
        }
        let base = folder.to_owned();
        let parts = (0..RANGES).zip(endings).filter_map(move |(range, ending)| {
            let left_out = format!("{range:0RANGE_DIGITS$X}");
            let name = base.join(format!("{left_out}{}", ending?));
            Some(File::open(&name).map(|file| Part {
                name,
                left_out,
                lines: Box::new(BufReader::new(file)),
                line: 0,
            }))
        });
        Ok(Self::of_parts(folder.to_owned(), parts))
    }

    fn of_parts(name: PathBuf, parts: impl Iterator<Item = io::Result<Part>> + 'static) -> Self {
        Self {
            parts: Box::new(parts),
            name,
            current: None,
            last: None,
            text: Vec::new(),
        }
    }

    fn read(&mut self) -> Result<Option<Listed>, Unusable> {
        loop {
            if self.current.is_none() {
                let failed = |error| Unusable::Io(self.name.clone(), error);
                self.current = self.parts.next().transpose().map_err(failed)?;
            }
            let Some(part) = &mut self.current else {
                return Ok(None);
            };
            let Some(listed) = part.read(&mut self.text)? else {
                self.current = None;
                continue;
            };
            if self.last.is_some_and(|last| last >= listed.hash) {
                return Err(part.wrong(NOT_SORTED));
            }
            self.last = Some(listed.hash);
            return Ok(Some(listed));
        }
    }
}

/// Its passwords, in the order of their hashes. After an error comes nothing that could be used.
impl Iterator for List {
    type Item = Result<Listed, Unusable>;

    fn next(&mut self) -> Option<Self::Item> {
        self.read().transpose()
    }
}

/// The range that a file is named for, and how the name ends.
fn range(name: &str) -> Option<(u32, &'static str)> {
    let (digits, ending) = match name.strip_suffix(".txt") {
        Some(digits) => (digits, ".txt"),
        None => (name, ""),
    };
    let is_range = digits.len() == RANGE_DIGITS
        && digits
            .bytes()
            .all(|byte| matches!(byte, b'0'..=b'9' | b'A'..=b'F'));
    let range = u32::from_str_radix(digits, 16).ok()?;
    is_range.then_some((range, ending))
}

impl Part {
    fn wrong(&self, what: &'static str) -> Unusable {
        Unusable::Line {
            name: self.name.clone(),
            line: self.line,
            what,
        }
    }

    /// The next line; `None` at the end. `text` is room for it.
    fn read(&mut self, text: &mut Vec<u8>) -> Result<Option<Listed>, Unusable> {
        text.clear();
        text.extend_from_slice(self.left_out.as_bytes());
        let read = (&mut self.lines).take(LONGEST).read_until(b'\n', text);
        if read.map_err(|error| Unusable::Io(self.name.clone(), error))? == 0 {
            return Ok(None);
        }
        self.line += 1;
        let line = text.strip_suffix(b"\n").unwrap_or(text);
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        listed(line)
            .map(Some)
            .ok_or_else(|| self.wrong(self.what_is_wrong_with(line)))
    }

    fn what_is_wrong_with(&self, line: &[u8]) -> &'static str {
        match line.iter().position(|byte| *byte == b':') {
            _ if !self.left_out.is_empty() => NO_SUFFIX,
            Some(32) => NTLM,
            _ => NO_LINE,
        }
    }
}

/// A line, without its end.
fn listed(line: &[u8]) -> Option<Listed> {
    let (digits, rest) = line.split_at_checked(40)?;
    let mut hash = Hash::default();
    for (byte, pair) in hash.iter_mut().zip(digits.chunks_exact(2)) {
        *byte = digit(pair[0])? << 4 | digit(pair[1])?;
    }
    let seen = rest.strip_prefix(b":")?;
    if seen.is_empty() {
        return None;
    }
    let seen = seen.iter().try_fold(0_u64, |seen, byte| {
        let digit = byte.is_ascii_digit().then(|| u64::from(byte - b'0'))?;
        seen.checked_mul(10)?.checked_add(digit)
    })?;
    Some(Listed { hash, seen })
}

fn digit(byte: u8) -> Option<u8> {
    match byte {
        b'0'..=b'9' => Some(byte - b'0'),
        b'A'..=b'F' => Some(byte - b'A' + 10),
        b'a'..=b'f' => Some(byte - b'a' + 10),
        _ => None,
    }
}
