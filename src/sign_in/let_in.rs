//! The glass to break: whoever has the database and the secret key lets somebody in without a password, a mail or a second
//! factor, and it is written down.

use std::net::{IpAddr, Ipv4Addr};

use db::Unit;

use super::{Proven, opening};
use crate::app::App;
use crate::audit::{self, About, By, Event};
use crate::clock::Timestamp;
use crate::error::Error;
use crate::http::Asking;
use crate::http::client::Client;
use crate::ids::RequestId;
use crate::secret::Secret;
use crate::sessions::Carried;
use crate::sessions::grant::Grant;
use crate::sessions::store::Proof;
use crate::users::User;

/// What the list of sessions says of where it came from.
const AGENT: &str = "doorward user let-in";

/// A token for `user`, whose session lasts as long as the token and says that nothing was proved; `None` when the account is
/// shut or gone.
pub async fn let_in(
    app: &App,
    user: &User,
    now: Timestamp,
) -> Result<Option<Secret<String>>, Error> {
    let asking = Asking {
        now,
        client: Client {
            address: IpAddr::V4(Ipv4Addr::LOCALHOST),
            agent: Some(AGENT.to_owned()),
        },
        request_id: RequestId::new(now).to_string(),
    };
    let about = About {
        user: Some(&user.id),
        session: None,
    };
    let told = audit::row(Event::GlassBroken, By::Operator(now), about);
    let proven = Proven {
        amr: &[],
        proof: Proof::Spent,
        spent: Unit::new().run(told),
    };
    let (grant, session) = opening(app, user, Carried::Token, proven, &asking)?;
    match (app.db.write(session).await, grant) {
        (Ok(_), Grant::Token { token, .. }) => Ok(Some(Secret::new(token))),
        (Ok(_), _) => Err(Error::bug(
            "a session that is carried by its token has none",
        )),
        (Err(db::Error::Touched { .. }), _) => Ok(None),
        (Err(error), _) => Err(error.into()),
    }
}
