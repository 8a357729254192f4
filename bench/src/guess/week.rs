//! A week of an attack on one account, an event at a time.

use std::net::{IpAddr, Ipv4Addr};
use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context as _, bail};
use serde_json::Value;
use tokio::task::JoinSet;

use crate::chance::Chance;
use crate::service::{Answer, Attempt, Service};

const WEEK: Duration = Duration::from_hours(7 * 24);
/// How many addresses the attackers have: 172.16.0.0 and those behind it.
const ADDRESSES: u32 = 10_000;
/// How many of them try at once where they come as a crowd.
const CROWD: u32 = 1_000;
/// How often they come whether the lane is open or not.
const EACH: Duration = Duration::from_hours(1);
/// How often the owner signs in, in all.
const SIGN_INS: u64 = 40;

const OWNER: &str = "ada@bücher.example";
/// The same address, as whoever hopes for more than one budget writes it.
const SPELLINGS: [&str; 6] = [
    OWNER,
    "ADA@bücher.example",
    "Ada@BÜCHER.example",
    "ada@xn--bcher-kva.example",
    "aDa@bu\u{308}cher.example",
    "ada@bücher\u{3002}example",
];
const PASSWORD: &str = "a long walk by the sea";
const ATTACKER: &str = "eve@example.com";

/// How the account's owner signs in.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Owner {
    /// With what an earlier sign-in gave the device.
    OnKnownDevice,
    /// With address and password alone.
    Stranger,
}

/// How the account is attacked.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Attack {
    /// By many at the very moment when the lane opens, and by as many each hour; whenever the owner signs in, at that moment
    /// too.
    Crowd,
    /// By one at a time, who leaves room for the owner: each success of theirs in the strangers' lane opens it anew.
    Patient {
        /// Whoever is told to wait for longer takes a rest,
        bears: Duration,
        /// and so much longer is the wait then.
        rests: Duration,
    },
}

/// What came of it.
#[derive(Default)]
pub(super) struct Week {
    /// Guesses that were sent.
    pub(super) offered: usize,
    /// Guesses that were answered by "wrong", so that the attackers know more than before.
    pub(super) evaluated: usize,
    /// Sign-ins of the owner, each tried once.
    pub(super) tried: usize,
    /// Those that were let in.
    pub(super) succeeded: usize,
}

/// Lives through the week on a new database.
pub(super) async fn simulate(
    database: &str,
    folder: PathBuf,
    owner: Owner,
    attack: Attack,
) -> anyhow::Result<Week> {
    let mut siege = Siege::begin(database, folder, owner, attack).await?;
    let mut chance = Chance::of(1);
    let week = WEEK.as_secs();
    let mut sign_ins: Vec<_> = (0..SIGN_INS)
        .map(|_| Duration::from_secs(chance.below(week)))
        .collect();
    sign_ins.sort_unstable();
    let mut sign_ins = sign_ins.into_iter().peekable();
    let mut next_guess = Duration::ZERO;
    let mut next_hour = EACH;
    loop {
        let next_sign_in = sign_ins.peek().copied().unwrap_or(Duration::MAX);
        let at = next_guess.min(next_sign_in).min(next_hour);
        if at > WEEK {
            break;
        }
        siege.wait_until(at);
        if at == next_sign_in {
            sign_ins.next();
            siege.owner_signs_in().await?;
        } else if at == next_guess {
            next_guess = at + siege.guess().await?;
        } else {
            next_hour += EACH;
            siege.hourly().await?;
        }
    }
    Ok(siege.end().await)
}

/// The attack under way.
struct Siege {
    service: Service,
    owner: Owner,
    attack: Attack,
    /// What tells the owner's device.
    device: Value,
    /// What tells the attackers' device, for an account of their own: they send it for what it may be worth.
    attackers_device: Value,
    now: Duration,
    week: Week,
}

