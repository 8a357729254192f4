//! What must hold after every test, whatever it did: each change has its audit row, nothing refers to nothing, no
//! address has two accounts, nothing secret was logged.

use db::sql;

use super::{Server, log};

/// Counts that must be nought, and what it means when one is not.
const NONE: &[(&str, &str)] = &[
    (
        "SELECT CAST(count(*) AS BIGINT) AS n FROM sessions s WHERE NOT EXISTS (SELECT 1 FROM users u WHERE u.id = s.user_id)",
        "a session of nobody",
    ),
    (
        "SELECT CAST(count(*) AS BIGINT) AS n FROM passwords p WHERE NOT EXISTS (SELECT 1 FROM users u WHERE u.id = p.user_id)",
        "a password of nobody",
    ),
    (
        "SELECT CAST(count(*) AS BIGINT) AS n FROM users u WHERE NOT EXISTS (SELECT 1 FROM audit a WHERE a.user_id = u.id \
         AND a.event IN ('signed_up', 'user_created'))",
        "an account that nobody is known to have made",
    ),
    (
        "SELECT CAST(count(*) AS BIGINT) AS n FROM sessions s WHERE NOT EXISTS (SELECT 1 FROM audit a \
         WHERE a.session_id = s.id AND a.event IN ('signed_in', 'signed_up'))",
        "a session that nobody is known to have begun",
    ),
    (
        "SELECT CAST(count(*) AS BIGINT) AS n FROM users u WHERE u.disabled_at IS NOT NULL AND NOT EXISTS \
         (SELECT 1 FROM audit a WHERE a.user_id = u.id AND a.event = 'user_disabled')",
        "an account that nobody is known to have shut",
    ),
    (
        "SELECT CAST(count(*) AS BIGINT) AS n FROM signing_keys k WHERE NOT EXISTS \
         (SELECT 1 FROM audit a WHERE a.event = 'key_created')",
        "a key that nobody is known to have made",
    ),
    (
        "SELECT CAST(count(*) AS BIGINT) AS n FROM (SELECT lower(email) AS e FROM users GROUP BY lower(email) HAVING count(*) > 1) d",
        "two accounts with one address",
    ),
];

pub async fn verify(server: &Server) {
    for (query, meaning) in NONE {
        let found = server
            .app
            .db
            .one(sql(query), |row| row.int("n"))
            .await
            .unwrap();
        assert_eq!(found, Some(0), "{meaning}");
    }
    server.app.db.integrity().await.unwrap();
    for secret in server.secrets.lock().unwrap().iter() {
        assert!(!log::holds(secret), "a secret was logged: {secret}");
    }
}
