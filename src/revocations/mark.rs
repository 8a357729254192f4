//! The mark: a file beside the database, and not in it, that holds how many writes which ended sessions were acknowledged. A
//! database that has counted fewer has forgotten some: its journal was torn, or an older copy was put in its place.

use std::fmt;
use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, ErrorKind, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicI64, Ordering};
use std::thread;
use std::time::Duration;

use aws_lc_rs::digest::{SHA256, digest};
use tokio::sync::Mutex;

use crate::secret;

const HEAD: &str = "doorward revocations 1";
/// How long another process may hold the lock. It does so for two flushes to the disk.
const PATIENCE: Duration = Duration::from_secs(5);
const PAUSE: Duration = Duration::from_millis(2);

/// Which database this is, wherever its rows are copied to: made once, by chance.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct StoreId([u8; 16]);

impl StoreId {
    pub(super) fn new() -> Self {
        Self(secret::bytes())
    }

    pub(super) fn from_stored(bytes: &[u8]) -> Option<Self> {
        bytes.try_into().ok().map(Self)
    }

    pub(super) fn bytes(&self) -> &[u8] {
        &self.0
    }
}

impl fmt::Display for StoreId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:032x}", u128::from_be_bytes(self.0))
    }
}

/// What a mark says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Mark {
    /// Of which database.
    pub(super) store: StoreId,
    /// How many writes of it were acknowledged, at least.
    pub(super) writes: i64,
}

impl Mark {
    fn text(&self) -> String {
        let said = format!("{HEAD}\nstore {}\nwrites {}\n", self.store, self.writes);
        let check = check(&said);
        format!("{said}check {check}\n")
    }

    /// What `text` says, if it is whole.
    fn parse(text: &str) -> Option<Self> {
        let mut lines = text.lines().skip(1);
        let store = lines.next()?.strip_prefix("store ")?;
        let writes = lines.next()?.strip_prefix("writes ")?;
        let mark = Self {
            store: StoreId(u128::from_str_radix(store, 16).ok()?.to_be_bytes()),
            writes: writes.parse().ok()?,
        };
        (mark.text() == text).then_some(mark)
    }
}

/// SHA-256 in hexadecimal, against what a disk may do to a file; nobody is kept from writing one.
fn check(said: &str) -> String {
    use std::fmt::Write as _;
    let mut hex = String::new();
    for byte in digest(&SHA256, said.as_bytes()).as_ref() {
        // A String takes whatever is written to it.
        let _ = write!(hex, "{byte:02x}");
    }
    hex
}

/// Why a mark cannot be relied on.
#[derive(Debug, thiserror::Error)]
pub enum MarkError {
    /// What is there was not written by this program, or not all of it is.
    #[error(
        "{} is damaged, or of a newer version: it is replaced whole or not at all, so look at the disk. Put back a copy of \
         it; or remove it: with SQLite the next start then ends all sessions, with PostgreSQL this node counts as new",
        .0.display()
    )]
    Damaged(PathBuf),
    /// Two databases, one folder.
    #[error(
        "{} is of another database: give each a data folder (data_dir) of its own", .0.display()
    )]
    OfAnother(PathBuf),
    /// The file system says no.
    #[error("{} cannot be read or written: {why}", .path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// Its words.
        why: io::Error,
    },
}

/// Where the mark is. Its functions block, so they are for [`MarkFile::work`].
#[derive(Debug, Clone)]
pub(super) struct MarkFile {
    folder: PathBuf,
    path: PathBuf,
}

impl MarkFile {
    pub(super) fn within(folder: &Path) -> Self {
        Self {
            // A path that may be empty, which means where the process is, and cannot be opened.
            folder: folder.join("."),
            path: folder.join("revocations.mark"),
        }
    }

