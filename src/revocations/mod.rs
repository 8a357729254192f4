//! Revoked means refused, and stays so. Whatever ends sessions before their time is written here: this node then refuses their
//! tokens at once, every other node within a second, and none has to ask the database each time it is shown a token. How
//! much was acknowledged is also kept outside the database, so that one that comes back older than it was is found out.

mod feed;
mod mark;
mod recovery;
pub mod store;

use std::path::Path;
use std::time::Duration;

use db::{Db, Unit, Written};
use tokio::time::Instant;

use crate::clock::Timestamp;
use crate::error::Error;
use crate::ids::{SessionId, UserId};
use feed::Feed;
use mark::HighWater;

pub use feed::Verdict;
pub use mark::MarkError;
pub use recovery::{CannotTell, Forgotten, Recovered, Standing, recover, standing};

/// How often a node looks for what others revoked: several times within the second after which it must know.
pub const REFRESH_EVERY: Duration = Duration::from_millis(400);

/// What a node knows of revocations.
pub struct Revocations {
    feed: Feed,
    mark: HighWater,
}

impl Revocations {
    /// Those of `db`, whose mark is in `folder`: made there when the database is new to it. Nothing is known at first, so
    /// the database is asked until [`Revocations::refresh`] was called.
    ///
    /// # Errors
    /// [`CannotTell::Forgotten`] when the database has to be recovered first.
    pub async fn open(db: &Db, folder: &Path) -> Result<Self, CannotTell> {
        match standing(db, folder).await? {
            Standing::Forgotten(found) => return Err(CannotTell::Forgotten(found)),
            Standing::Another => tracing::info!(
                "revocations.mark was of another database; from now on it is of this one"
            ),
            Standing::Unmarked | Standing::Whole { .. } => {}
        }
        let (file, mark) = recovery::mark_as_counted(db, folder).await?;
        Ok(Self {
            feed: Feed::default(),
            mark: HighWater::new(file, mark.store, mark.writes),
        })
    }

    /// Writes a unit that ends sessions, as [`store::end`] does. When it is `Ok`, this node refuses them, other nodes do
    /// within a second, and the mark is on the disk. What its statements did is told by their positions in `unit`.
    ///
    /// # Errors
    /// Those of [`Db::write`]; [`db::Error::OutcomeUnknown`] also when the mark could not be raised, without which what was
    /// written may be forgotten.
    pub async fn write(&self, db: &Db, unit: Unit) -> Result<Written, db::Error> {
        let acknowledged = self.mark.raised();
        let counted = unit.next_position();
        let unit = unit
            .expect(1, store::count(acknowledged))
            .returning(store::number());
        let written = match db.write(unit).await {
            // Nothing is written to what has become older than it was, lest the numbers meet again.
            Err(db::Error::Touched { statement, .. }) if statement == counted => {
                let words = "the database has forgotten revocations that were acknowledged";
                return Err(db::Error::Unavailable(words.to_owned()));
            }
            // It may be refused for what was written before and not acknowledged; it is, by this.
            Err(refused) if refused.is_touched() => {
                self.raise(store::counted(db).await?.writes).await?;
                return Err(refused);
            }
            other => other?,
        };
        let revoked = written.rows(counted + 1).iter().map(store::revoked);
        self.feed.take(revoked.collect::<Result<Vec<_>, _>>()?);
        let row = written.row(counted);
        self.raise(row.map_or(Ok(0), |row| row.int("writes"))?)
            .await?;
        Ok(written)
    }

    async fn raise(&self, writes: i64) -> Result<(), db::Error> {
        let raised = self.mark.raise(writes).await;
        raised.map_err(|error| db::Error::OutcomeUnknown(error.to_string()))
    }

    /// What this node knows of a session by itself.
    pub fn verdict(&self, session: &SessionId, now: Timestamp) -> Verdict {
        self.feed.verdict(session, now)
    }

    /// Whether `session`, which a verified token names as one of `user`, has not been ended before its time: from memory, or
    /// from the database where memory cannot tell.
    pub async fn is_live(
        &self,
        db: &Db,
        session: &SessionId,
        user: &UserId,
        now: Timestamp,
    ) -> Result<bool, Error> {
        match self.verdict(session, now) {
            Verdict::Revoked => Ok(false),
            Verdict::Live => Ok(true),
            Verdict::Ask => store::is_live(db, session, user, now).await,
        }
    }

    /// Takes in what other nodes revoked, and raises the mark to it.
    ///
    /// # Errors
    /// [`CannotTell::Forgotten`] when the database has become older than it was. Whoever serves has to stop then.
    pub async fn refresh(&self, db: &Db, now: Timestamp) -> Result<(), CannotTell> {
        let (began, acknowledged) = (Instant::now(), self.mark.raised());
        let count = store::counted(db).await?;
        let writes = count.writes;
        if writes < acknowledged {
            return Err(CannotTell::Forgotten(Forgotten::Behind {
                writes,
                acknowledged,
            }));
        }
        self.feed.catch_up(began, count, db, now).await?;
        Ok(self.mark.raise(writes).await?)
    }
}
