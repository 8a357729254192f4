//! The people who want to get on with it while somebody floods the sign-in, and what they send.

use anyhow::{Context as _, ensure};
use serde_json::{Value, json};

use crate::http::{Answer, Connection, post};

const PASSWORD: &str = "a long walk by the sea";

/// Somebody with an account, a session and a device that is known.
#[derive(Clone)]
pub(super) struct Person {
    email: String,
    /// In a network of their own.
    from: String,
    token: String,
    refresh_token: String,
    device: Value,
}

/// What one of them asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Wish {
    /// Who they are, by their token.
    Me,
    /// The next token.
    Refresh,
    /// Nothing, but whether the service is ready: what a load balancer asks.
    Health,
    /// To sign in with a device that was signed in with before.
    SignInOnKnownDevice,
    /// To sign in with address and password alone.
    SignInAsStranger,
}

impl Wish {
    /// All there are.
    pub(super) const ALL: [Self; 5] = [
        Self::Me,
        Self::Refresh,
        Self::Health,
        Self::SignInOnKnownDevice,
        Self::SignInAsStranger,
    ];

    /// As it is called in a table.
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Me => "GET /auth/me",
            Self::Refresh => "POST /auth/refresh",
            Self::Health => "GET /healthz",
            Self::SignInOnKnownDevice => "sign-in on a known device",
            Self::SignInAsStranger => "sign-in as a stranger",
        }
    }

    /// How often a second it is asked for: enough of them for a 99th percentile, and few enough not to be a load.
    pub(super) const fn rate(self) -> f64 {
        match self {
            Self::Me | Self::Health => 50.0,
            Self::Refresh => 20.0,
            Self::SignInOnKnownDevice | Self::SignInAsStranger => 2.0,
        }
    }

    /// Whether granting it takes a hash.
    pub(super) const fn is_sign_in(self) -> bool {
        matches!(self, Self::SignInOnKnownDevice | Self::SignInAsStranger)
    }
}

impl Person {
    /// Makes the account of this number, on a server that lets anybody.
    pub(super) fn new(
        connection: &mut Connection,
        host: &str,
        number: usize,
    ) -> anyhow::Result<Self> {
        let email = format!("person{number}@example.com");
        let from = format!("198.18.{number}.1");
        let body = json!({"email": email, "password": PASSWORD, "session": "refresh", "deviceToken": null});
        let answer = connection.ask(&post("/auth/signup", host, &from, &body))?;
        ensure!(
            answer.status == 201,
            "a sign-up was answered {}",
            answer.status
        );
        let mut told: Value = serde_json::from_slice(&answer.body)?;
        let text = |name: &str| told[name].as_str().map(str::to_owned).context("a text");
        let (token, refresh_token) = (text("token")?, text("refreshToken")?);
        let device = told["deviceToken"].take();
        ensure!(device.is_string(), "no device was told");
        Ok(Self {
            email,
            from,
            token,
            refresh_token,
            device,
        })
    }

    /// The request that asks for it.
    pub(super) fn request(&self, wish: Wish, host: &str) -> Vec<u8> {
        let Self {
            email,
            from,
            token,
            refresh_token,
            ..
        } = self;
        match wish {
            Wish::Me => get(
                "/auth/me",
                host,
                from,
                &format!("Authorization: Bearer {token}\r\n"),
            ),
            Wish::Health => get("/healthz", host, from, ""),
            Wish::Refresh => post(
                "/auth/refresh",
                host,
                from,
                &json!({"refreshToken": refresh_token}),
            ),
            Wish::SignInOnKnownDevice => post("/auth/signin", host, from, &self.on_known_device()),
            Wish::SignInAsStranger => post(
                "/auth/signin",
                host,
                from,
                &json!({"email": email, "password": PASSWORD}),
            ),
        }
    }

    /// What signs them in on the device that they signed up with.
    pub(super) fn on_known_device(&self) -> Value {
        json!({"email": self.email, "password": PASSWORD, "deviceToken": self.device})
    }

    /// Keeps what the answer gives for the next time.
    pub(super) fn take(&mut self, wish: Wish, answer: &Answer) -> anyhow::Result<()> {
        if wish == Wish::Refresh && answer.status == 200 {
            let told: Value = serde_json::from_slice(&answer.body)?;
            let successor = told["refreshToken"].as_str().context("a refresh token")?;
            successor.clone_into(&mut self.refresh_token);
        }
        Ok(())
    }
}

fn get(path: &str, host: &str, from: &str, more: &str) -> Vec<u8> {
    format!("GET {path} HTTP/1.1\r\nHost: {host}\r\nX-Forwarded-For: {from}\r\n{more}\r\n")
        .into_bytes()
}
