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

use db::{Db, Unit};
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

/// Leave to try a secret once. It is charged as a failure, and nobody is told what came of it before [`Permit::kept`] says that it
/// was; [`Permit::clear`] goes into the write that makes it a success.
#[must_use = "it may have been charged"]
pub struct Permit {
    /// `None` where nothing is limited.
    limited: Option<Limited>,
    turn: Turn,
}

struct Limited {
    db: Db,
    lane: Lane,
    now: Timestamp,
    charge: Mutex<Charge>,
}

/// Where the charge is.
#[derive(Clone, Copy)]
enum Charge {
    /// To be written, with so much time to wait for others. Nobody had failed in the lane, so it is open, unless others charge it
    /// at the same moment.
    Due(Charged, Duration),
    /// On the disk.
    Kept(Charged),
    /// It is not there, or nobody knows.
    Lost,
}

/// What a lane was charged with.
#[derive(Clone, Copy)]
struct Charged {
    tally: Tally,
    was: Option<Tally>,
}

impl Permit {
    /// Charges a lane for one attempt, whose turn at the hash threads is `turn`, and which has so much leisure before it: the
    /// charge may wait for others to share the disk with. Where nobody has failed, it is due by [`Permit::kept`].
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
        let charge = match store::tally(db, &lane).await? {
            None => {
                let tally = Tally {
                    failures: 1,
                    failed_at: now,
                };
                Charge::Due(Charged { tally, was: None }, leisure)
            }
            was => Charge::Kept(charge_if_open(db, &lane, was, leisure, now).await?),
        };
        Ok(Self {
            limited: Some(Limited {
                db: db.clone(),
                lane,
                now,
                charge: Mutex::new(charge),
            }),
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

    /// Charges what is due, and waits until it is on the disk: until then a crash could undo it, and with it what a guess costs.
    /// Where others charged the lane at the same moment, it is charged again for as long as it is open.
    ///
    /// # Errors
    /// [`Refusal::RateLimited`] when they closed it, with the time until it opens.
    pub async fn kept(&self) -> Result<(), Error> {
        match &self.limited {
            Some(limited) => limited.kept().await,
            None => Ok(()),
        }
    }

    /// Leave where nothing is limited.
    pub fn unlimited(turn: Turn) -> Self {
        Self {
            limited: None,
            turn,
        }
    }

    /// Whose turn at the hash threads it is.
    pub fn turn(&self) -> Turn {
        self.turn
    }

    /// What the right secret is worth: those who failed in this lane before are forgotten, and in no other.
    pub fn clear(&self) -> Unit {
        let limited = self.limited.iter();
        limited.fold(Unit::new(), |unit, limited| {
            unit.run(store::clear(&limited.lane))
        })
    }

    /// Takes the charge back, since nothing was tried. One that did not get to the disk is not there: that would be another's.
    pub async fn give_back(&self) -> Result<(), Error> {
        let Some(limited) = &self.limited else {
            return Ok(());
        };
        let charge = *limited.state();
        if let Charge::Kept(Charged { tally, was }) = charge {
            let back = store::give_back(&limited.lane, &tally, was.as_ref());
            limited.db.write(back).await?;
        }
        Ok(())
    }
}

impl Limited {
    async fn kept(&self) -> Result<(), Error> {
        let charge = mem::replace(&mut *self.state(), Charge::Lost);
        let charged = match charge {
            Charge::Due(charged, leisure) => self.charge(charged, leisure).await?,
            Charge::Kept(charged) => charged,
            Charge::Lost => {
                let lost = "the charge of this attempt did not get to the disk";
                return Err(Error::Broken(Broken::Unavailable(lost.into())));
            }
        };
        *self.state() = Charge::Kept(charged);
        Ok(())
    }

    /// Charges the lane, or where others came between, anew behind them. Answers what it was charged with.
    async fn charge(&self, charged: Charged, leisure: Duration) -> Result<Charged, Error> {
        let Self { db, lane, now, .. } = self;
        if charged.write(db, lane, leisure).await? {
            return Ok(charged);
        }
        let was = store::tally(db, lane).await?;
        charge_if_open(db, lane, was, Duration::ZERO, *now).await
    }

    fn state(&self) -> MutexGuard<'_, Charge> {
        self.charge.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Charged {
    /// Charges it and waits for the disk; `false` when somebody else came between.
    async fn write(&self, db: &Db, lane: &Lane, leisure: Duration) -> Result<bool, Error> {
        let swap = store::swap(lane, self.was.as_ref(), &self.tally);
        let unit = Unit::new().expect(1, swap).wait_for_company(leisure);
        match db.write(unit).await {
            Ok(_) => Ok(true),
            Err(db::Error::Touched { .. }) => Ok(false),
            Err(error) => Err(error.into()),
        }
    }
}

/// How long nobody is let in, if anybody has to wait.
fn closed_for(tally: Option<Tally>, now: Timestamp) -> Option<Duration> {
    let known = tally.filter(|tally| tally.forgotten_at() > now)?;
    Some(known.wait(now)).filter(|wait| !wait.is_zero())
}

/// Counts a failure before there is one: who is counted afterwards can be many at once. `was` is what is known of the lane.
async fn charge_if_open(
    db: &Db,
    lane: &Lane,
    mut was: Option<Tally>,
    leisure: Duration,
    now: Timestamp,
) -> Result<Charged, Error> {
    for _ in 0..LOOKS {
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
            let tally = Tally {
                failed_at: now,
                ..was
            };
            let anew = Charged {
                tally,
                was: Some(was),
            };
            anew.write(db, lane, leisure).await?;
        } else if let Some(retry_after) = closed_for(was, now) {
            return Err(Refusal::RateLimited { retry_after }.into());
        } else {
            let known = was.filter(|was| was.forgotten_at() > now);
            let tally = Tally {
                failures: known.map_or(0, |known| known.failures).saturating_add(1),
                failed_at: now,
            };
            let charged = Charged { tally, was };
            if charged.write(db, lane, leisure).await? {
                return Ok(charged);
            }
        }
        was = store::tally(db, lane).await?;
    }
    Err(Refusal::RateLimited { retry_after: SOON }.into())
}