    /// Does `work` where it keeps nobody waiting but its caller.
    pub(super) async fn work<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Self) -> Result<T, MarkError> + Send + 'static,
    ) -> Result<T, MarkError> {
        let file = self.clone();
        let done = tokio::task::spawn_blocking(move || work(&file)).await;
        done.unwrap_or_else(|ended| Err(self.io(io::Error::other(ended))))
    }

    /// What is there; `None` when nothing is.
    pub(super) fn read(&self) -> Result<Option<Mark>, MarkError> {
        match fs::read(&self.path) {
            Ok(bytes) => {
                let mark = str::from_utf8(&bytes).ok().and_then(Mark::parse);
                mark.map(Some)
                    .ok_or_else(|| MarkError::Damaged(self.path.clone()))
            }
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
            Err(error) => Err(self.io(error)),
        }
    }

    /// Sees that what is there says `mark`, or more, and is on the disk; answers how much.
    pub(super) fn raise(&self, mark: Mark) -> Result<i64, MarkError> {
        self.replace(mark, |there| {
            if there.store == mark.store {
                Ok(there.writes < mark.writes)
            } else {
                Err(MarkError::OfAnother(self.path.clone()))
            }
        })
    }

    /// The same where a mark of another database may be: it goes.
    pub(super) fn adopt(&self, mark: Mark) -> Result<i64, MarkError> {
        self.replace(mark, |there| {
            Ok(there.store != mark.store || there.writes < mark.writes)
        })
    }

    fn replace(
        &self,
        mark: Mark,
        is_wanted: impl FnOnce(Mark) -> Result<bool, MarkError>,
    ) -> Result<i64, MarkError> {
        let lock = self.lock().map_err(|error| self.io(error))?;
        let writes = match self.read()? {
            Some(there) if !is_wanted(there)? => {
                // Whoever put it there may have died before it was sure to stay.
                self.flush().map_err(|error| self.io(error))?;
                there.writes
            }
            _ => {
                self.put(&mark.text()).map_err(|error| self.io(error))?;
                mark.writes
            }
        };
        drop(lock);
        Ok(writes)
    }

    /// The lock, which ends with the process that holds it. The draft is its holder's.
    fn lock(&self) -> io::Result<File> {
        let file = writable(&self.path.with_extension("mark.lock"))?;
        let mut waited = Duration::ZERO;
        loop {
            match file.try_lock() {
                Ok(()) => return Ok(file),
                Err(TryLockError::WouldBlock) if waited < PATIENCE => {
                    thread::sleep(PAUSE);
                    waited += PAUSE;
                }
                Err(TryLockError::WouldBlock) => return Err(ErrorKind::TimedOut.into()),
                Err(TryLockError::Error(error)) => return Err(error),
            }
        }
    }

    /// Puts `text` there, whole or not at all, and on the disk.
    fn put(&self, text: &str) -> io::Result<()> {
        let draft = self.path.with_extension("mark.new");
        let mut file = writable(&draft)?;
        file.set_len(0)?;
        file.write_all(text.as_bytes())?;
        file.sync_all()?;
        fs::rename(draft, &self.path)?;
        self.flush()
    }

    fn flush(&self) -> io::Result<()> {
        File::open(&self.folder)?.sync_all()
    }

    fn io(&self, why: io::Error) -> MarkError {
        MarkError::Io {
            path: self.path.clone(),
            why,
        }
    }
}

/// A file to be written, for its owner alone; made when it is not there.
fn writable(path: &Path) -> io::Result<File> {
    OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(false)
        .mode(0o600)
        .open(path)
}

/// The mark of this node's database, raised by many tasks at once.
pub(super) struct HighWater {
    file: MarkFile,
    store: StoreId,
    /// What is on the disk, at least.
    raised: AtomicI64,
    /// The most that anybody wants there.
    wanted: AtomicI64,
    turn: Mutex<()>,
}

impl HighWater {
    /// The mark at `file`, which says `raised` of `store`.
    pub(super) fn new(file: MarkFile, store: StoreId, raised: i64) -> Self {
        Self {
            file,
            store,
            raised: AtomicI64::new(raised),
            wanted: AtomicI64::new(raised),
            turn: Mutex::default(),
        }
    }

    /// How many writes were acknowledged, as far as this process knows.
    pub(super) fn raised(&self) -> i64 {
        self.raised.load(Ordering::Acquire)
    }

