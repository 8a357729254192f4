//! Roles: how their names are written, in settings as elsewhere.

use super::values::Value;

/// The most characters of a name: all of somebody's roles travel in every token.
const MAX_NAME: usize = 64;

/// What the application allows somebody, by its name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Role(String);

impl Role {
    /// What a name is, in words that complete "a role is".
    pub const NAME: &'static str = "1 to 64 letters of ASCII, digits and -._:/ without blanks";

    /// Whether a role may be called so: it stands between the commas of a list or in a URL without being escaped.
    pub fn is_name(text: &str) -> bool {
        (1..=MAX_NAME).contains(&text.len())
            && text
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || b"-._:/".contains(&byte))
    }

    /// Its name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Value for Role {
    const FORM: &'static str = "names of roles, such as admin, with commas between them";

    fn from_text(text: &str) -> Result<Self, String> {
        if Self::is_name(text) {
            Ok(Self(text.to_owned()))
        } else {
            Err(format!("is not {}", Self::NAME))
        }
    }

    fn to_text(&self) -> String {
        self.0.clone()
    }
}
