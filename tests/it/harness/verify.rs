//! What must hold after every test, whatever it did: each change has its audit row, nothing refers to nothing, no
//! address has two accounts, nothing secret was logged.

use db::{Db, sql};

use super::{Server, log};

/// What must find nothing, and what it means when it does. Differences of sets, so that many rows take no longer than
/// they must.
const NOTHING: &[(&str, &str)] = &[
    (
        "SELECT user_id AS id FROM sessions EXCEPT SELECT id FROM users",
        "a session of nobody",
    ),
    (
        "SELECT user_id AS id FROM passwords EXCEPT SELECT id FROM users",
        "a password of nobody",
    ),
    (
        "SELECT id FROM users EXCEPT SELECT user_id FROM audit WHERE event IN ('signed_up', 'user_created')",
        "an account that nobody is known to have made",
    ),
    (
        "SELECT id FROM sessions EXCEPT SELECT session_id FROM audit WHERE event IN ('signed_in', 'signed_up')",
        "a session that nobody is known to have begun",
    ),
    (
        "SELECT user_id AS id FROM passkeys EXCEPT SELECT user_id FROM audit WHERE event = 'passkey_added'",
        "a passkey that nobody is known to have registered",
    ),
    (
        "SELECT user_id AS id FROM recovery_codes EXCEPT SELECT user_id FROM totp EXCEPT SELECT user_id FROM passkeys",
        "recovery codes that stand in for nothing",
    ),
    (
        "SELECT id FROM users WHERE disabled_at IS NOT NULL \
         EXCEPT SELECT user_id FROM audit WHERE event = 'user_disabled'",
        "an account that nobody is known to have shut",
    ),
    (
        "SELECT user_id AS id, confirmed_at FROM totp WHERE confirmed_at IS NOT NULL \
         EXCEPT SELECT user_id, at FROM audit WHERE event = 'totp_enabled'",
        "an authenticator app that nobody is known to have confirmed",
    ),
    (
        "SELECT user_id AS id, created_at FROM recovery_codes \
         EXCEPT SELECT user_id, at FROM audit WHERE event = 'recovery_codes_made'",
        "recovery codes that nobody is known to have made",
    ),
    (
        "SELECT algorithm AS id FROM signing_keys WHERE NOT EXISTS \
         (SELECT 1 FROM audit WHERE event = 'key_created')",
        "a key that nobody is known to have made",
    ),
    (
        "SELECT min(id) AS id FROM users GROUP BY lower(email) HAVING count(*) > 1",
        "two accounts with one address",
    ),
];

pub async fn verify(server: &Server) {
    store(&server.app.db).await;
    let secrets = server.secrets.lock().unwrap();
    let leaked = log::leaked(server.logged_before, secrets.iter().map(String::as_str));
    assert!(leaked.is_empty(), "secrets were logged: {leaked:?}");
}

/// The part of it that the database can tell.
pub async fn store(db: &Db) {
    for (query, meaning) in NOTHING {
        let found = db.all(sql(query), |row| row.text("id")).await.unwrap();
        assert!(found.is_empty(), "{meaning}: {found:?}");
    }
    db.integrity().await.unwrap();
}
