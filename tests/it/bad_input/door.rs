//! A route as a caller meets it, and the good body that its declared fields ask for.

use std::cell::Cell;

use axum::http::{Method, StatusCode};
use doorward::http::body::{Field, Kind, Media};
use doorward::http::route::Who;
use serde_json::{Map, Value, json};

use crate::wire::probes::{is_in_the_place_of_another, told_no};

/// One line of the route table.
pub struct Door {
    pub method: Method,
    pub path: String,
    pub who: Who,
    pub fields: &'static [Field],
    pub media: Media,
    /// The statuses of a yes.
    pub yes: Vec<StatusCode>,
    /// The refusal that is as good as a yes: it read the body, and the code in it is nobody's.
    pub told_no: Option<(StatusCode, &'static str)>,
}

/// Every line of the route table.
pub fn all() -> Vec<Door> {
    doorward::router::table()
        .into_iter()
        .map(|route| Door {
            method: route.method.clone(),
            path: filled(route.path),
            told_no: told_no(&route.method, route.path),
            who: route.who,
            fields: route.body,
            media: route.media,
            yes: route.answers.iter().map(|answer| answer.status).collect(),
        })
        .collect()
}

/// The lines that read a body.
pub fn with_body() -> Vec<Door> {
    let doors: Vec<_> = all()
        .into_iter()
        .filter(|door| !door.fields.is_empty())
        .collect();
    assert!(doors.len() >= 3, "the table has lost its routes");
    doors
}

impl Door {
    /// What a body without this field is told, unless it may be without it. Some fields are wanted where nothing stands in for
    /// them: a cookie for a refresh token, a passkey for a code or a password.
    pub fn lack(&self, field: &Field) -> Option<String> {
        match (self.path.as_str(), field.name) {
            ("/auth/signin/second-factor", "code") | ("/auth/reauthenticate", "password") => {
                Some(format!(
                    "either {} is required, or ceremonyId and credential",
                    field.name
                ))
            }
            (_, "refreshToken") => Some("refreshToken is required".to_owned()),
            (_, name) => field.required.then(|| format!("{name} is required")),
        }
    }
}

/// A path with something in the place of each parameter.
fn filled(path: &str) -> String {
    path.split('/')
        .map(|part| if part.starts_with('{') { "x" } else { part })
        .collect::<Vec<_>>()
        .join("/")
}

/// What good bodies are made of. Every text in them holds the canary.
pub struct Filling {
    /// Part of everything that is sent; must turn up in no refusal and no log.
    pub canary: String,
    /// The address and the password of somebody who has an account.
    pub address: String,
    pub password: String,
    /// What renews their session, as often as it is sent: nobody goes on from what it gives.
    pub refresh_token: String,
    /// Whether the route wants an address that nobody has yet.
    pub wants_new_address: Cell<bool>,
    made: Cell<u32>,
}

impl Filling {
    pub fn new() -> Self {
        let canary = format!("canary{}", hex(doorward::secret::bytes::<8>()));
        Self {
            address: format!("{canary}@example.com"),
            password: format!("a long walk with {canary}"),
            canary,
            refresh_token: String::new(),
            wants_new_address: Cell::new(false),
            made: Cell::new(0),
        }
    }

    /// A body that the route says yes to.
    pub fn body(&self, door: &Door) -> Map<String, Value> {
        let fields = door.fields.iter();
        fields
            .filter(|field| !is_in_the_place_of_another(field))
            .map(|field| (field.name.to_owned(), self.value(field)))
            .collect()
    }

    /// A good value of this field.
    pub fn value(&self, field: &Field) -> Value {
        match field.kind {
            _ if field.name == "refreshToken" => self.refresh_token.as_str().into(),
            Kind::Email if self.wants_new_address.get() => {
                self.made.set(self.made.get() + 1);
                format!("{}-{}@example.com", self.canary, self.made.get()).into()
            }
            Kind::Email => self.address.as_str().into(),
            Kind::Password => self.password.as_str().into(),
            Kind::Text { .. } => self.canary.as_str().into(),
            Kind::Locale => "pt-BR".into(),
            Kind::Object { .. } => json!({self.canary.as_str(): [1, true, null, self.canary]}),
            Kind::Boolean => true.into(),
            Kind::OneOf(words) => words[0].into(),
        }
    }
}

fn hex(bytes: [u8; 8]) -> String {
    format!("{:016x}", u64::from_be_bytes(bytes))
}
