//! How often a secret may be guessed. Whoever tries takes a [`Permit`] first, and what checks a password takes nothing
//! else; so there is one budget for a secret, whichever route it is tried at, and no route forgets it.
//!
//! Strangers share a lane for each account, and it closes for longer the more of them have failed in a row. A device that
//! somebody signed in with before has a lane of its own, which no stranger slows. Lanes are rows, so they are one for all
//! nodes and outlive a restart; they are named by the one spelling of an address, whether it has an account or not. Where
//! the database does not answer, nobody is let in: accounts live in the same one.

mod delay;
pub mod device;
pub mod extract;
pub mod spray;
pub mod store;

use std::mem;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use db::{Ahead, Db, Unit};
use passhash::Turn;

use crate::audit::{self, About, By, Event};
use crate::clock::Timestamp;
use crate::config::LimitsConfig;
use crate::error::{Broken, Error, Refusal};
use crate::ids::UserId;
use crate::secret::Stamp;
use crate::users::{Email, EmailKey, User};
use device::Device;

const LANE: usize = 16;
/// How often a lane that others charge at the same moment is looked at again. Each time at least one of them got in, and
/// the lane closes after the fifth.
const LOOKS: usize = 16;
/// When to come back to a lane that was taken each time.
const SOON: Duration = Duration::from_secs(1);
/// How far the clocks of two nodes may be apart, and a request's moment behind, without any of them being taken for wrong.
const SKEW: Duration = Duration::from_mins(1);
/// How long failures are remembered: those that cost nobody a wait, and more of them. Whoever rests for so long to be
/// forgotten gets fewer guesses for it than whoever waits for the lane to open each time.
const REMEMBERED: [Duration; 2] = [Duration::from_hours(7 * 24), Duration::from_hours(90 * 24)];

/// Whose secret it is, and who tries it: a keyed hash, so that whoever reads the table reads no addresses, and nothing that
/// a stranger types is two lanes or another's.
#[derive(Clone, PartialEq, Eq)]
pub struct Lane([u8; LANE]);

impl Lane {
    /// Where strangers try the password of the account at an address, if it has one.
    pub fn of_strangers(stamp: &Stamp, account: &EmailKey) -> Self {
        Self::named(stamp, "strangers' lane v1", account.as_str().as_bytes())
    }

    /// Where a device tries the password of the account that it is known to.
    pub fn of_device(stamp: &Stamp, device: &Device, account: &EmailKey) -> Self {
        let name = [device.id().as_slice(), account.as_str().as_bytes()].concat();
        Self::named(stamp, "device's lane v1", &name)
    }

    /// Where whoever has proved an account's password, or is signed in, tries its codes.
    pub fn of_codes(stamp: &Stamp, user: &UserId) -> Self {
        Self::named(stamp, "codes' lane v1", user.as_str().as_bytes())
    }

    fn named(stamp: &Stamp, kind: &str, name: &[u8]) -> Self {
        let tag = stamp.tag(kind, name);
        let mut lane = [0; LANE];
        lane.copy_from_slice(&tag[..LANE]);
        Self(lane)
    }

    fn bytes(&self) -> &[u8; LANE] {
        &self.0
    }
}

/// What happened in a lane.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Tally {
    /// How often somebody has failed in a row.
    failures: u32,
    /// When last.
    failed_at: Timestamp,
}

impl Tally {
    /// How long nobody is let in. A clock that was set back lets nobody in sooner, and keeps nobody out for longer than a
    /// whole wait.
    fn wait(&self, now: Timestamp) -> Duration {
        delay::after(self.failures).saturating_sub(now.since(self.failed_at))
    }

    fn forgotten_at(&self) -> Timestamp {
        let [free, slowed] = REMEMBERED;
        let is_free = self.failures <= delay::FREE;
        self.failed_at.plus(if is_free { free } else { slowed })
    }
}

/// Opens the strangers' lane of an account, as the operator asks who knows that it was its owner.
pub async fn forget(db: &Db, stamp: &Stamp, user: &User, by: By<'_>) -> Result<(), Error> {
    let lane = Lane::of_strangers(stamp, Email::parse(&user.email)?.key());
    let about = About {
        user: Some(&user.id),
        session: None,
    };
    let unit = Unit::new().run(store::clear(&lane));
    db.write(unit.run(audit::row(Event::AttemptsForgotten, by, about)))
        .await?;
    Ok(())
}

/// Lets pass whom a lane is open to, or who cannot be told so before it is charged: its last failure is of another time than
/// ours.
///
/// # Errors
/// [`Refusal::RateLimited`], with the time until it opens.
pub async fn look(db: &Db, lane: &Lane, now: Timestamp) -> Result<(), Error> {
    let tally = store::tally(db, lane).await?;
    let tally = tally.filter(|tally| tally.failed_at <= now);
    closed_for(tally, now).map_or(Ok(()), |retry_after| {
        Err(Refusal::RateLimited { retry_after }.into())
    })
}

/// Leave to try a secret once. It is charged as a failure; [`Permit::clear`] goes into the write that makes it a success.
#[must_use = "it has been charged"]
pub struct Permit {
    /// What was charged; `None` where nothing is limited.
    charged: Option<Charged>,
    turn: Turn,
}

struct Charged {
    lane: Lane,
    tally: Tally,
    was: Option<Tally>,
    way: Mutex<Way>,
}

/// Where a charge is on its way to the disk.
enum Way {
    /// It may not be there yet.
    Ahead(Ahead),
    Kept,
    /// It did not get there, or nobody knows.
    Lost,
}

