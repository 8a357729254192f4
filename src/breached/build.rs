//! How a file is made of a list: in one pass, and in the place of another only when it is whole and on the disk.

use std::ffi::OsString;
use std::fs::{self, File};
use std::io::{self, BufWriter, ErrorKind, Write as _};
use std::os::unix::fs::FileExt as _;
use std::path::{Path, PathBuf};

use super::block::{BLOCK, Draft};
use super::list::{Listed, Unusable};
use super::{Hash, KEPT_BITS, MOST, header, index, value};

/// The bits of the first block's remainders, which suit a list of a billion. What does not suit costs room and nothing else.
const FIRST_REST: u32 = 21;
/// How many times as wide as the mean a gap may be. SHA-1 spreads passwords by chance: of a billion gaps not one in 10^18
/// lists has so wide a one, and a missing range of the thousand passwords or so that share five digits is far wider.
const WIDEST: u64 = 64;

/// What was made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Built {
    /// How many passwords are in it.
    pub count: u64,
    /// Its size in bytes.
    pub bytes: u64,
}

/// Why no file was made. Each says what to do.
#[derive(Debug, thiserror::Error)]
pub enum CannotBuild {
    /// The list is none.
    #[error(transparent)]
    List(#[from] Unusable),
    /// The list has nothing, or nothing that was seen often enough.
    #[error("there is no password in the list that was seen as often as is asked for")]
    Empty,
    /// A part of the list is not there.
    #[error(
        "the list has no hash from {0} to {1}, where some {2} should be: it was not downloaded whole. Download what is missing"
    )]
    Hole(String, String, u64),
    /// More than the form of the file bears.
    #[error(
        "there are more than {MOST} passwords in the list. Leave out the rarest (--at-least 2)"
    )]
    TooMany,
    /// The file is there.
    #[error("{0} is there already: --force replaces it")]
    Exists(PathBuf),
    /// Another one is being made, or was given up.
    #[error(
        "{0} is there, which another build is writing, or one that was stopped has left: remove it if none is running"
    )]
    Begun(PathBuf),
    /// The operating system's word.
    #[error("{0} cannot be written: {1}")]
    Io(PathBuf, io::Error),
}

/// Makes the file `out` of those in `list` that were seen `at_least` so often; `replace` says whether one that is there may
/// go. `progress` is told how many per cent are done. Until all is done and on the disk, what is written is in a file beside
/// it that is named `.new` after it, and is removed when something fails.
///
/// # Errors
/// When the list cannot be used, is not whole, or the file cannot be written.
pub fn build(
    list: impl Iterator<Item = Result<Listed, Unusable>>,
    at_least: u64,
    out: &Path,
    replace: bool,
    mut progress: impl FnMut(u64),
) -> Result<Built, CannotBuild> {
    if !replace && out.symlink_metadata().is_ok() {
        return Err(CannotBuild::Exists(out.to_owned()));
    }
    let mut made = InProgress::create(out)?;
    let mut gaps = Gaps::default();
    let mut told = 0;
    for listed in list {
        let Listed { hash, seen } = listed?;
        gaps.note(value(&hash));
        if seen >= at_least.max(1) {
            made.push(&hash)?;
        }
        let done = value(&hash) / ((1 << KEPT_BITS) / 100);
        if done > told {
            told = done;
            progress(done);
        }
    }
    gaps.judge()?;
    made.finish(out, replace)
}

/// How far apart the hashes of a list are.
#[derive(Default)]
struct Gaps {
    count: u64,
    last: u64,
    /// The widest gap and where it begins.
    widest: (u64, u64),
}

impl Gaps {
    fn note(&mut self, value: u64) {
        self.widest = self.widest.max((value - self.last, self.last));
        self.last = value;
        self.count += 1;
    }

    /// Whether what a list should have is missing: its beginning, its end or a part between.
    fn judge(mut self) -> Result<(), CannotBuild> {
        let end = 1 << KEPT_BITS;
        let mean = end / self.count.max(1);
        self.note(end);
        let (width, begin) = self.widest;
        if width / WIDEST < mean {
            return Ok(());
        }
        let shown = |value: u64| format!("{:05X}", value >> (KEPT_BITS - 20));
        Err(CannotBuild::Hole(
            shown(begin),
            shown(begin + width - 1),
            width / mean,
        ))
    }
}

