//! Gives a route its signed-in caller, or refuses. A caller shows a bearer token in the `Authorization` header, once
//! (RFC 6750 section 2.1), or the session's cookie; what the cookie carries has to come from a page that may.

use std::sync::Arc;
use std::time::Duration;

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use axum::http::{HeaderMap, header};

use super::renewal::Renewal;
use super::store::Owner;
use super::{Carried, store};
use crate::app::App;
use crate::audit::Event;
use crate::clock::Timestamp;
use crate::error::{Error, Refusal};
use crate::http::csrf::Sender;
use crate::http::edge::Noted;
use crate::http::{Asking, cookie};
use crate::ids::{SessionId, UserId};
use crate::tokens::{Believed, Claims};
use crate::users::Shown;

/// The person behind the request.
pub struct SignedIn {
    /// Who they are, as of now.
    pub user: Arc<Shown>,
    /// The session that they ask from.
    pub session: SessionId,
    /// When they proved who they are.
    pub auth_time: Timestamp,
    /// How (RFC 8176).
    pub amr: Arc<[String]>,
    /// How the session is carried.
    pub carried: Carried,
}

/// For how long whoever proved who they are may change how they prove it.
const FRESH: Duration = Duration::from_mins(10);

/// The person behind the request, who proved so not long ago, and by a second factor where the account has one. Whom the
/// operator let in proved nothing, and is to set things right.
pub struct Fresh(pub SignedIn);

impl SignedIn {
    fn is_fresh(&self, now: Timestamp) -> bool {
        let has_shown_enough = !self.user.mfa.are_on()
            || self.amr.is_empty()
            || self.amr.iter().any(|shown| shown == "mfa");
        has_shown_enough && now.since(self.auth_time) <= FRESH
    }
}

impl FromRequestParts<App> for Fresh {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Error> {
        let caller = SignedIn::from_request_parts(parts, app).await?;
        let asking = Asking::from_request_parts(parts, app).await?;
        if caller.is_fresh(asking.now) {
            Ok(Self(caller))
        } else {
            Err(Refusal::ReauthenticationRequired.into())
        }
    }
}

impl FromRequestParts<App> for SignedIn {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Error> {
        let asking = Asking::from_request_parts(parts, app).await?;
        let now = asking.now;
        let caller = match (bearer(&parts.headers)?, cookie::session(&parts.headers)?) {
            (None, None) => return Err(Refusal::TokenMissing.into()),
            (Some(token), None) => by_token(app, token, now).await?,
            (None, Some(value)) => {
                Sender::of(parts)?.may_use_cookie()?;
                by_cookie(app, value, &asking)
                    .await?
                    .ok_or(Refusal::SessionRevoked)?
            }
            // The token was sent on purpose, and a page of another origin cannot send it; the cookie came along.
            (Some(token), Some(value)) => {
                let caller = by_token(app, token, now).await?;
                match by_cookie(app, value, &asking).await? {
                    Some(other) if other.user.id != caller.user.id => {
                        return Err(Refusal::TwoCallers.into());
                    }
                    _ => caller,
                }
            }
        };
        if let Some(noted) = parts.extensions.get::<Noted>() {
            noted.is_from(&caller.user.id);
        }
        Ok(caller)
    }
}

async fn by_token(app: &App, token: &str, now: Timestamp) -> Result<SignedIn, Error> {
    let believed = app.tokens.verify(token, now)?;
    let owner = owner(app, &believed, now).await?;
    Ok(SignedIn {
        user: Arc::clone(&owner.user),
        session: believed.claims.sid.clone(),
        auth_time: owner.auth_time,
        amr: Arc::clone(&owner.amr),
        carried: owner.carried,
    })
}

/// Whose live session a token is of: as it was found out last, if nothing has been written since, by whomever.
async fn owner(app: &App, believed: &Believed, now: Timestamp) -> Result<Arc<Owner>, Error> {
    let last = believed.last_owner();
    let known = last.as_deref().map(|(edition, _)| edition);
    // Told before the database is asked: what is written meanwhile is of a later one, whether the answer has it or not.
    let edition = app.db.edition(known).await;
    if let (Some((of, owner)), Some(edition)) = (last.as_deref(), &edition)
        && of == edition
        && now < owner.expires_at
    {
        return Ok(Arc::clone(owner));
    }
    let Claims { sub, sid } = &believed.claims;
    let found = store::owner(&app.db, sid, sub, now).await?;
    let owner = Arc::new(found.ok_or(Refusal::SessionRevoked)?);
    if let Some(edition) = edition {
        believed.note_owner(edition, &owner);
    }
    Ok(owner)
}

