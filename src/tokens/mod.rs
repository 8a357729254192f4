//! Access tokens: what a session tells others about its owner, and how long they may believe it without asking.
//! Which key signs is the key ring's business; whether the session still lives is the session's.

pub mod keys;
mod known;
pub mod listing;
pub mod routes;
pub mod store;

use std::sync::Arc;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jose::{Policy, Rejected};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::clock::Timestamp;
use crate::config::TokensConfig;
use crate::error::{Error, Refusal};
use crate::ids::{SessionId, UserId};
use crate::secret;
use crate::sessions::{Carried, Session};
use crate::users::User;
use keys::{KeyRing, LONGEST_LIFETIME};
use known::Known;

pub use known::Believed;

/// The `typ` of an access token, as in the documented example.
const TYPE: &str = "JWT";
/// No token of ours is near this long; longer ones are refused unread, in bytes.
const MAX_LENGTH: usize = 4_096;
/// How far another node's clock may be ahead of ours, in seconds. It does not make a token count for longer.
const CLOCK_SKEW: i64 = 60;
/// Up to here a name is told in the token; a longer one is at `/auth/me`, in bytes.
const MAX_NAME: usize = 64;

/// Makes and reads the tokens of one issuer.
pub struct Tokens {
    /// The keys, shared with the task that keeps them up to date.
    pub keys: Arc<KeyRing>,
    known: Known,
    policy: Policy,
    /// The same for a token that signs its session out, which it may do when it has expired.
    parting: Policy,
    lifetime: Duration,
    refreshed_lifetime: Duration,
}

/// A token, and how long it counts.
pub struct AccessToken {
    /// The token.
    pub text: String,
    /// From now on, in whole seconds.
    pub expires_in: Duration,
}

/// What a verified token says.
pub struct Claims {
    /// Whose it is.
    pub sub: UserId,
    /// The session it came from.
    pub sid: SessionId,
}

/// RFC 7519 section 4.1, OpenID Connect Core section 2 (`auth_time`, `amr`), and `sid` for the session.
#[derive(Serialize)]
struct Told<'a> {
    iss: &'a str,
    aud: &'a str,
    sub: &'a str,
    iat: i64,
    exp: i64,
    jti: String,
    sid: &'a str,
    auth_time: i64,
    amr: &'a [String],
    email: &'a str,
    email_verified: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<&'a str>,
    roles: &'a [String],
}

#[derive(Deserialize)]
struct Heard {
    exp: i64,
    sub: String,
    sid: String,
}

impl Tokens {
    /// Tokens as configured, signed by what is in `keys`.
    pub fn new(config: &TokensConfig, keys: Arc<KeyRing>) -> Self {
        let policy = Policy {
            typ: TYPE,
            issuer: config.issuer.clone(),
            audience: config.audience.clone(),
            leeway_seconds: CLOCK_SKEW,
            max_len: MAX_LENGTH,
        };
        let parting = Policy {
            leeway_seconds: i64::try_from(LONGEST_LIFETIME.as_secs()).unwrap_or(i64::MAX),
            ..policy.clone()
        };
        Self {
            keys,
            known: Known::default(),
            policy,
            parting,
            lifetime: config.lifetime,
            refreshed_lifetime: config.refreshed_lifetime,
        }
    }

    /// How long a token of a session that is carried so is good for.
    pub fn lifetime(&self, carried: Carried) -> Duration {
        match carried {
            Carried::Token => self.lifetime,
            Carried::Refresh | Carried::Cookie => self.refreshed_lifetime,
        }
    }

