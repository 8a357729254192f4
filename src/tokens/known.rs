//! Tokens that were found to be good before: one comes with every request for as long as it counts, and what was right once is
//! right each time, until its time or that of a key has passed. A refusal is not remembered: it is judged anew each time.

use std::collections::HashMap;
use std::mem;
use std::sync::{Arc, PoisonError, RwLock, Weak};

use arc_swap::ArcSwapOption;
use aws_lc_rs::digest::{SHA256, SHA256_OUTPUT_LEN, digest};
use db::Edition;

use super::Claims;
use super::keys::Ring;
use crate::clock::Timestamp;
use crate::sessions::store::Owner;

/// Into how many parts they are divided, by chance, so that cores that ask at the same moment seldom ask for the same.
const PARTS: usize = 16;
/// How many of a part's that came last are known for sure; of those before them as many again. With whose they are that is some
/// 8 MiB in all parts, when all are there, and 25 when all accounts are as large as they may be here.
const MOST: usize = 4_096 / PARTS;
/// Of whom there is more to say, in bytes of JSON, is asked for each time: metadata alone could be 8 KiB.
const LARGEST: usize = 1_024;

/// What a token is remembered by: nothing that is compared is a secret, nor could a token be made of what its time tells.
type Print = [u8; SHA256_OUTPUT_LEN];

/// The last tokens that were found to be good.
#[derive(Default)]
pub(super) struct Known([RwLock<Generations>; PARTS]);

#[derive(Default)]
struct Generations {
    recent: HashMap<Print, Arc<Believed>>,
    older: HashMap<Print, Arc<Believed>>,
}

/// A token that was found to be good.
pub struct Believed {
    /// What it says.
    pub claims: Claims,
    /// The keys of that moment.
    ring: Weak<Ring>,
    since: Timestamp,
    until: Timestamp,
    /// Whose it was found to be last, and in which edition of the database.
    owner: ArcSwapOption<(Edition, Arc<Owner>)>,
}

impl Believed {
    /// What a token says that was verified at `since` by the keys of `ring`, and is as good until `until`.
    pub(super) fn new(
        claims: Claims,
        ring: &Arc<Ring>,
        since: Timestamp,
        until: Timestamp,
    ) -> Self {
        Self {
            claims,
            ring: Arc::downgrade(ring),
            since,
            until,
            owner: ArcSwapOption::empty(),
        }
    }

    /// Whether it would be found to be good again.
    fn counts(&self, ring: &Arc<Ring>, now: Timestamp) -> bool {
        // No other ring is in the same place: this one's is not given away while anybody remembers it.
        Weak::as_ptr(&self.ring) == Arc::as_ptr(ring) && self.since <= now && now < self.until
    }

    /// Whose it was found to be last, and in which edition of the database: in that it still is.
    pub fn last_owner(&self) -> Option<Arc<(Edition, Arc<Owner>)>> {
        self.owner.load_full()
    }

    /// Notes whose it is in an edition of the database, which was told before the database was asked; not of an account that is
    /// large.
    pub fn note_owner(&self, edition: Edition, owner: &Arc<Owner>) {
        if owner.user.json().is_ok_and(|json| json.len() > LARGEST) {
            return;
        }
        self.owner
            .store(Some(Arc::new((edition, Arc::clone(owner)))));
    }
}

pub(super) fn print(token: &str) -> Print {
    let mut print = Print::default();
    print.copy_from_slice(digest(&SHA256, token.as_bytes()).as_ref());
    print
}

impl Known {
    /// What is known of a token that would be found to be good again.
    pub(super) fn of(
        &self,
        print: &Print,
        ring: &Arc<Ring>,
        now: Timestamp,
    ) -> Option<Arc<Believed>> {
        let part = self.part(print).read();
        let known = part.unwrap_or_else(PoisonError::into_inner);
        if let Some(believed) = known.recent.get(print) {
            return believed.counts(ring, now).then(|| Arc::clone(believed));
        }
        let believed = known.older.get(print).map(Arc::clone)?;
        drop(known);
        if !believed.counts(ring, now) {
            return None;
        }
        self.note(*print, Arc::clone(&believed));
        Some(believed)
    }

    fn part(&self, print: &Print) -> &RwLock<Generations> {
        &self.0[usize::from(print[0]) % PARTS]
    }

    /// Remembers it for as long as it is asked for, and then until so many others were.
    pub(super) fn note(&self, print: Print, believed: Arc<Believed>) {
        let part = self.part(&print).write();
        let mut known = part.unwrap_or_else(PoisonError::into_inner);
        let forgotten = if known.recent.len() >= MOST {
            let recent = mem::take(&mut known.recent);
            mem::replace(&mut known.older, recent)
        } else {
            HashMap::new()
        };
        known.recent.insert(print, believed);
        drop(known);
        drop(forgotten);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ids::{SessionId, UserId};

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_seconds(seconds)
    }

    /// Found to be good at 10, and as good until 20.
    fn believed(ring: &Arc<Ring>) -> Arc<Believed> {
        let claims = Claims {
            sub: UserId::from_stored("ada".to_owned()),
            sid: SessionId::from_stored("session".to_owned()),
        };
        Arc::new(Believed::new(claims, ring, at(10), at(20)))
    }

    #[test]
    fn it_counts_between_its_times_and_for_the_keys_that_verified_it() {
        let (known, ring) = (Known::default(), Arc::new(Ring::default()));
        known.note(print("token"), believed(&ring));
        let counts =
            |ring: &Arc<Ring>, seconds| known.of(&print("token"), ring, at(seconds)).is_some();
        for (seconds, is_good) in [(9, false), (10, true), (19, true), (20, false)] {
            assert_eq!(counts(&ring, seconds), is_good, "at {seconds}");
        }
        assert!(!counts(&Arc::new(Ring::default()), 15), "other keys");
        assert!(known.of(&print("tokem"), &ring, at(15)).is_none());

        let gone = Arc::downgrade(&ring);
        drop(ring);
        assert!(gone.upgrade().is_none(), "keys are not kept for it");
        assert!(
            !counts(&Arc::new(Ring::default()), 15),
            "nor is their place given away"
        );
    }

    #[test]
    fn what_is_asked_for_stays_and_the_rest_makes_room() {
        let (known, ring) = (Known::default(), Arc::new(Ring::default()));
        let is_known = |number: usize| {
            known
                .of(&print(&number.to_string()), &ring, at(15))
                .is_some()
        };
        known.note(print("0"), believed(&ring));
        for number in 1..5 * MOST * PARTS {
            assert!(is_known(0), "after {number}");
            known.note(print(&number.to_string()), believed(&ring));
        }
        assert!(!is_known(1));
        assert!(is_known(5 * MOST * PARTS - 1));
        for part in &known.0 {
            let known = part.read().expect("a whole lock");
            assert!(known.recent.len() + known.older.len() <= 2 * MOST);
        }
    }
}
