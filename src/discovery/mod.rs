//! What a client can ask before it knows anybody: which ways in are open, what a password must be, and every route
//! there is, for programs (OpenAPI 3.1) and for people (a page without foreign scripts).

pub mod pages;
pub mod routes;

use serde::Serialize;

use crate::config::Config;
use crate::http::body::MAX_PASSWORD;

/// What a form of the application's own needs to know.
#[derive(Debug, Serialize)]
pub struct Offer {
    signup: SignUp,
    methods: Vec<&'static str>,
    password: Password,
}

#[derive(Debug, Serialize)]
struct SignUp {
    enabled: bool,
    answer: &'static str,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Password {
    min_length: u32,
    max_length: usize,
}

impl Offer {
    /// What this configuration offers.
    pub fn of(config: &Config) -> Self {
        Self {
            signup: SignUp {
                enabled: config.signup.enabled,
                answer: config.signup.answer.as_str(),
            },
            methods: methods(config),
            password: Password {
                min_length: config.password.min_length,
                max_length: MAX_PASSWORD,
            },
        }
    }
}

/// The ways in: what a form may ask for.
fn methods(config: &Config) -> Vec<&'static str> {
    let passkey = config.public_url.origin().may_have_passkeys();
    ["password"]
        .into_iter()
        .chain(passkey.then_some("passkey"))
        .collect()
}
