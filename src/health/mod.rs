//! Whether the service lives and whether it can serve: a true round trip to the database, never a hash.

pub mod routes;

use serde::Serialize;

use crate::app::App;

/// The answer to a probe.
#[derive(Debug, Serialize)]
pub struct Health {
    status: &'static str,
    checks: Checks,
}

/// What was looked at; absent when it was not.
#[derive(Debug, Default, Serialize)]
struct Checks {
    #[serde(skip_serializing_if = "Option::is_none")]
    database: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    serving: Option<&'static str>,
}

impl Health {
    /// The process answers.
    pub fn live() -> Self {
        Self {
            status: "ok",
            checks: Checks::default(),
        }
    }

    /// The database answers, and the service is not about to stop.
    pub async fn ready(app: &App) -> Self {
        let database = match app.db.ping().await {
            Ok(()) => "ok",
            Err(error) => {
                tracing::warn!(%error, "not ready: the database does not answer");
                "unavailable"
            }
        };
        let serving = if app.is_draining() { "draining" } else { "ok" };
        let status = if database == "ok" && serving == "ok" {
            "ok"
        } else {
            "unavailable"
        };
        Self {
            status,
            checks: Checks {
                database: Some(database),
                serving: Some(serving),
            },
        }
    }

    /// Whether every check said yes.
    pub fn is_ok(&self) -> bool {
        self.status == "ok"
    }
}
