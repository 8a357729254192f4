//! The real service in this process: its router, its database, its limits; only its clock is ours, and its hashes are cheap.

use std::net::IpAddr;
use std::path::Path;
use std::time::Duration;

use anyhow::{Context as _, ensure};
use axum::body::{Body, to_bytes};
use axum::http::{Request, header};
use db::{Counts, Db};
use doorward::app::{App, MIGRATIONS};
use doorward::clock::{Clock, Timestamp};
use doorward::config::{self, Inputs};
use doorward::http::client::Peer;
use doorward::router::Front;
use doorward::secret;
use serde_json::{Value, json};
use tower::ServiceExt as _;

/// When a simulation begins: noon of the first of June 2026, UTC.
const BEGINNING: Timestamp = Timestamp::from_micros(1_780_315_200_000_000);
/// No answer that is asked for here comes near this, in bytes.
const MAX_ANSWER: usize = 1 << 16;

/// A service with its usual limits.
#[derive(Clone)]
pub(crate) struct Service {
    app: App,
    clock: Clock,
    router: Front,
}

/// An address and a password, and what tells the device: `null` to be given one, nothing to stay a stranger.
pub(crate) struct Attempt<'a> {
    pub(crate) email: &'a str,
    pub(crate) password: &'a str,
    pub(crate) device: Option<Value>,
}

/// What came back.
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) retry_after: Option<Duration>,
    pub(crate) device: Option<Value>,
    pub(crate) token: Option<String>,
}

impl Service {
    /// On a new database at `url`, with files in `folder`.
    pub(crate) async fn open(url: &str, folder: &Path) -> anyhow::Result<Self> {
        let settings = [
            ("public_url", "http://localhost:8080"),
            ("password.argon2.memory_kib", "8"),
            ("password.argon2.iterations", "1"),
            // Nobody is turned away because this machine is busy: each guess is looked at that may be.
            ("password.max_wait", "20s"),
        ];
        let owned = |(key, value): (&str, &str)| (key.to_owned(), value.to_owned());
        let inputs = Inputs {
            flags: settings.map(owned).to_vec(),
            dev: true,
            ..Inputs::default()
        };
        let loaded = config::load(&inputs).map_err(|errors| anyhow::anyhow!("{errors}"))?;
        let mut config = loaded.config;
        folder.clone_into(&mut config.data_dir);
        let clock = Clock::fixed(BEGINNING);
        let db = Db::open(url, MIGRATIONS).await?;
        let app = App::open(config, &secret::token(), clock.clone(), db).await?;
        let router = doorward::router::router(&app);
        Ok(Self { app, clock, router })
    }

    /// Time passes.
    pub(crate) fn wait(&self, span: Duration) {
        self.clock.advance(span);
    }

    /// Makes an account.
    pub(crate) async fn sign_up(
        &self,
        from: IpAddr,
        email: &str,
        password: &str,
    ) -> anyhow::Result<()> {
        let body = json!({"email": email, "password": password});
        let answer = self.post("/auth/signup", from, &body).await?;
        ensure!(
            answer.status == 201,
            "the sign-up was answered {}",
            answer.status
        );
        Ok(())
    }

    /// Tries an address and a password.
    pub(crate) async fn sign_in(
        &self,
        from: IpAddr,
        attempt: Attempt<'_>,
    ) -> anyhow::Result<Answer> {
        let mut body = json!({"email": attempt.email, "password": attempt.password});
        if let Some(device) = attempt.device {
            body["deviceToken"] = device;
        }
        self.post("/auth/signin", from, &body).await
    }

    /// Asks who the bearer of a token is.
    pub(crate) async fn me(&self, from: IpAddr, token: &str) -> anyhow::Result<Answer> {
        let request = Request::get("/auth/me")
            .header(header::AUTHORIZATION, format!("Bearer {token}"))
            .body(Body::empty())?;
        self.ask(request, from).await
    }

    async fn post(&self, path: &str, from: IpAddr, body: &Value) -> anyhow::Result<Answer> {
        let request = Request::post(path)
            .header(header::CONTENT_TYPE, "application/json")
            .body(Body::from(body.to_string()))?;
        self.ask(request, from).await
    }

    async fn ask(&self, mut request: Request<Body>, from: IpAddr) -> anyhow::Result<Answer> {
        request.extensions_mut().insert(Peer {
            address: (from, 50_000).into(),
            tls: false,
        });
        let answer = self.router.clone().oneshot(request).await?;
        let status = answer.status().as_u16();
        let retry_after = answer.headers().get(header::RETRY_AFTER);
        let retry_after = retry_after.and_then(|value| value.to_str().ok()?.parse().ok());
        let bytes = to_bytes(answer.into_body(), MAX_ANSWER).await?;
        let mut body: Value =
            serde_json::from_slice(&bytes).context("an answer that is not JSON")?;
        Ok(Answer {
            status,
            retry_after: retry_after.map(Duration::from_secs),
            device: body.get_mut("deviceToken").map(Value::take),
            token: body["token"].as_str().map(str::to_owned),
        })
    }

    /// What was asked of its database.
    pub(crate) fn counts(&self) -> Counts {
        self.app.db.counts()
    }

    /// Ends its threads.
    pub(crate) async fn close(self) {
        self.app.passwords.stop().await;
        self.app.db.close().await;
    }
}
