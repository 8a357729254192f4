//! How a body is read: one JSON object, or at an OAuth endpoint one form; each name once, UTF-8, uncompressed, small, in
//! time; then checked against the fields that the route declares, all problems at once. What a route did not declare is ignored and never stored.

use std::borrow::Cow;
use std::time::Duration;

use axum::extract::{FromRequest, Request};
use axum::http::{HeaderMap, header};
use http_body_util::{BodyExt as _, LengthLimitError, Limited};
use serde_json::{Map, Value};

use crate::error::{Error, Refusal};
use crate::http::{strict_form, strict_json};
use crate::secret::Secret;

/// No meant body comes near this; what is larger is refused before it is read whole.
pub const MAX_BYTES: usize = 64 * 1024;
/// How long a body may take to arrive.
pub const MAX_TIME: Duration = Duration::from_secs(10);
/// Longer passwords are refused before they are hashed, in characters.
pub const MAX_PASSWORD: usize = 1_024;

/// What a body is written in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Media {
    /// One object (RFC 8259).
    Json,
    /// A form, whose values are texts: what OAuth endpoints read (RFC 6749 appendix B).
    Form,
}

/// A field that a route reads.
#[derive(Debug, Clone, Copy)]
pub struct Field {
    /// Its name in the object.
    pub name: &'static str,
    /// What it may hold.
    pub kind: Kind,
    /// Whether it must be there. An optional one may be `null`, which is the same as absent unless the route says more.
    pub required: bool,
    /// One sentence for the OpenAPI document.
    pub about: &'static str,
}

/// What a field may hold.
#[derive(Debug, Clone, Copy)]
pub enum Kind {
    /// An e-mail address; its form is judged where accounts are known.
    Email,
    /// A password of at most [`MAX_PASSWORD`] characters, taken as it is.
    Password,
    /// Words of at most `max` characters, without control characters.
    Text {
        /// In characters.
        max: usize,
    },
    /// A language tag (RFC 5646), of at most 35 characters.
    Locale,
    /// An object for the application's own use, of at most `max` bytes as JSON.
    Object {
        /// In bytes.
        max: usize,
    },
    /// True or false.
    Boolean,
    /// One of these words.
    OneOf(&'static [&'static str]),
}

impl Field {
    /// A field that must be there.
    pub const fn required(name: &'static str, kind: Kind, about: &'static str) -> Self {
        Self {
            name,
            kind,
            required: true,
            about,
        }
    }

    /// A field that may be left out.
    pub const fn optional(name: &'static str, kind: Kind, about: &'static str) -> Self {
        Self {
            name,
            kind,
            required: false,
            about,
        }
    }

    /// What is wrong with `value`, in words that do not repeat it.
    fn problem(&self, value: Option<&Value>) -> Option<Cow<'static, str>> {
        let name = self.name;
        let value = match value {
            None | Some(Value::Null) if self.required => {
                return Some(format!("{name} is required").into());
            }
            None | Some(Value::Null) => return None,
            Some(value) => value,
        };
        let wrong = match (self.kind, value) {
            (Kind::Object { max }, Value::Object(_)) if value.to_string().len() > max => {
                format!("must be at most {max} bytes long as JSON")
            }
            (Kind::Object { .. }, Value::Object(_)) | (Kind::Boolean, Value::Bool(_)) => {
                return None;
            }
            (Kind::Object { .. }, _) => "must be an object".into(),
            (Kind::Boolean, _) => "must be true or false".into(),
            (kind, Value::String(text)) => kind.wrong(text)?,
            (Kind::OneOf(words), _) => one_of(words),
            (_, _) => "must be a string".into(),
        };
        Some(format!("{name} {wrong}").into())
    }

    /// Accepts a text that came another way than in a body, by the same rules.
    pub fn accept(&self, text: &str) -> Result<(), Refusal> {
        match self.kind.wrong(text) {
            Some(wrong) => Err(Refusal::invalid(format!("{} {wrong}", self.name))),
            None => Ok(()),
        }
    }
}

