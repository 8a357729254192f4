//! An authenticator app: what it was told by the URL, and the codes that it shows; `oathtool` makes them, which knows nothing
//! of our code.

use std::process::Command;

use doorward::clock::Timestamp;
use serde_json::{Value, json};

use super::{Answer, Server};

/// How long an app shows a code.
pub const PERIOD: i64 = 30;

/// An app on somebody's phone.
#[derive(Debug, Clone)]
pub struct Phone {
    /// In base 32.
    pub secret: String,
    algorithm: String,
    digits: String,
}

impl Phone {
    /// Somebody begins with an app, as the holder of a token.
    pub async fn enrols(server: &Server, token: &str) -> Self {
        let answer = server.post_as(token, "/auth/totp", &json!({})).await;
        assert_eq!(answer.status, 200, "{answer:?}");
        let url = answer.json()["otpauthUrl"].as_str().unwrap();
        for secret in ["secret", "otpauthUrl", "qrSvg"] {
            server.must_stay_unseen(answer.json()[secret].as_str().unwrap());
        }
        Self::told(url)
    }

    /// What an app makes of the URL.
    pub fn told(url: &str) -> Self {
        let (_, query) = url.split_once('?').unwrap();
        let told = |name: &str| {
            let mut pairs = query.split('&').filter_map(|pair| pair.split_once('='));
            let (_, value) = pairs.find(|(known, _)| *known == name).unwrap();
            value.to_owned()
        };
        assert_eq!(told("period"), PERIOD.to_string());
        Self {
            secret: told("secret"),
            algorithm: told("algorithm"),
            digits: told("digits"),
        }
    }

    /// Somebody has an app that counts, and recovery codes.
    pub async fn is_set_up(server: &Server, token: &str) -> (Self, Vec<String>) {
        let phone = Self::enrols(server, token).await;
        let answer = phone.confirms(server, token).await;
        assert_eq!(answer.status, 200, "{answer:?}");
        (phone, recovery_codes(server, &answer))
    }

    /// Somebody shows that it is set up right.
    pub async fn confirms(&self, server: &Server, token: &str) -> Answer {
        confirms(server, token, &json!(self.shows(server.clock.now()))).await
    }

    /// What it shows at a moment.
    pub fn shows(&self, at: Timestamp) -> String {
        let output = Command::new("oathtool")
            .arg(format!("--totp={}", self.algorithm))
            .args(["--base32", "--digits", &self.digits])
            .args(["--now", &format!("@{}", at.seconds()), &self.secret])
            .output()
            .expect("oathtool is on this machine; dev/install installs it");
        assert!(output.status.success(), "{output:?}");
        String::from_utf8(output.stdout).unwrap().trim().to_owned()
    }

    /// What it shows some steps from now.
    pub fn shows_in(&self, server: &Server, steps: i64) -> String {
        let micros = server.clock.now().micros() + steps * PERIOD * 1_000_000;
        self.shows(Timestamp::from_micros(micros))
    }
}

/// Confirms an app by a code.
pub async fn confirms(server: &Server, token: &str, code: &Value) -> Answer {
    let body = json!({"code": code});
    server.post_as(token, "/auth/totp/confirm", &body).await
}

/// The recovery codes in an answer.
pub fn recovery_codes(server: &Server, answer: &Answer) -> Vec<String> {
    let codes = answer.json()["recoveryCodes"].as_array().unwrap();
    let codes = codes.iter().map(|code| code.as_str().unwrap().to_owned());
    codes
        .inspect(|code| server.must_stay_unseen(code))
        .collect()
}