/// A file that is not whole yet.
pub(super) struct InProgress {
    file: BufWriter<File>,
    path: PathBuf,
    block: Option<Draft>,
    firsts: Vec<u64>,
    count: u64,
    is_finished: bool,
}

impl InProgress {
    pub(super) fn create(out: &Path) -> Result<Self, CannotBuild> {
        let mut path = OsString::from(out);
        path.push(".new");
        let path = PathBuf::from(path);
        let file = match File::create_new(&path) {
            Ok(file) => file,
            Err(error) if error.kind() == ErrorKind::AlreadyExists => {
                return Err(CannotBuild::Begun(path));
            }
            Err(error) => return Err(CannotBuild::Io(path, error)),
        };
        let mut made = Self {
            file: BufWriter::with_capacity(1 << 20, file),
            path,
            block: None,
            firsts: Vec::new(),
            count: 0,
            is_finished: false,
        };
        // Room for the head, of which the end is known last.
        made.write(&[0; BLOCK])?;
        Ok(made)
    }

    fn failed(&self, error: io::Error) -> CannotBuild {
        CannotBuild::Io(self.path.clone(), error)
    }

    fn write(&mut self, bytes: &[u8]) -> Result<(), CannotBuild> {
        self.file
            .write_all(bytes)
            .map_err(|error| self.failed(error))
    }

    /// Adds the next hash. Two of which the same is kept are one.
    pub(super) fn push(&mut self, hash: &Hash) -> Result<(), CannotBuild> {
        let value = value(hash);
        if let Some(block) = &mut self.block {
            if block.last() == value {
                return Ok(());
            }
            if block.push(value) {
                return self.counted();
            }
        }
        let rest = self.block.as_ref().map_or(FIRST_REST, Draft::rest_for_next);
        self.close_block()?;
        self.block = Some(Draft::new(value, rest));
        self.counted()
    }

    fn counted(&mut self) -> Result<(), CannotBuild> {
        self.count += 1;
        if self.count > MOST {
            return Err(CannotBuild::TooMany);
        }
        Ok(())
    }

    fn close_block(&mut self) -> Result<(), CannotBuild> {
        let Some(block) = self.block.take() else {
            return Ok(());
        };
        let number = self.firsts.len() as u64;
        self.firsts.push(block.first());
        self.write(&block.seal(number)[..])
    }

    /// Writes what is left, waits until it is on the disk, and puts it in its place.
    pub(super) fn finish(mut self, out: &Path, replace: bool) -> Result<Built, CannotBuild> {
        self.close_block()?;
        if self.count == 0 {
            return Err(CannotBuild::Empty);
        }
        let index = index(&self.firsts);
        self.write(&index)?;
        self.settle(out, replace)
            .map_err(|error| match error.kind() {
                ErrorKind::AlreadyExists => CannotBuild::Exists(out.to_owned()),
                _ => self.failed(error),
            })?;
        self.is_finished = true;
        Ok(Built {
            count: self.count,
            bytes: (BLOCK * (1 + self.firsts.len()) + index.len()) as u64,
        })
    }

    fn settle(&mut self, out: &Path, replace: bool) -> io::Result<()> {
        self.file.flush()?;
        let file = self.file.get_ref();
        file.write_all_at(&header(self.count, &self.firsts), 0)?;
        file.sync_all()?;
        if replace {
            fs::rename(&self.path, out)?;
        } else {
            // Unlike a name that is given by renaming, a second one is given only where there is none.
            fs::hard_link(&self.path, out)?;
            fs::remove_file(&self.path)?;
        }
        let folder = out.parent().filter(|folder| !folder.as_os_str().is_empty());
        File::open(folder.unwrap_or(Path::new(".")))?.sync_all()
    }
}

impl Drop for InProgress {
    fn drop(&mut self) {
        if !self.is_finished {
            // What stays is said to be there by the next build.
            let _ = fs::remove_file(&self.path);
        }
    }
}