impl Kind {
    /// What is wrong with a text, in words that do not repeat it.
    fn wrong(self, text: &str) -> Option<String> {
        let is_longer_than = |max| text.chars().count() > max;
        match self {
            Self::Email | Self::Password if text.is_empty() => Some("should not be empty".into()),
            Self::Password if is_longer_than(MAX_PASSWORD) => Some(at_most(MAX_PASSWORD)),
            Self::Text { max } if is_longer_than(max) => Some(at_most(max)),
            Self::Text { .. } if text.chars().any(char::is_control) => {
                Some("must not hold control characters".into())
            }
            Self::Locale if !is_language_tag(text) => {
                Some("must be a language tag such as en or pt-BR".into())
            }
            Self::OneOf(words) if !words.contains(&text) => Some(one_of(words)),
            Self::Object { .. } => Some("must be an object".into()),
            Self::Boolean => Some("must be true or false".into()),
            _ => None,
        }
    }
}

fn at_most(max: usize) -> String {
    format!("must be at most {max} characters long")
}

fn one_of(words: &[&str]) -> String {
    format!("must be one of: {}", words.join(", "))
}

/// RFC 5646 in outline: subtags of one to eight letters and digits, joined by hyphens, the first of letters.
fn is_language_tag(text: &str) -> bool {
    let mut subtags = text.split('-');
    text.len() <= 35
        && subtags.next().is_some_and(|first| {
            (2..=8).contains(&first.len()) && first.bytes().all(|byte| byte.is_ascii_alphabetic())
        })
        && subtags.all(|subtag| {
            (1..=8).contains(&subtag.len())
                && subtag.bytes().all(|byte| byte.is_ascii_alphanumeric())
        })
}

/// The declared fields of a route, carried to its handler's extractor by the router.
#[derive(Clone, Copy)]
pub struct Declared {
    /// The fields.
    pub fields: &'static [Field],
    /// What they are written in.
    pub media: Media,
}

/// A body that was read and found to fit what its route declares.
pub struct Fields(Map<String, Value>);

/// An optional field that tells "leave it" from "clear it".
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Change<T> {
    /// The field was not there.
    Keep,
    /// The field was `null`.
    Clear,
    /// The field has a value.
    Set(T),
}

impl Fields {
    /// The text of a required field.
    pub fn required(&mut self, name: &str) -> Result<String, Error> {
        self.text(name)
            .ok_or_else(|| Error::bug(format_args!("{name} is not declared as required")))
    }

    /// A required password, taken into custody.
    pub fn password(&mut self, name: &str) -> Result<Secret<String>, Error> {
        self.required(name).map(Secret::new)
    }

    /// An optional secret, taken into custody.
    pub fn secret(&mut self, name: &str) -> Option<Secret<String>> {
        self.text(name).map(Secret::new)
    }

    /// The text of an optional field.
    pub fn text(&mut self, name: &str) -> Option<String> {
        match self.0.remove(name) {
            Some(Value::String(text)) => Some(text),
            _ => None,
        }
    }

    /// Whether an optional field is true.
    pub fn is_set(&mut self, name: &str) -> bool {
        self.0.remove(name) == Some(Value::Bool(true))
    }

    /// An optional object, as JSON text.
    pub fn object(&mut self, name: &str) -> Option<String> {
        match self.0.remove(name) {
            Some(value @ Value::Object(_)) => Some(value.to_string()),
            _ => None,
        }
    }

    /// What is to become of the optional text `name`.
    pub fn change(&mut self, name: &str) -> Change<String> {
        match self.0.remove(name) {
            None => Change::Keep,
            Some(Value::String(text)) => Change::Set(text),
            Some(Value::Null) => Change::Clear,
            Some(other) => Change::Set(other.to_string()),
        }
    }

    fn check(mut object: Map<String, Value>, declared: &[Field]) -> Result<Self, Refusal> {
        let problems: Vec<_> = declared
            .iter()
            .filter_map(|field| field.problem(object.get(field.name)))
            .collect();
        // What is not declared is not held either: it may weigh far more here than it did on its way.
        object.retain(|name, _| declared.iter().any(|field| field.name == name));
        if problems.is_empty() {
            Ok(Self(object))
        } else {
            Err(Refusal::Invalid(problems))
        }
    }
}