impl Permit {
    /// Charges a lane for one attempt, whose turn at the hash threads is `turn`, and which has so much leisure before it: the
    /// charge may wait for others to share the disk with. Whoever else would charge it finds that, or waits;
    /// but whether it is on the disk has to be waited for by [`Permit::kept`] before anybody is told what came of the attempt.
    ///
    /// # Errors
    /// [`Refusal::RateLimited`], with the time until the lane opens.
    pub async fn take(
        db: &Db,
        lane: Lane,
        turn: Turn,
        leisure: Duration,
        now: Timestamp,
    ) -> Result<Self, Error> {
        Ok(Self {
            charged: Some(charge(db, lane, leisure, now).await?),
            turn,
        })
    }

    /// Leave to try a code of an account, by which its owner shows a second factor: one budget for all kinds of codes, which a
    /// right password does not fill again.
    ///
    /// # Errors
    /// [`Refusal::RateLimited`], with the time until the lane opens.
    pub async fn for_code(
        db: &Db,
        config: &LimitsConfig,
        stamp: &Stamp,
        user: &UserId,
        turn: Turn,
        now: Timestamp,
    ) -> Result<Self, Error> {
        if !config.enabled {
            return Ok(Self::unlimited(turn));
        }
        let permit = Self::take(db, Lane::of_codes(stamp, user), turn, Duration::ZERO, now).await?;
        permit.kept().await?;
        Ok(permit)
    }

    /// Waits until the charge is on the disk: until then a crash could undo it, and with it what a guess costs.
    pub async fn kept(&self) -> Result<(), Error> {
        let Some(Charged { way, .. }) = &self.charged else {
            return Ok(());
        };
        let was = mem::replace(&mut *lock(way), Way::Lost);
        match was {
            Way::Ahead(ahead) => ahead.kept().await?,
            Way::Kept => {}
            Way::Lost => {
                let lost = "the charge of this attempt did not get to the disk";
                return Err(Error::Broken(Broken::Unavailable(lost.into())));
            }
        }
        *lock(way) = Way::Kept;
        Ok(())
    }

    /// Leave where nothing is limited.
    pub fn unlimited(turn: Turn) -> Self {
        Self {
            charged: None,
            turn,
        }
    }

    /// Whose turn at the hash threads it is.
    pub fn turn(&self) -> Turn {
        self.turn
    }

    /// What the right secret is worth: those who failed in this lane before are forgotten, and in no other.
    pub fn clear(&self) -> Unit {
        let charged = self.charged.iter();
        charged.fold(Unit::new(), |unit, charged| {
            unit.run(store::clear(&charged.lane))
        })
    }

    /// Takes the charge back, since nothing was tried. One that did not get to the disk is not there: that would be another's.
    pub async fn give_back(&self, db: &Db) -> Result<(), Error> {
        self.kept().await?;
        if let Some(Charged {
            lane, tally, was, ..
        }) = &self.charged
        {
            db.write(store::give_back(lane, tally, was.as_ref()))
                .await?;
        }
        Ok(())
    }
}

fn lock(way: &Mutex<Way>) -> MutexGuard<'_, Way> {
    way.lock().unwrap_or_else(PoisonError::into_inner)
}

/// How long nobody is let in, if anybody has to wait.
fn closed_for(tally: Option<Tally>, now: Timestamp) -> Option<Duration> {
    let known = tally.filter(|tally| tally.forgotten_at() > now)?;
    Some(known.wait(now)).filter(|wait| !wait.is_zero())
}

/// Counts a failure before there is one: who is counted afterwards can be many at once.
async fn charge(db: &Db, lane: Lane, leisure: Duration, now: Timestamp) -> Result<Charged, Error> {
    for _ in 0..LOOKS {
        let was = store::tally(db, &lane).await?;
        // Another node's clock may be a little ahead, and a request may have been a while on its way: that wins nobody time.
        let last = was.map_or(now, |was| was.failed_at);
        let now = if last > now.plus(SKEW) {
            now
        } else {
            now.max(last)
        };
        // From another time than ours: it begins anew, so that a clock that was set back keeps nobody out until it has
        // come as far again.
        if let Some(was) = was.filter(|was| was.failed_at > now) {
            let anew = Tally {
                failed_at: now,
                ..was
            };
            if let Some(ahead) = swap(db, &lane, Some(&was), &anew, leisure).await? {
                ahead.kept().await?;
            }
            continue;
        }
        if let Some(retry_after) = closed_for(was, now) {
            return Err(Refusal::RateLimited { retry_after }.into());
        }
        let known = was.filter(|was| was.forgotten_at() > now);
        let tally = Tally {
            failures: known.map_or(0, |known| known.failures).saturating_add(1),
            failed_at: now,
        };
        if let Some(ahead) = swap(db, &lane, was.as_ref(), &tally, leisure).await? {
            return Ok(Charged {
                lane,
                tally,
                was,
                way: Mutex::new(Way::Ahead(ahead)),
            });
        }
    }
    Err(Refusal::RateLimited { retry_after: SOON }.into())
}

/// Nothing when somebody else came between.
async fn swap(
    db: &Db,
    lane: &Lane,
    was: Option<&Tally>,
    next: &Tally,
    leisure: Duration,
) -> Result<Option<Ahead>, Error> {
    let swap = Unit::new()
        .expect(1, store::swap(lane, was, next))
        .wait_for_company(leisure);
    match db.write_ahead(swap).await {
        Ok(ahead) => Ok(Some(ahead)),
        Err(db::Error::Touched { .. }) => Ok(None),
        Err(error) => Err(error.into()),
    }
}
