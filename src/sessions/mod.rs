//! Who is signed in where. A session begins with a sign-in and ends by its own time, or when somebody ends it; a token
//! is believed only while its session lives, whatever its signature says.

pub mod extract;
pub mod grant;
pub mod renewal;
pub mod routes;
pub mod store;

use std::time::Duration;

use db::{Db, Unit};

use crate::audit::{self, About, By, Event};
use crate::clock::Timestamp;
use crate::config::SessionsConfig;
use crate::error::{Error, Refusal};
use crate::http::Asking;
use crate::ids::{SessionId, UserId};
use crate::revocations::store::Which;
use crate::revocations::{self, Revocations};
use crate::tokens::Tokens;
use crate::users;
use extract::Leaving;
use renewal::Renewal;

/// How a session is carried by whoever holds it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Carried {
    /// As the documented token alone, with which it ends.
    Token,
    /// As a token and a refresh token that gets the next one.
    Refresh,
    /// As a cookie that no script can read.
    Cookie,
}

impl Carried {
    /// Every way, by its name.
    pub const NAMES: &'static [&'static str] = &["token", "refresh", "cookie"];

    /// The way of this name.
    pub fn named(name: &str) -> Option<Self> {
        [Self::Token, Self::Refresh, Self::Cookie]
            .into_iter()
            .find(|carried| carried.as_str() == name)
    }

    /// Its name, in bodies and in rows.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Token => "token",
            Self::Refresh => "refresh",
            Self::Cookie => "cookie",
        }
    }
}

/// A sign-in that is remembered.
#[derive(Debug, Clone)]
pub struct Session {
    /// The token's `sid`.
    pub id: SessionId,
    /// Whose it is.
    pub user: UserId,
    /// How it is carried.
    pub carried: Carried,
    /// How often it was renewed.
    pub generation: i64,
    /// How they proved who they are (RFC 8176).
    pub amr: Vec<String>,
    /// When it began.
    pub created_at: Timestamp,
    /// When they proved it.
    pub auth_time: Timestamp,
    /// When it was last used or renewed, to a few minutes.
    pub last_seen_at: Timestamp,
    /// When it ends by itself, unless it is used before.
    pub expires_at: Timestamp,
    /// When it ends, however much it is used.
    pub ends_at: Timestamp,
    /// The address they came from.
    pub ip: String,
    /// The program they came with.
    pub agent: Option<String>,
}

impl Session {
    /// The session of `user`, who has just proved who they are by `amr`.
    pub fn begin(
        user: UserId,
        carried: Carried,
        amr: &[&str],
        config: &SessionsConfig,
        tokens: &Tokens,
        asking: &Asking,
    ) -> Self {
        let now = asking.now;
        let ends_at = now.plus(match carried {
            Carried::Token => tokens.lifetime(carried),
            Carried::Refresh | Carried::Cookie => config.lifetime,
        });
        let begun = Self {
            id: SessionId::new(now),
            user,
            carried,
            generation: 0,
            amr: amr.iter().map(ToString::to_string).collect(),
            created_at: now,
            auth_time: now,
            last_seen_at: now,
            expires_at: ends_at,
            ends_at,
            ip: asking.client.address.to_string(),
            agent: asking.client.agent.clone(),
        };
        begun.seen(config, now)
    }

    /// The same, used at `now`: it goes on for as long as it may be idle.
    #[must_use]
    pub fn seen(mut self, config: &SessionsConfig, now: Timestamp) -> Self {
        self.last_seen_at = now;
        if self.carried != Carried::Token {
            self.expires_at = self.ends_at.min(now.plus(config.idle));
        }
        self
    }
}

impl Session {
    /// Whether `renewal`, of this session's family, is so old that its successor was renewed already.
    pub fn is_past(&self, renewal: &Renewal) -> bool {
        renewal.generation < self.generation - 1
    }
}

/// A session's use is noted when this much time has passed since it was last noted, so that most requests write nothing.
const NOTED_EVERY: Duration = Duration::from_mins(5);