impl<S: Sync> FromRequest<S> for Fields {
    type Rejection = Error;

    async fn from_request(request: Request, _: &S) -> Result<Self, Error> {
        let Some(Declared { fields, media }) = request.extensions().get::<Declared>().copied()
        else {
            return Err(Error::bug(
                "a handler reads a body that its route does not declare",
            ));
        };
        let is_untold = !request.headers().contains_key(header::CONTENT_TYPE);
        if is_untold && fields.iter().all(|field| !field.required) {
            // Whoever has nothing to say need not say it in JSON.
            return match read(request).await? {
                empty if empty.is_empty() => Ok(Self(Map::new())),
                _ => Err(media.missed().into()),
            };
        }
        media.is_told(request.headers())?;
        let bytes = read(request).await?;
        Ok(Self::check(media.object(&bytes)?, fields)?)
    }
}

impl Media {
    /// Its name, without parameters.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Json => "application/json",
            Self::Form => "application/x-www-form-urlencoded",
        }
    }

    fn missed(self) -> Refusal {
        Refusal::UnsupportedMediaType {
            wanted: self.name(),
        }
    }

    /// Whether the headers announce a body of this kind: once, with no charset or UTF-8 (RFC 8259 section 8.1), not
    /// compressed.
    ///
    /// # Errors
    /// [`Refusal::UnsupportedMediaType`] when they do not.
    pub fn is_told(self, headers: &HeaderMap) -> Result<(), Refusal> {
        let is_told = is_plain(headers, self.name()).unwrap_or(false);
        if is_told { Ok(()) } else { Err(self.missed()) }
    }

    fn object(self, bytes: &[u8]) -> Result<Map<String, Value>, Refusal> {
        match self {
            Self::Json => {
                strict_json::object(bytes).map_err(|error| Refusal::BadJson { at: place(&error) })
            }
            Self::Form => strict_form::object(bytes).map_err(|_| {
                Refusal::invalid("the body must be a form in UTF-8, with each name once")
            }),
        }
    }
}

fn is_plain(headers: &HeaderMap, wanted: &str) -> Option<bool> {
    let mut types = headers.get_all(header::CONTENT_TYPE).iter();
    let media_type = types.next()?.to_str().ok()?;
    let mut parts = media_type.split(';').map(str::trim);
    let is_wanted = parts.next()?.eq_ignore_ascii_case(wanted) && types.next().is_none();
    let is_utf8 = parts.all(|parameter| {
        let (name, value) = parameter.split_once('=').unwrap_or((parameter, "utf-8"));
        !name.eq_ignore_ascii_case("charset")
            || value.trim_matches('"').eq_ignore_ascii_case("utf-8")
    });
    let is_plain = headers
        .get_all(header::CONTENT_ENCODING)
        .iter()
        .all(|coding| coding.as_bytes().eq_ignore_ascii_case(b"identity"));
    Some(is_wanted && is_utf8 && is_plain)
}

async fn read(request: Request) -> Result<bytes::Bytes, Error> {
    let announced = request
        .headers()
        .get(header::CONTENT_LENGTH)
        .and_then(|length| length.to_str().ok()?.parse().ok());
    if announced.is_some_and(|length: u64| length > MAX_BYTES as u64) {
        return Err(Refusal::PayloadTooLarge.into());
    }
    let body = Limited::new(request.into_body(), MAX_BYTES).collect();
    match tokio::time::timeout(MAX_TIME, body).await {
        Ok(Ok(body)) => Ok(body.to_bytes()),
        Ok(Err(error)) if error.is::<LengthLimitError>() => Err(Refusal::PayloadTooLarge.into()),
        Ok(Err(_)) => Err(Refusal::BadJson {
            at: "the point where the connection broke off".to_owned(),
        }
        .into()),
        Err(_) => Err(Refusal::RequestTimeout.into()),
    }
}

fn place(error: &serde_json::Error) -> String {
    if error.line() == 0 {
        "its beginning".to_owned()
    } else {
        format!("line {}, column {}", error.line(), error.column())
    }
}
