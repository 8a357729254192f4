//! Programs that may ask about tokens: how their names and secrets are written.

use std::fmt;

use super::values::Value;
use crate::secret::Secret;

/// The fewest characters of a secret: 32 of base64 are 192 bits.
const MIN_SECRET: usize = 32;
/// The most characters of a name.
const MAX_NAME: usize = 64;

/// A program that the operator gave a name and a secret.
#[derive(Debug, Clone)]
pub struct Client {
    /// Its name: letters, digits, `-`, `_` and `.`, so that it is the same in every encoding.
    pub name: String,
    /// Its secret: visible ASCII other than commas and percent signs, at least 32 characters.
    pub secret: Secret<String>,
}

impl fmt::Display for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:***", self.name)
    }
}

impl Value for Client {
    const FORM: &'static str = "a name, a colon and a secret of 32 characters or more, such as what `openssl rand -base64 32` \
                                makes; more clients after commas";
    const SECRET: bool = true;

    fn from_text(text: &str) -> Result<Self, String> {
        let (name, secret) = text
            .split_once(':')
            .ok_or("has no colon between a name and a secret")?;
        let is_letter = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
        if !(1..=MAX_NAME).contains(&name.len()) || !name.bytes().all(is_letter) {
            return Err(format!(
                "has a name that is not 1 to {MAX_NAME} letters, digits, -, _ and ."
            ));
        }
        // Some programs escape what they send as Authorization: Basic and some do not. Without a percent sign, no secret is
        // another one's escaped form.
        if !secret
            .bytes()
            .all(|byte| byte.is_ascii_graphic() && byte != b'%')
        {
            return Err(
                "has a secret with a blank, a percent sign or a letter beyond ASCII".to_owned(),
            );
        }
        if secret.len() < MIN_SECRET {
            return Err(format!("has a secret of less than {MIN_SECRET} characters"));
        }
        Ok(Self {
            name: name.to_owned(),
            secret: Secret::new(secret.to_owned()),
        })
    }

    fn to_text(&self) -> String {
        self.to_string()
    }
}