impl Siege {
    async fn begin(
        database: &str,
        folder: PathBuf,
        owner: Owner,
        attack: Attack,
    ) -> anyhow::Result<Self> {
        let service = Service::open(database, &folder).await?;
        let mut devices = Vec::new();
        for (from, email) in [(home(), OWNER), (attacker(0), ATTACKER)] {
            service.sign_up(from, email, PASSWORD).await?;
            let device = Some(Value::Null);
            let attempt = Attempt {
                email,
                password: PASSWORD,
                device,
            };
            let answer = service.sign_in(from, attempt).await?;
            devices.push(answer.device.context("no device was told")?);
        }
        let [device, attackers_device] = devices.try_into().ok().context("two devices")?;
        let (now, week) = (Duration::ZERO, Week::default());
        Ok(Self {
            service,
            owner,
            attack,
            device,
            attackers_device,
            now,
            week,
        })
    }

    fn wait_until(&mut self, at: Duration) {
        self.service.wait(at.saturating_sub(self.now));
        self.now = at;
    }

    /// Guesses now; answers after what time it is worth to come back.
    async fn guess(&mut self) -> anyhow::Result<Duration> {
        if self.attack == Attack::Crowd {
            self.crowd().await?;
        }
        // One alone goes on until somebody tells how long to wait.
        let wait = loop {
            let answer = self.guess_of(self.week.offered).await?;
            if let Some(wait) = self.count(&answer)? {
                break wait;
            }
        };
        Ok(match self.attack {
            Attack::Patient { bears, rests } if wait > bears => wait + rests,
            Attack::Patient { .. } | Attack::Crowd => wait,
        })
    }

    async fn hourly(&mut self) -> anyhow::Result<()> {
        match self.attack {
            Attack::Crowd => self.crowd().await,
            Attack::Patient { .. } => Ok(()),
        }
    }

    /// A thousand at once, from as many addresses, in all spellings.
    async fn crowd(&mut self) -> anyhow::Result<()> {
        let mut crowd = JoinSet::new();
        for number in 0..CROWD as usize {
            crowd.spawn(self.guess_of(self.week.offered + number));
        }
        for answer in crowd.join_all().await {
            self.count(&answer?)?;
        }
        Ok(())
    }

    /// The guess of this number, from the address whose turn it is.
    fn guess_of(&self, number: usize) -> impl Future<Output = anyhow::Result<Answer>> + use<> {
        let service = self.service.clone();
        let device = (number / SPELLINGS.len())
            .is_multiple_of(2)
            .then(|| self.attackers_device.clone());
        async move {
            let from = attacker(u32::try_from(number % ADDRESSES as usize)?);
            let attempt = Attempt {
                email: SPELLINGS[number % SPELLINGS.len()],
                password: &format!("guess number {number}"),
                device,
            };
            service.sign_in(from, attempt).await
        }
    }

    /// Counts a guess; answers how long to wait where it was not looked at.
    fn count(&mut self, answer: &Answer) -> anyhow::Result<Option<Duration>> {
        self.week.offered += 1;
        match answer.status {
            401 => {
                self.week.evaluated += 1;
                Ok(None)
            }
            // Or somebody else was charged each time it was looked at: come again.
            429 | 503 => Ok(Some(
                answer
                    .retry_after
                    .context("a refusal without Retry-After")?,
            )),
            status => bail!("a guess was answered {status}"),
        }
    }

    async fn owner_signs_in(&mut self) -> anyhow::Result<()> {
        let service = self.service.clone();
        let device = (self.owner == Owner::OnKnownDevice).then(|| self.device.clone());
        let signing_in = tokio::spawn(async move {
            let (email, password) = (OWNER, PASSWORD);
            service
                .sign_in(
                    home(),
                    Attempt {
                        email,
                        password,
                        device,
                    },
                )
                .await
        });
        if self.attack == Attack::Crowd {
            self.crowd().await?;
        }
        let answer = signing_in.await??;
        self.week.tried += 1;
        match answer.status {
            200 => {
                self.week.succeeded += 1;
                self.device = answer.device.unwrap_or_else(|| self.device.take());
            }
            429 | 503 => {}
            status => bail!("the owner was answered {status}"),
        }
        Ok(())
    }

    async fn end(self) -> Week {
        self.service.close().await;
        self.week
    }
}

fn home() -> IpAddr {
    Ipv4Addr::new(192, 0, 2, 1).into()
}

fn attacker(number: u32) -> IpAddr {
    Ipv4Addr::from_bits(Ipv4Addr::new(172, 16, 0, 0).to_bits() + number).into()
}