    /// The token that tells others of `session`. It counts no longer than the session.
    pub fn issue(
        &self,
        user: &User,
        session: &Session,
        now: Timestamp,
    ) -> Result<AccessToken, Error> {
        let expires_at = now
            .plus(self.lifetime(session.carried))
            .min(session.expires_at)
            .seconds();
        let claims = Told {
            iss: &self.policy.issuer,
            aud: &self.policy.audience,
            sub: user.id.as_str(),
            iat: now.seconds(),
            exp: expires_at,
            jti: URL_SAFE_NO_PAD.encode(secret::bytes::<16>()),
            sid: session.id.as_str(),
            auth_time: session.auth_time.seconds(),
            amr: &session.amr,
            email: &user.email,
            email_verified: user.email_verified,
            name: user.name.as_deref().filter(|name| name.len() <= MAX_NAME),
            roles: &user.roles,
        };
        let text = self
            .keys
            .signing(now)?
            .sign(TYPE, &claims)
            .map_err(Error::bug)?;
        let seconds = u64::try_from(expires_at - now.seconds()).unwrap_or(0);
        Ok(AccessToken {
            text,
            expires_in: Duration::from_secs(seconds),
        })
    }

    /// The claims of `token` as `C`, if one of our keys signed it for us and its time has come and not passed; otherwise
    /// why it is not believed.
    pub fn claims<C: DeserializeOwned>(&self, token: &str, now: Timestamp) -> Result<C, Rejected> {
        let ring = self.keys.current();
        jose::verify(token, ring.verifying(now), &self.policy, now.seconds())
    }

    /// What `token` says, if one of our keys signed it for us and its time has come and not passed. One that was found to be good
    /// is not verified again while it is.
    pub fn verify(&self, token: &str, now: Timestamp) -> Result<Arc<Believed>, Refusal> {
        if token.len() > MAX_LENGTH {
            return Err(Refusal::TokenInvalid);
        }
        let (ring, print) = (self.keys.current(), known::print(token));
        if let Some(believed) = self.known.of(&print, &ring, now) {
            return Ok(believed);
        }
        let heard: Heard = jose::verify(token, ring.verifying(now), &self.policy, now.seconds())
            .map_err(refusal)?;
        let until = Timestamp::from_seconds(heard.exp);
        let claims = heard.believed(now)?;
        // Of what lives now: which of these keys it was is not asked.
        let until = ring.next_end(now).map_or(until, |end| end.min(until));
        let believed = Arc::new(Believed::new(claims, &ring, now, until));
        self.known.note(print, Arc::clone(&believed));
        Ok(believed)
    }

    /// The same, with every claim there is.
    pub fn verify_whole(
        &self,
        token: &str,
        now: Timestamp,
    ) -> Result<(Arc<Believed>, Map<String, Value>), Refusal> {
        let believed = self.verify(token, now)?;
        // What was just verified, or before.
        match jose::decode_unverified(token) {
            Ok((_, Value::Object(whole))) => Ok((believed, whole)),
            _ => Err(Refusal::TokenInvalid),
        }
    }

    /// What a token says that may have expired in the last day: enough to end its session, and for nothing else.
    pub fn verify_parting(&self, token: &str, now: Timestamp) -> Result<Claims, Refusal> {
        let ring = self.keys.current();
        let heard: Heard = jose::verify(token, ring.verifying(now), &self.parting, now.seconds())
            .map_err(refusal)?;
        heard.named()
    }
}

fn refusal(why: Rejected) -> Refusal {
    match why {
        Rejected::Expired => Refusal::TokenExpired,
        _ => Refusal::TokenInvalid,
    }
}

impl Heard {
    fn believed(self, now: Timestamp) -> Result<Claims, Refusal> {
        let exp = self.exp;
        let claims = self.named()?;
        if now.seconds() >= exp {
            return Err(Refusal::TokenExpired);
        }
        Ok(claims)
    }

    /// Whom it names. The stores' text has no room for NUL, so it is in no id; asking would be an error of ours and not
    /// the caller's.
    fn named(self) -> Result<Claims, Refusal> {
        if [&self.sub, &self.sid].iter().any(|id| id.contains('\0')) {
            return Err(Refusal::TokenInvalid);
        }
        Ok(Claims {
            sub: UserId::from_stored(self.sub),
            sid: SessionId::from_stored(self.sid),
        })
    }
}
