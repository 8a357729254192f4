//! What the database holds, as text that can be compared.

use db::sql;
use doorward::app::App;

/// Every table but the audit trail, which tells of attempts as well, a line a row.
const TABLES: &[&str] = &[
    "SELECT 'user ' || id || ' ' || email || ' ' || email_key || ' ' || COALESCE(name, '-') || ' ' || COALESCE(locale, '-') || ' ' \
     || roles || ' ' || metadata || ' ' || CAST(email_verified AS TEXT) || ' ' || CAST(COALESCE(disabled_at, 0) AS TEXT) || ' ' \
     || CAST(updated_at AS TEXT) || ' ' || CAST(COALESCE(last_sign_in_at, 0) AS TEXT) AS line FROM users ORDER BY id",
    "SELECT 'password ' || user_id || ' ' || hash || ' ' || norm AS line FROM passwords ORDER BY user_id",
    "SELECT 'session ' || id || ' ' || user_id || ' ' || ip || ' ' || COALESCE(agent, '-') || ' ' \
     || CAST(COALESCE(ended_at, 0) AS TEXT) AS line FROM sessions ORDER BY id",
    "SELECT 'key ' || algorithm || ' ' || CAST(generation AS TEXT) || ' ' || CAST(COALESCE(verifies_until, 0) AS TEXT) AS line \
     FROM signing_keys ORDER BY algorithm, generation",
    "SELECT 'setting ' || name AS line FROM settings ORDER BY name",
];

/// The rows as they are now.
pub async fn all(app: &App) -> Vec<String> {
    let mut lines = Vec::new();
    for table in TABLES {
        lines.extend(
            app.db
                .all(sql(table), |row| row.text("line"))
                .await
                .unwrap(),
        );
    }
    lines
}

/// One row of the audit trail, about a request.
pub struct Audit {
    pub event: String,
    pub ip: String,
}

/// What the audit trail tells of the request `id`.
pub async fn audited(app: &App, id: &str) -> Vec<Audit> {
    let rows = sql("SELECT event, ip FROM audit WHERE request_id = $1").bind(id);
    let rows = app.db.all(rows, |row| {
        Ok(Audit {
            event: row.text("event")?,
            ip: row.text("ip")?,
        })
    });
    rows.await.unwrap()
}
