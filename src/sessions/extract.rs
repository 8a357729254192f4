//! Gives a route its signed-in caller, or refuses: a bearer token in the `Authorization` header, once (RFC 6750 section
//! 2.1), whose signature holds and whose session lives.

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use axum::http::{HeaderMap, header};

use super::store;
use crate::app::App;
use crate::error::{Error, Refusal};
use crate::http::Asking;
use crate::ids::SessionId;
use crate::users::User;

/// The person behind the request.
pub struct SignedIn {
    /// Who they are, as of now.
    pub user: User,
    /// The session that their token came from.
    pub session: SessionId,
}

impl FromRequestParts<App> for SignedIn {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Error> {
        let asking = Asking::from_request_parts(parts, app).await?;
        let claims = app.tokens.verify(bearer(&parts.headers)?, asking.now)?;
        let user = store::owner(&app.db, &claims.sid, &claims.sub, asking.now)
            .await?
            .ok_or(Refusal::SessionRevoked)?;
        tracing::Span::current().record("user_id", user.id.as_str());
        Ok(Self {
            user,
            session: claims.sid,
        })
    }
}

/// The token of the one `Authorization: Bearer` header. Two of them, another scheme or a blank in the token: refused.
fn bearer(headers: &HeaderMap) -> Result<&str, Refusal> {
    let mut values = headers.get_all(header::AUTHORIZATION).iter();
    let value = values.next().ok_or(Refusal::TokenMissing)?;
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
        Ok(token)
    } else {
        Err(Refusal::TokenInvalid)
    }
}
