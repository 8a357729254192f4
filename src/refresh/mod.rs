//! The refresh: what a session is renewed by goes in; its successor comes out, with a token that counts for a while.
//!
//! Whoever asks again with the same gets the same successor, until that successor was renewed itself. Who comes later
//! than that shows a copy that somebody made: the session ends, for its thief and its owner, who signs in again. A thief
//! who renews in step with the owner looks like the owner's other tab, and is found when either falls two steps behind.

pub mod routes;

use db::Unit;

use crate::app::App;
use crate::audit::Event;
use crate::error::{Error, Refusal};
use crate::http::Asking;
use crate::sessions::grant::Grant;
use crate::sessions::renewal::Renewal;
use crate::sessions::{self, Carried, Session};
use crate::users::User;

/// How often the session is looked at, when others renew it between the look and the write. Each of those others leaves
/// this one a step further behind, so that the third look decides.
const LOOKS: usize = 4;

/// Renews the session that `presented` belongs to, which is carried as `carried`.
pub async fn renew(
    app: &App,
    presented: &Renewal,
    carried: Carried,
    asking: &Asking,
) -> Result<Grant, Error> {
    for _ in 0..LOOKS {
        let found = sessions::store::of_family(&app.db, presented, carried, asking.now).await?;
        let (session, user) = found.ok_or(Refusal::RefreshTokenInvalid)?;
        if session.is_past(presented) {
            return Err(end_copied(app, &session, asking).await?.into());
        }
        let next = presented.next();
        // The answer to the first who asked may have been lost on its way.
        if next.generation == session.generation {
            return grant(app, &user, &session, &next, asking);
        }
        // It may also be ahead, of a database that lost what it had acknowledged: we made it, so it was the newest.
        let session = session.seen(&app.config.sessions, asking.now);
        let renewed = Unit::new().expect(1, sessions::store::renew(&session, &next));
        match app.db.write(renewed).await {
            Ok(_) => return grant(app, &user, &session, &next, asking),
            Err(db::Error::Touched { .. }) => {}
            Err(error) => return Err(error.into()),
        }
    }
    Err(Error::bug("a session was renewed under every look at it"))
}

fn grant(
    app: &App,
    user: &User,
    session: &Session,
    next: &Renewal,
    asking: &Asking,
) -> Result<Grant, Error> {
    metrics::counter!("doorward_tokens_issued_total", "kind" => "refresh").increment(1);
    app.grant(user, session, Some(next), asking.now)
}

/// Ends a session of which somebody has a copy, unless another did meanwhile.
async fn end_copied(app: &App, session: &Session, asking: &Asking) -> Result<Refusal, Error> {
    let Session { id, user, .. } = session;
    let copied = Event::RefreshReused;
    Ok(
        if sessions::end(&app.db, &app.revocations, user, id, copied, asking).await? {
            Refusal::RefreshTokenReused
        } else {
            Refusal::RefreshTokenInvalid
        },
    )
}
