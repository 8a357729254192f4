//! What a node knows of revocations without asking the database, and how old that knowledge is.

use std::collections::HashMap;
use std::sync::{PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};
use std::time::Duration;

use db::Db;
use tokio::time::Instant;

use super::store::{self, Count};
use crate::clock::Timestamp;
use crate::ids::SessionId;
use crate::tokens::keys::{LONGEST_LIFETIME, SKEW};

/// How old knowledge may be that is gone by: what another node revoked earlier is in it.
const FRESH: Duration = Duration::from_secs(1);
/// How many rows are read at a time.
const PAGE: u32 = 5_000;
/// How often what no token depends on any more is dropped.
const TIDY_EVERY: Duration = Duration::from_mins(1);

/// What is known of a session without asking.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// It was ended before its time.
    Revoked,
    /// Nobody had ended it a second ago, nor this node since.
    Live,
    /// Not known here: the database knows.
    Ask,
}

/// A session that was ended before its time.
#[derive(Debug)]
pub(super) struct Revoked {
    pub(super) session: SessionId,
    /// The number of the write that ended it.
    pub(super) number: i64,
    /// When the last token that tells of it has expired.
    pub(super) until: Timestamp,
}

/// The sessions that were revoked, as far as tokens of theirs may still be good. Numbers of writes are in the order of their
/// commits, so what comes behind the last number seen is all that is new, whoever wrote it and whatever the clocks say.
#[derive(Default)]
pub(super) struct Feed(RwLock<Known>);

#[derive(Default)]
struct Known {
    revoked: HashMap<SessionId, Timestamp>,
    /// Every revocation up to the write of this number is known.
    seen: i64,
    /// When the last look at the database began, of those that came to an end.
    looked: Option<Instant>,
    /// When the store was last found to have forgotten revocations.
    restored_at: Option<Timestamp>,
    /// Up to when they were dropped for their age, here or in the database. A clock that was ahead may have been set back.
    dropped_until: Option<Timestamp>,
    tidy_at: Option<Timestamp>,
}

impl Feed {
    pub(super) fn verdict(&self, session: &SessionId, now: Timestamp) -> Verdict {
        let known = self.known();
        if known.revoked.contains_key(session) {
            return Verdict::Revoked;
        }
        let is_fresh = known.looked.is_some_and(|at| at.elapsed() < FRESH);
        // The sessions that went then are in no feed, and tokens of theirs may be good for as long as any.
        let is_whole = known
            .restored_at
            .is_none_or(|at| now >= at.plus(LONGEST_LIFETIME).plus(SKEW))
            && known.dropped_until.is_none_or(|until| now >= until);
        if is_fresh && is_whole {
            Verdict::Live
        } else {
            Verdict::Ask
        }
    }

    /// Takes in what is new in the database, of which `count` was read since `began`.
    pub(super) async fn catch_up(
        &self,
        began: Instant,
        count: Count,
        db: &Db,
        now: Timestamp,
    ) -> Result<(), db::Error> {
        let mut seen = self.known().seen;
        if seen != count.writes {
            seen = self.take_newer_than(seen, db, now).await?.max(count.writes);
        }
        self.note(began, seen, &count, now);
        Ok(())
    }

    /// Takes in revocations of writes behind `seen`, and answers the number of the last one.
    async fn take_newer_than(
        &self,
        mut seen: i64,
        db: &Db,
        now: Timestamp,
    ) -> Result<i64, db::Error> {
        let mut after = String::new();
        loop {
            let page = store::newer(db, seen, &after, now, PAGE).await?;
            let is_last = page.len() < PAGE as usize;
            if let Some(last) = page.last() {
                last.session.as_str().clone_into(&mut after);
                seen = last.number;
            }
            self.take(page);
            if is_last {
                return Ok(seen);
            }
        }
    }

    /// Takes in revocations, wherever they were heard of.
    pub(super) fn take(&self, revoked: impl IntoIterator<Item = Revoked>) {
        let revoked = revoked.into_iter().map(|one| (one.session, one.until));
        self.known_mut().revoked.extend(revoked);
    }

    fn note(&self, began: Instant, seen: i64, count: &Count, now: Timestamp) {
        let mut known = self.known_mut();
        known.seen = known.seen.max(seen);
        known.looked = known.looked.max(Some(began));
        known.restored_at = known.restored_at.max(count.restored_at);
        known.dropped_until = known.dropped_until.max(Some(count.purged_until));
        if known.tidy_at.is_none_or(|at| at <= now) {
            let before = known.revoked.len();
            known.revoked.retain(|_, until| *until > now);
            if known.revoked.len() < before {
                known.dropped_until = known.dropped_until.max(Some(now));
            }
            if known.revoked.len() < known.revoked.capacity() / 4 {
                known.revoked.shrink_to_fit();
            }
            known.tidy_at = Some(now.plus(TIDY_EVERY));
        }
    }

    fn known(&self) -> RwLockReadGuard<'_, Known> {
        self.0.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn known_mut(&self) -> RwLockWriteGuard<'_, Known> {
        self.0.write().unwrap_or_else(PoisonError::into_inner)
    }
}