    /// Sees that the mark says `writes`, or more. Those who come together share a flush: whoever's turn it is raises it to
    /// what the highest of them wants.
    pub(super) async fn raise(&self, writes: i64) -> Result<(), MarkError> {
        self.wanted.fetch_max(writes, Ordering::AcqRel);
        if self.raised() >= writes {
            return Ok(());
        }
        let _turn = self.turn.lock().await;
        if self.raised() >= writes {
            return Ok(());
        }
        let mark = Mark {
            store: self.store,
            writes: self.wanted.load(Ordering::Acquire).max(self.raised()),
        };
        let raised = self.file.work(move |file| file.raise(mark)).await?;
        self.raised.fetch_max(raised, Ordering::AcqRel);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Barrier;

    use super::*;

    struct Folder(PathBuf);

    impl Folder {
        fn new() -> Self {
            let name = format!("doorward-mark-{}", StoreId::new());
            let path = std::env::temp_dir().join(name);
            fs::create_dir(&path).expect("a folder");
            Self(path)
        }

        fn mark(&self) -> MarkFile {
            MarkFile::within(&self.0)
        }
    }

    impl Drop for Folder {
        fn drop(&mut self) {
            let _ = fs::remove_dir_all(&self.0);
        }
    }

    fn mark(writes: i64) -> Mark {
        let store = StoreId([7; 16]);
        Mark { store, writes }
    }

    #[test]
    fn a_mark_is_read_as_it_was_written_and_not_with_any_byte_changed_or_missing() {
        for writes in [0, 1, i64::MAX] {
            let text = mark(writes).text();
            assert_eq!(Mark::parse(&text), Some(mark(writes)));
            for at in 0..text.len() {
                assert_eq!(Mark::parse(&text[..at]), None, "cut at {at}");
                for bit in 0..7 {
                    let mut changed = text.clone().into_bytes();
                    changed[at] ^= 1 << bit;
                    let changed = String::from_utf8(changed).expect("ASCII");
                    assert_eq!(Mark::parse(&changed), None, "{changed}");
                }
            }
            assert_eq!(Mark::parse(&(text + "\n")), None);
        }
    }

    #[test]
    fn it_is_raised_and_never_lowered_and_for_its_owner_alone() {
        use std::os::unix::fs::PermissionsExt as _;
        let folder = Folder::new();
        let file = folder.mark();
        assert_eq!(file.read().expect("nothing"), None);
        for (to, there) in [(3, 3), (2, 3), (3, 3), (4, 4)] {
            assert_eq!(file.raise(mark(to)).expect("raised"), there);
            assert_eq!(file.read().expect("read"), Some(mark(there)));
        }
        for entry in fs::read_dir(&folder.0).expect("a folder") {
            let entry = entry.expect("an entry");
            let mode = entry.metadata().expect("known").permissions().mode();
            assert_eq!(mode & 0o777, 0o600, "{entry:?}");
        }
    }

    #[test]
    fn the_mark_of_another_database_is_replaced_only_by_whoever_says_so() {
        let (folder, other) = (
            Folder::new(),
            Mark {
                store: StoreId([8; 16]),
                writes: 1,
            },
        );
        let file = folder.mark();
        file.raise(mark(5)).expect("raised");
        assert!(matches!(file.raise(other), Err(MarkError::OfAnother(_))));
        assert_eq!(file.adopt(other).expect("replaced"), 1);
        assert_eq!(file.read().expect("read"), Some(other));
    }

    #[test]
    fn a_damaged_one_is_neither_believed_nor_replaced() {
        let folder = Folder::new();
        let file = folder.mark();
        for damaged in [&b""[..], b"\xff\xfe", &mark(5).text().as_bytes()[1..]] {
            fs::write(&file.path, damaged).expect("written");
            for refused in [
                file.read().map(|_| 0),
                file.raise(mark(6)),
                file.adopt(mark(6)),
            ] {
                assert!(matches!(refused, Err(MarkError::Damaged(_))));
            }
        }
    }

    #[test]
    fn what_a_crash_left_behind_is_in_nobodys_way() {
        let folder = Folder::new();
        let file = folder.mark();
        let draft = file.path.with_extension("mark.new");
        fs::write(
            &draft,
            "a draft that was never finished, and is longer than a mark ".repeat(9),
        )
        .expect("written");
        assert_eq!(file.raise(mark(1)).expect("raised"), 1);
        assert_eq!(file.read().expect("read"), Some(mark(1)));
        assert!(!draft.exists());
    }

    #[tokio::test]
    async fn what_cannot_be_written_is_an_error_until_it_can_be() {
        let folder = Folder::new();
        let water = HighWater::new(folder.mark(), mark(0).store, 0);
        water.raise(1).await.expect("raised");
        fs::remove_dir_all(&folder.0).expect("removed");
        for _ in 0..2 {
            let refused = water.raise(2).await;
            assert!(matches!(refused, Err(MarkError::Io { .. })), "{refused:?}");
            assert_eq!(water.raised(), 1);
        }
        water.raise(1).await.expect("it was there before");
        fs::create_dir(&folder.0).expect("made");
        water.raise(2).await.expect("raised");
        assert_eq!(folder.mark().read().expect("read"), Some(mark(2)));
    }

    /// Threads with a mark of their own stand for processes: they share nothing but the folder. One looks on.
    #[test]
    fn many_who_raise_it_at_once_never_lower_it_and_none_is_told_too_early() {
        const WHO: i64 = 8;
        const EACH: i64 = 64;
        let folder = Folder::new();
        folder.mark().raise(mark(0)).expect("made");
        let (start, left) = (Barrier::new(9), AtomicI64::new(WHO));
        let raise_all = |who: i64| {
            let runtime = tokio::runtime::Builder::new_current_thread().build();
            let water = HighWater::new(folder.mark(), mark(0).store, 0);
            start.wait();
            let raising = async {
                // Two at a time of this process, and every eighth number is its own.
                for step in (0..EACH).step_by(2) {
                    let [low, high] = [step, step + 1].map(|step| 1 + step * WHO + who);
                    let (first, second) = tokio::join!(water.raise(high), water.raise(low));
                    first.and(second).expect("raised");
                    let there = folder.mark().read().expect("whole").expect("there");
                    assert!(there.writes >= high);
                }
            };
            runtime.expect("a runtime").block_on(raising);
            left.fetch_sub(1, Ordering::AcqRel);
        };
        thread::scope(|threads| {
            for who in 0..WHO {
                let raise_all = &raise_all;
                threads.spawn(move || raise_all(who));
            }
            start.wait();
            let mut highest = 0;
            while left.load(Ordering::Acquire) > 0 {
                let there = folder.mark().read().expect("whole").expect("there");
                assert!(there.writes >= highest, "{} < {highest}", there.writes);
                highest = there.writes;
            }
        });
        let last = folder.mark().read().expect("whole");
        assert_eq!(last, Some(mark(WHO * EACH)));
    }
}
