//! Introspection (RFC 7662): a back end asks whether a token is good, and what it says. Who verifies signatures alone
//! believes a token until it expires; who asks learns at once that its session has ended.

pub mod routes;

use aws_lc_rs::constant_time::verify_slices_are_equal;
use aws_lc_rs::digest::{SHA256, digest};
use serde_json::{Map, Value};

use crate::app::App;
use crate::clock::Timestamp;
use crate::config::Client;
use crate::error::Error;
use crate::secret::Secret;
use crate::tokens::Claims;

/// What there is to say of `token`: `active`, and where that is true every claim of the token and its `token_type`.
///
/// Only an access token of ours whose time has not passed and whose session nobody ended is active. Of anything else, a
/// refresh token or a cookie too, nothing is said but that it is not (section 2.2). The database is asked only where this
/// node cannot tell by itself.
///
/// # Errors
/// Only where it cannot be told, never as a way of saying no.
pub async fn introspect(
    app: &App,
    token: &str,
    now: Timestamp,
) -> Result<Map<String, Value>, Error> {
    let mut told = Map::new();
    told.insert("active".to_owned(), false.into());
    let Ok((believed, said)) = app.tokens.verify_whole(token, now) else {
        return Ok(told);
    };
    let Claims { sub, sid } = &believed.claims;
    let is_live = app.revocations.is_live(&app.db, sid, sub, now);
    if is_live.await? {
        told.extend(said);
        told.insert("active".to_owned(), true.into());
        told.insert("token_type".to_owned(), "Bearer".into());
    }
    Ok(told)
}

/// Whether `name` and `secret` are those of one of `clients`. It takes as long for a name that none has as for a wrong
/// secret, and tells nothing of how wrong either is: every client is compared, and only digests are.
pub fn is_client(clients: &[Client], name: &str, secret: &Secret<String>) -> bool {
    let given = print(name, secret);
    clients.iter().fold(false, |found, client| {
        let known = print(&client.name, &client.secret);
        found | verify_slices_are_equal(&known, &given).is_ok()
    })
}

fn print(name: &str, secret: &Secret<String>) -> [u8; 64] {
    let mut print = [0; 64];
    print[..32].copy_from_slice(digest(&SHA256, name.as_bytes()).as_ref());
    print[32..].copy_from_slice(digest(&SHA256, secret.expose().as_bytes()).as_ref());
    print
}
