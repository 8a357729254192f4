//! Revoked means refused. Whatever ends sessions before their time is written here, so that this node refuses their tokens
//! at once, and every other node within a second; and no node has to ask the database each time it is shown a token.

mod feed;
pub mod store;

use std::time::Duration;

use db::{Db, Unit, Written};

use crate::clock::Timestamp;
use crate::error::Error;
use crate::ids::{SessionId, UserId};
use feed::{Feed, Revoked};

pub use feed::Verdict;

/// How often a node looks for what others revoked: several times within the second after which it must know.
pub const REFRESH_EVERY: Duration = Duration::from_millis(400);

/// What a node knows of revocations.
#[derive(Default)]
pub struct Revocations {
    feed: Feed,
}

impl Revocations {
    /// Writes a unit that ends sessions, as [`store::end`] does. When it is `Ok`, this node refuses them; other nodes do within
    /// a second. What its statements did is told by their positions in `unit`.
    ///
    /// # Errors
    /// Those of [`Db::write`].
    pub async fn write(&self, db: &Db, unit: Unit) -> Result<Written, db::Error> {
        let numbered = unit.next_position() + 1;
        let unit = unit.expect(1, store::count()).returning(store::number());
        let written = db.write(unit).await?;
        let revoked = written.rows(numbered).iter().map(store::revoked);
        self.feed.take(revoked.collect::<Result<Vec<_>, _>>()?);
        Ok(written)
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

    /// Takes in what other nodes revoked.
    pub async fn refresh(&self, db: &Db, now: Timestamp) -> Result<(), Error> {
        self.feed.refresh(db, now).await?;
        Ok(())
    }
}
