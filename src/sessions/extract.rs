//! Gives a route its signed-in caller, or refuses. A caller shows a bearer token in the `Authorization` header, once
//! (RFC 6750 section 2.1), or the session's cookie; what the cookie carries has to come from a page that may.

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use axum::http::{HeaderMap, header};

use super::renewal::Renewal;
use super::{Carried, store};
use crate::app::App;
use crate::clock::Timestamp;
use crate::error::{Error, Refusal};
use crate::http::csrf::Sender;
use crate::http::{Asking, cookie};
use crate::ids::{SessionId, UserId};
use crate::users::User;

/// The person behind the request.
pub struct SignedIn {
    /// Who they are, as of now.
    pub user: User,
    /// The session that they ask from.
    pub session: SessionId,
}

impl FromRequestParts<App> for SignedIn {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Error> {
        let now = Asking::from_request_parts(parts, app).await?.now;
        let caller = match (bearer(&parts.headers)?, cookie::session(&parts.headers)?) {
            (None, None) => return Err(Refusal::TokenMissing.into()),
            (Some(token), None) => by_token(app, token, now).await?,
            (None, Some(value)) => {
                Sender::of(parts)?.may_use_cookie()?;
                by_cookie(app, value, now)
                    .await?
                    .ok_or(Refusal::SessionRevoked)?
            }
            // The token was sent on purpose, and a page of another origin cannot send it; the cookie came along.
            (Some(token), Some(value)) => {
                let caller = by_token(app, token, now).await?;
                match by_cookie(app, value, now).await? {
                    Some(other) if other.user.id != caller.user.id => {
                        return Err(Refusal::TwoCallers.into());
                    }
                    _ => caller,
                }
            }
        };
        tracing::Span::current().record("user_id", caller.user.id.as_str());
        Ok(caller)
    }
}

async fn by_token(app: &App, token: &str, now: Timestamp) -> Result<SignedIn, Error> {
    let claims = app.tokens.verify(token, now)?;
    let user = store::owner(&app.db, &claims.sid, &claims.sub, now)
        .await?
        .ok_or(Refusal::SessionRevoked)?;
    Ok(SignedIn {
        user,
        session: claims.sid,
    })
}

/// Whose live session the cookie carries. Its last generation counts as long as the newest was not renewed: other
/// requests of the same browser were on their way with it.
async fn by_cookie(app: &App, value: &str, now: Timestamp) -> Result<Option<SignedIn>, Error> {
    let Some(renewal) = Renewal::read(value, &app.stamp) else {
        return Ok(None);
    };
    let found = store::of_family(&app.db, &renewal, Carried::Cookie, now).await?;
    let Some((session, user)) = found.filter(|(session, _)| !session.is_past(&renewal)) else {
        return Ok(None);
    };
    let id = session.id.clone();
    super::note_use(&app.db, session, &app.config.sessions, now).await;
    Ok(Some(SignedIn { user, session: id }))
}

/// Somebody who goes: the holder of a token or a cookie that we made, whatever became of its session.
pub struct Leaving {
    /// Whose session it is or was; `None` when nothing is left of it.
    pub holder: Option<(UserId, SessionId)>,
    /// Whether they may end other sessions than their own: a token that has expired may not.
    pub may_end_others: Result<(), Refusal>,
}

impl FromRequestParts<App> for Leaving {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Error> {
        let now = Asking::from_request_parts(parts, app).await?.now;
        if let Some(token) = bearer(&parts.headers)? {
            let claims = app.tokens.verify_parting(token, now)?;
            return Ok(Self {
                holder: Some((claims.sub, claims.sid)),
                may_end_others: app.tokens.verify(token, now).map(drop),
            });
        }
        let value = cookie::session(&parts.headers)?.ok_or(Refusal::TokenMissing)?;
        Sender::of(parts)?.may_use_cookie()?;
        let caller = by_cookie(app, value, now).await?;
        Ok(Self {
            may_end_others: match caller {
                Some(_) => Ok(()),
                None => Err(Refusal::SessionRevoked),
            },
            holder: caller.map(|caller| (caller.user.id, caller.session)),
        })
    }
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
