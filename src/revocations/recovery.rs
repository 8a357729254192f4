//! What is done about a database that has forgotten revocations: since nobody can tell which sessions should be over, all of
//! them are.

use std::fmt;
use std::path::Path;

use db::{Db, Engine, Unit};

use super::mark::{Mark, MarkError, MarkFile, StoreId};
use super::store::{self, Facts};
use crate::audit::{self, About, By, Event};
use crate::clock::Timestamp;
use crate::error::Error;

/// What the database and the mark say of each other.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// Every revocation that was acknowledged is in the database.
    Whole {
        /// How many writes it has counted.
        writes: i64,
    },
    /// The mark was not made yet, and nothing tells of one that was.
    Unmarked,
    /// The mark is of another database, and this one is new in the folder.
    Another,
    /// Revocations that were acknowledged are not in the database, or nobody can know.
    Forgotten(Forgotten),
}

/// How it is known that revocations are gone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Forgotten {
    /// Fewer writes were counted than were acknowledged.
    Behind {
        /// How many the database has counted.
        writes: i64,
        /// How many there were.
        acknowledged: i64,
    },
    /// The mark is gone.
    Unproved {
        /// How many writes the database has counted.
        writes: i64,
    },
    /// There are sessions, and not the name of the database, which is older than the mark.
    Nameless {
        /// How many writes the database has counted.
        writes: i64,
    },
}

impl fmt::Display for Forgotten {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Behind {
                writes,
                acknowledged,
            } => write!(
                f,
                "the database is older than it was: it has counted {writes} writes that ended sessions, and {acknowledged} \
                 were acknowledged"
            ),
            Self::Unproved { .. } => f.write_str(
                "nothing tells whether the database is as old as it was: revocations.mark is gone from the data folder",
            ),
            Self::Nameless { .. } => f.write_str(
                "the database is older than it was: it does not have the name that revocations.mark was made for",
            ),
        }
    }
}

impl Forgotten {
    /// What the count is set to, so that nobody finds it behind again.
    fn floor(self) -> i64 {
        match self {
            Self::Behind { acknowledged, .. } => acknowledged,
            Self::Unproved { writes } | Self::Nameless { writes } => writes.saturating_add(1),
        }
    }
}

/// What a recovery did.
#[derive(Debug)]
pub struct Recovered {
    /// What was found.
    pub found: Forgotten,
    /// How many sessions that ended.
    pub sessions: i64,
}

/// Why it is not known what was revoked.
#[derive(Debug, thiserror::Error)]
pub enum CannotTell {
    /// The database has forgotten some of it; [`recover`] has to be called.
    #[error("{0}")]
    Forgotten(Forgotten),
    /// The mark cannot be relied on.
    #[error(transparent)]
    Mark(#[from] MarkError),
    /// The database does not answer.
    #[error(transparent)]
    Database(#[from] db::Error),
}

impl From<CannotTell> for Error {
    fn from(error: CannotTell) -> Self {
        match error {
            CannotTell::Database(error) => error.into(),
            other => Self::Broken(crate::error::Broken::Unavailable(other.to_string().into())),
        }
    }
}

/// Holds the database against the mark in `folder`, and changes neither.
pub async fn standing(db: &Db, folder: &Path) -> Result<Standing, CannotTell> {
    let mark = MarkFile::within(folder).work(MarkFile::read).await?;
    Ok(judge(db.kind(), mark, &store::facts(db).await?))
}

/// A database is believed that has counted as much as the mark of its name. Without one, PostgreSQL is shared, and this
/// node new to it; a file has no other node, so its mark was lost, unless nothing was ever revoked.
fn judge(engine: Engine, mark: Option<Mark>, facts: &Facts) -> Standing {
    let writes = facts.writes;
    match mark {
        Some(mark) if Some(mark.store) == facts.store => {
            let acknowledged = mark.writes;
            if writes < acknowledged {
                return Standing::Forgotten(Forgotten::Behind {
                    writes,
                    acknowledged,
                });
            }
            Standing::Whole { writes }
        }
        // A name is given before anything can be revoked, so a database that lost its name lost what came after it too.
        Some(_) if facts.store.is_none() && facts.has_sessions => {
            Standing::Forgotten(Forgotten::Nameless { writes })
        }
        _ if engine == Engine::Sqlite && writes > 0 => {
            Standing::Forgotten(Forgotten::Unproved { writes })
        }
        Some(_) => Standing::Another,
        None => Standing::Unmarked,
    }
}

/// Makes sure that nothing which was revoked lives: when the database has forgotten revocations, ends all sessions, in one
/// write that begins a new epoch. To be called before anybody is served. Of nodes that do so at once, one is enough; what
/// begins after it is left alone by the others.
pub async fn recover(
    db: &Db,
    folder: &Path,
    now: Timestamp,
) -> Result<Option<Recovered>, CannotTell> {
    let file = MarkFile::within(folder);
    loop {
        let mark = file.work(MarkFile::read).await?;
        let facts = store::facts(db).await?;
        let Standing::Forgotten(found) = judge(db.kind(), mark, &facts) else {
            return Ok(None);
        };
        let sessions = store::live_sessions(db, now).await?;
        let by = By::Service(now);
        let ended = Unit::new()
            .expect(1, store::begin_epoch(facts.epoch, found.floor(), now))
            .run(store::name(StoreId::new()))
            .run(audit::row(Event::AllSessionsEnded, by, About::default()));
        match db.write(ended).await {
            Ok(_) => {
                mark_as_counted(db, folder).await?;
                return Ok(Some(Recovered { found, sessions }));
            }
            // Somebody else was first, by a mark of their own: perhaps it was not as high as this one.
            Err(db::Error::Touched { .. }) => {}
            Err(error) => return Err(error.into()),
        }
    }
}

/// Names the database if it has no name, and writes down how far it has counted: it has proved to be whole.
pub(super) async fn mark_as_counted(
    db: &Db,
    folder: &Path,
) -> Result<(MarkFile, Mark), CannotTell> {
    db.write(store::name(StoreId::new())).await?;
    let facts = store::facts(db).await?;
    let store = facts.store.ok_or_else(|| {
        db::Error::Broken("settings.store_id was written and is not there".to_owned())
    })?;
    let mark = Mark {
        store,
        writes: facts.writes,
    };
    let file = MarkFile::within(folder);
    let writes = file.work(move |file| file.adopt(mark)).await?;
    Ok((file, Mark { store, writes }))
}