/// Whose live session the cookie carries. Its last generation counts as long as the newest was not renewed: other
/// requests of the same browser were on their way with it. Who comes with an older one has a copy, and ends the session.
async fn by_cookie(app: &App, value: &str, asking: &Asking) -> Result<Option<SignedIn>, Error> {
    let Some(renewal) = Renewal::read(value, &app.stamp) else {
        return Ok(None);
    };
    let found = store::of_family(&app.db, &renewal, Carried::Cookie, asking.now).await?;
    let Some((session, user)) = found else {
        return Ok(None);
    };
    let (id, auth_time, amr) = (session.id.clone(), session.auth_time, session.amr.clone());
    if session.is_past(&renewal) {
        let copied = Event::RefreshReused;
        super::end(&app.db, &app.revocations, &user.id, &id, copied, asking).await?;
        return Ok(None);
    }
    super::note_use(&app.db, session, &app.config.sessions, asking.now).await;
    Ok(Some(SignedIn {
        user: Arc::new(user.into()),
        session: id,
        auth_time,
        amr: amr.into(),
        carried: Carried::Cookie,
    }))
}

/// Somebody who goes: the holder of a token or a cookie that we made, whatever became of its session.
pub struct Leaving {
    /// Whose sessions they are or were; `None` when nothing is left of them.
    pub user: Option<UserId>,
    /// The session of the token and that of the cookie, as far as there are such.
    pub sessions: Vec<SessionId>,
    /// Whether they may end other sessions than their own: a token that has expired may not.
    pub may_end_others: Result<(), Refusal>,
    /// Whether a browser sent a cookie, good or not.
    pub has_cookie: bool,
}

impl FromRequestParts<App> for Leaving {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Error> {
        let asking = Asking::from_request_parts(parts, app).await?;
        let (token, value) = (bearer(&parts.headers)?, cookie::session(&parts.headers)?);
        let has_cookie = value.is_some();
        if token.is_none() {
            if !has_cookie {
                return Err(Refusal::TokenMissing.into());
            }
            Sender::of(parts)?.may_use_cookie()?;
        }
        let by_cookie = match value {
            Some(value) => by_cookie(app, value, &asking).await?,
            None => None,
        };
        let Some(token) = token else {
            let may_end_others = by_cookie.as_ref().map(drop).ok_or(Refusal::SessionRevoked);
            let (user, session) = by_cookie.map(|it| (it.user.id.clone(), it.session)).unzip();
            return Ok(Self {
                user,
                sessions: session.into_iter().collect(),
                may_end_others,
                has_cookie,
            });
        };
        let claims = app.tokens.verify_parting(token, asking.now)?;
        let mut sessions = vec![claims.sid];
        if let Some(other) = by_cookie {
            if other.user.id != claims.sub {
                return Err(Refusal::TwoCallers.into());
            }
            sessions.push(other.session);
        }
        Ok(Self {
            user: Some(claims.sub),
            sessions,
            may_end_others: app.tokens.verify(token, asking.now).map(drop),
            has_cookie,
        })
    }
}

/// Ends the session whose cookie a new one replaces in a browser, whoever signed in with it: nobody holds it any more, but
/// for whoever has a copy.
pub(crate) async fn end_replaced(
    app: &App,
    headers: &HeaderMap,
    asking: &Asking,
) -> Result<(), Error> {
    let Some(value) = cookie::session(headers)? else {
        return Ok(());
    };
    if let Some(SignedIn { user, session, .. }) = by_cookie(app, value, asking).await? {
        let out = Event::SignedOut;
        super::end(&app.db, &app.revocations, &user.id, &session, out, asking).await?;
    }
    Ok(())
}

/// The token of the one `Authorization: Bearer` header. Two of them, another scheme or a blank in the token: refused.
fn bearer(headers: &HeaderMap) -> Result<Option<&str>, Refusal> {
    let mut values = headers.get_all(header::AUTHORIZATION).iter();
    let Some(value) = values.next() else {
        return Ok(None);
    };
    if values.next().is_some() {
        return Err(Refusal::TokenInvalid);
    }
    let (scheme, token) = value
        .to_str()
        .ok()
        .and_then(|text| text.split_once(' '))
        .ok_or(Refusal::TokenInvalid)?;
    let token = token.trim_start_matches(' ');
    if scheme.eq_ignore_ascii_case("bearer") && !token.is_empty() && !token.contains(' ') {
        Ok(Some(token))
    } else {
        Err(Refusal::TokenInvalid)
    }
}