/// Notes that a session was used. That it could not be noted keeps nobody out.
async fn note_use(db: &Db, session: Session, config: &SessionsConfig, now: Timestamp) {
    let before = session.last_seen_at;
    // A short idle time is measured more closely.
    if now.since(before) < NOTED_EVERY.min(config.idle / 8) {
        return;
    }
    if let Err(error) = db
        .write(store::see(&session.seen(config, now), before))
        .await
    {
        tracing::warn!(%error, "could not note that a session was used");
    }
}

/// Which sessions somebody ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ending {
    /// The one they ask from.
    This,
    /// All but that one.
    Others,
    /// All of them.
    All,
}

/// Signs somebody out. Done already is done too; but only a live session ends others.
pub async fn sign_out(
    db: &Db,
    revocations: &Revocations,
    leaving: &Leaving,
    ending: Ending,
    asking: &Asking,
) -> Result<(), Error> {
    if ending != Ending::This {
        leaving.may_end_others.clone()?;
    }
    let Some(user) = &leaving.user else {
        return Ok(());
    };
    let Some((session, with_it)) = leaving.sessions.split_first() else {
        return Ok(());
    };
    if ending == Ending::This {
        for session in [session].into_iter().chain(with_it) {
            end(db, revocations, user, session, Event::SignedOut, asking).await?;
        }
        return Ok(());
    }
    let (which, event) = match ending {
        Ending::Others => (Which::Others { user, but: session }, Event::SignedOutOthers),
        Ending::This | Ending::All => (Which::All(user), Event::SignedOutEverywhere),
    };
    let told = audit::row(event, By::Caller(asking), about(user, session));
    let unit = by_a_live_session(user, session, asking)
        .append(revocations::store::end(which, asking.now))
        .run(told);
    match revocations.write(db, unit).await {
        Ok(_) => Ok(()),
        Err(db::Error::Touched { .. }) => Err(Refusal::SessionRevoked.into()),
        Err(error) => Err(error.into()),
    }
}

/// Ends a session by the word of another one of the same user.
pub async fn end_from(
    db: &Db,
    revocations: &Revocations,
    user: &UserId,
    [session, from]: [&SessionId; 2],
    asking: &Asking,
) -> Result<(), Error> {
    let told = audit::row(
        Event::SessionEnded,
        By::Caller(asking),
        about(user, session),
    );
    let unit = by_a_live_session(user, from, asking)
        .append(revocations::store::end(
            Which::One { user, session },
            asking.now,
        ))
        .run(told);
    match revocations.write(db, unit).await {
        Ok(_) => Ok(()),
        Err(db::Error::Touched {
            statement: 0 | 1, ..
        }) => Err(Refusal::SessionRevoked.into()),
        Err(db::Error::Touched { .. }) => Err(Refusal::NotFound.into()),
        Err(error) => Err(error.into()),
    }
}

/// What only a live session may do: its account's row is held first, so that a sign-in that crosses it has begun its
/// session before, or begins it after.
fn by_a_live_session(user: &UserId, session: &SessionId, asking: &Asking) -> Unit {
    users::store::hold(user, session, asking.now)
}

/// Ends one live session of a user; `false` when they have no such session.
pub async fn end(
    db: &Db,
    revocations: &Revocations,
    user: &UserId,
    session: &SessionId,
    event: Event,
    asking: &Asking,
) -> Result<bool, Error> {
    let told = audit::row(event, By::Caller(asking), about(user, session));
    let unit = revocations::store::end(Which::One { user, session }, asking.now).run(told);
    match revocations.write(db, unit).await {
        Ok(_) => Ok(true),
        Err(db::Error::Touched { .. }) => Ok(false),
        Err(error) => Err(error.into()),
    }
}

fn about<'a>(user: &'a UserId, session: &'a SessionId) -> About<'a> {
    About {
        user: Some(user),
        session: Some(session),
    }
}
