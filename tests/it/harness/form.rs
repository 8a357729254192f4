//! What programs send to OAuth endpoints: forms, and a name and a secret.

use std::fmt::Write as _;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;

/// The name and the secret of a client that every service of the tests knows.
pub const CLIENT: (&str, &str) = ("orders", "a-secret+of/a=client:that~everyone_knows");

/// The media type of a form.
pub const FORM: &str = "application/x-www-form-urlencoded";

/// A form of these names and values.
pub fn form<'a>(pairs: impl IntoIterator<Item = (&'a str, &'a str)>) -> String {
    let pairs = pairs
        .into_iter()
        .map(|(name, value)| format!("{}={}", escaped(name), escaped(value)));
    pairs.collect::<Vec<_>>().join("&")
}

/// The same of an object of texts.
pub fn form_of(object: &Value) -> String {
    let pairs = object.as_object().unwrap().iter();
    form(pairs.map(|(name, value)| (name.as_str(), value.as_str().unwrap())))
}

/// As a form has it: nothing stands for itself but letters, digits and four marks.
pub fn escaped(text: &str) -> String {
    text.bytes().fold(String::new(), |mut escaped, byte| {
        match byte {
            b' ' => escaped.push('+'),
            byte if byte.is_ascii_alphanumeric() || b"-_.*".contains(&byte) => {
                escaped.push(byte.into());
            }
            byte => write!(escaped, "%{byte:02X}").unwrap(),
        }
        escaped
    })
}

/// The value of `Authorization: Basic` for a name and a secret as they stand.
pub fn basic(name: &str, secret: &str) -> String {
    format!("Basic {}", STANDARD.encode(format!("{name}:{secret}")))
}
