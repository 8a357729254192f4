//! One route under trial: what is sent to it, and what must hold afterwards.

use std::cell::{Cell, RefCell};

use axum::body::{Body, Bytes};
use axum::http::{Request, header};
use doorward::http::body::{Field, Kind, Media};
use doorward::http::route::Who;
use serde_json::{Map, Value, json};

use super::door::{self, Door, Filling};
use super::oracle;
use crate::harness::form::{FORM, basic};
use crate::harness::phone::Phone;
use crate::harness::rows::{self, Rows};
use crate::harness::{Answer, CLIENT, Server, server};
use crate::wire::probes::written;

/// Header lines.
pub type Lines = [(&'static str, &'static str)];

/// A route, and somebody whom it lets in.
pub struct Trial<'a> {
    pub server: &'a Server,
    pub door: Door,
    pub filling: Filling,
    token: RefCell<String>,
    judged: Cell<u32>,
}

/// Tries every route that reads a body, each with `cases`. A set of cases that no route is tried with is a mistake.
pub async fn at_each_door(cases: impl AsyncFn(&Trial)) {
    at_doors(|_| true, cases).await;
}

/// The same for routes that read JSON.
pub async fn at_each_json_door(cases: impl AsyncFn(&Trial)) {
    at_doors(|door| door.media == Media::Json, cases).await;
}

/// The same for routes that read a form.
pub async fn at_each_form_door(cases: impl AsyncFn(&Trial)) {
    at_doors(|door| door.media == Media::Form, cases).await;
}

async fn at_doors(which: fn(&Door) -> bool, cases: impl AsyncFn(&Trial)) {
    server(async |server| {
        let mut judged = 0;
        for door in door::with_body().into_iter().filter(which) {
            let trial = Trial::begin(server, door).await;
            cases(&trial).await;
            trial.end().await;
            judged += trial.judged.get();
        }
        assert!(judged > 0, "no route was tried");
    })
    .await;
}

impl<'a> Trial<'a> {
    pub async fn begin(server: &'a Server, door: Door) -> Self {
        let mut filling = Filling::new();
        server.must_stay_unseen(&filling.canary);
        let account =
            json!({"email": filling.address, "password": filling.password, "session": "refresh"});
        let signed_up = server.post("/auth/signup", &account).await;
        let refresh_token = signed_up.json()["refreshToken"].as_str().unwrap();
        filling.refresh_token = refresh_token.to_owned();
        let trial = Self {
            server,
            token: RefCell::new(signed_up.token().unwrap().to_owned()),
            door,
            filling,
            judged: Cell::new(0),
        };
        if trial.door.path.starts_with("/auth/totp/") {
            Phone::enrols(server, &trial.token()).await;
        }
        // A route about an account that there is and one about an account to be made declare the same field.
        let with_known = trial.send(trial.told(), trial.good()).await;
        trial
            .filling
            .wants_new_address
            .set(!trial.is_yes(&with_known));
        trial.lets_in("the first good body").await;
        trial
    }

    async fn end(&self) {
        let trail = rows::trail(&self.server.app.db).await;
        let canary = &self.filling.canary;
        assert!(!trail.hold(canary), "{self}: the trail holds what was sent");
        assert_eq!(
            self.server.app.passwords.counts().panicked,
            0,
            "{self}: a hash thread panicked"
        );
    }

    /// A body that the route takes, as an object that a case can spoil.
    pub fn good_body(&self) -> Map<String, Value> {
        self.filling.body(&self.door)
    }

    /// The same, as it is sent.
    pub fn good(&self) -> String {
        self.written(self.good_body())
    }

    /// An object as the route reads it.
    pub fn written(&self, body: Map<String, Value>) -> String {
        written(self.door.media, &body.into())
    }

    /// The header lines that say what the body is.
    pub fn told(&self) -> &'static Lines {
        match self.door.media {
            Media::Json => &[("content-type", "application/json")],
            Media::Form => &[("content-type", FORM)],
        }
    }

    /// A body that is good but for one field.
    pub fn with(&self, field: &str, value: impl Into<Value>) -> String {
        let mut body = self.good_body();
        body.insert(field.to_owned(), value.into());
        self.written(body)
    }

    /// The same, where `value` is JSON as it is to be written.
    pub fn with_raw(&self, field: &str, value: &str) -> String {
        const PLACE: &str = "here stands the value";
        self.with(field, PLACE)
            .replacen(&format!("\"{PLACE}\""), value, 1)
    }

    /// The fields of some kind.
    pub fn fields(&self, kind: fn(Kind) -> bool) -> impl Iterator<Item = &'static Field> + use<> {
        self.door
            .fields
            .iter()
            .filter(move |field| kind(field.kind))
    }

    /// Refuses `body` with `status` and is none the worse for it.
    pub async fn refuses(&self, status: u16, body: impl Into<Bytes>) -> Answer {
        self.refuses_as(status, self.told(), body).await
    }

    /// The same, and says exactly this about the fields.
    pub async fn refuses_saying(&self, problems: &[&str], body: impl Into<Bytes>) {
        let answer = self.refuses(400, body).await;
        match self.door.media {
            Media::Json => {
                assert_eq!(answer.code(), "validation_failed", "{self}: {answer:?}");
                assert_eq!(answer.json()["message"], json!(problems), "{self}");
            }
            Media::Form => {
                let said = problems.join("; ");
                assert_eq!(answer.json()["error_description"], said, "{self}");
            }
        }
    }

    /// The same, under headers of the case's own.
    pub async fn refuses_as(
        &self,
        status: u16,
        headers: &[(&str, &str)],
        body: impl Into<Bytes>,
    ) -> Answer {
        let body = body.into();
        let about = format!("{self} given {headers:?} {}", shown(&body));
        let send = || Body::from(body.clone());
        self.refuses_any(status, headers, send, &about).await
    }

    /// The same for a body that does not end.
    pub async fn refuses_stream(
        &self,
        status: u16,
        headers: &[(&str, &str)],
        body: impl Fn() -> Body,
    ) {
        let about = format!("{self} given {headers:?} and a stream");
        self.refuses_any(status, headers, body, &about).await;
    }

    async fn refuses_any(
        &self,
        status: u16,
        headers: &[(&str, &str)],
        body: impl Fn() -> Body,
        about: &str,
    ) -> Answer {
        let before = self.rows().await;
        let request = self.request(headers, true).body(body());
        let answer = self.server.send(request.unwrap()).await;
        self.judge(status, &answer, about);
        assert!(!self.is_yes(&answer), "{about}: {answer:?}");
        self.ignores_strangers(headers, body(), Some(status), about)
            .await;
        assert_eq!(self.rows().await, before, "{about} changed something");
        self.lets_in(about).await;
        answer
    }

    /// Whoever holds no token and needs one learns nothing about bodies, good or bad. Who a client is may be in the body,
    /// so one that cannot be read is refused as such to everyone.
    async fn ignores_strangers(
        &self,
        headers: &[(&str, &str)],
        body: Body,
        unreadable: Option<u16>,
        about: &str,
    ) {
        if self.door.who == Who::Anyone {
            return;
        }
        let stranger = self.request(headers, false).body(body).unwrap();
        let answer = self.server.send(stranger).await;
        if self.door.who == Who::Client {
            return self.judge(unreadable.unwrap_or(401), &answer, about);
        }
        self.judge(401, &answer, about);
        assert_eq!(answer.code(), "token_missing", "{about}: {answer:?}");
    }

    /// Takes `body` as it takes a good one.
    pub async fn takes(&self, body: impl Into<Bytes>) -> Answer {
        self.takes_as(self.told(), body).await
    }

    /// The same, under headers of the case's own.
    pub async fn takes_as(&self, headers: &[(&str, &str)], body: impl Into<Bytes>) -> Answer {
        let body = body.into();
        let about = format!("{self} given {headers:?} {}", shown(&body));
        self.ignores_strangers(headers, Body::from(body.clone()), None, &about)
            .await;
        let answer = self.send(headers, body).await;
        assert!(self.is_yes(&answer), "{about}: {answer:?}");
        self.judged.set(self.judged.get() + 1);
        answer
    }

    /// Everything in the database but the audit trail.
    pub async fn rows(&self) -> Rows {
        rows::all(&self.server.app.db).await
    }

    /// Still serves whoever means well.
    pub async fn lets_in(&self, about: &str) {
        let answer = self.send(self.told(), self.good()).await;
        assert!(self.is_yes(&answer), "after {about}: {answer:?}");
    }

    /// Sends `body` as somebody whom the route lets in.
    pub async fn send(&self, headers: &[(&str, &str)], body: impl Into<Bytes>) -> Answer {
        let request = self.request(headers, true);
        let request = request.body(Body::from(body.into())).unwrap();
        let answer = self.server.send(request).await;
        self.keep_token(&answer);
        answer
    }

    /// The head of a request, as text for the wire.
    pub fn head(&self, headers: &[(&str, &str)]) -> String {
        let mut lines = vec![
            format!("{} {} HTTP/1.1", self.door.method, self.door.path),
            "Host: localhost".to_owned(),
        ];
        if let Some(authorization) = self.authorization() {
            lines.push(format!("Authorization: {authorization}"));
        }
        lines.extend(
            headers
                .iter()
                .map(|(name, value)| format!("{name}: {value}")),
        );
        lines.join("\r\n") + "\r\n\r\n"
    }

    /// What somebody sends as `Authorization` whom the route lets in.
    fn authorization(&self) -> Option<String> {
        match self.door.who {
            Who::Anyone => None,
            Who::SignedIn | Who::Leaving => Some(format!("Bearer {}", self.token())),
            Who::Client => Some(basic(CLIENT.0, CLIENT.1)),
        }
    }

    fn request(&self, headers: &[(&str, &str)], is_let_in: bool) -> axum::http::request::Builder {
        let mut request = Request::builder()
            .method(self.door.method.clone())
            .uri(&self.door.path);
        if let Some(authorization) = self.authorization().filter(|_| is_let_in) {
            request = request.header(header::AUTHORIZATION, authorization);
        }
        headers.iter().fold(request, |request, (name, value)| {
            request.header(*name, *value)
        })
    }

    /// Where the session that asked has ended, and a new one has begun, goes on with that.
    fn keep_token(&self, answer: &Answer) {
        if self.door.path == "/auth/reauthenticate"
            && let Some(token) = answer.token()
        {
            token.clone_into(&mut self.token.borrow_mut());
        }
    }

    /// The token of whoever is let in.
    pub fn token(&self) -> String {
        self.token.borrow().clone()
    }

    pub fn is_yes(&self, answer: &Answer) -> bool {
        self.keep_token(answer);
        self.door.told_no == Some((answer.status, answer.code()))
            || self.door.yes.contains(&answer.status)
    }

    /// Passes the sentence on one refusal.
    pub fn judge(&self, status: u16, answer: &Answer, about: &str) {
        oracle::is_refusal(answer, &self.filling.canary, about);
        let is_oauth = self.door.media == Media::Form;
        assert_eq!(answer.is_oauth(), is_oauth, "{about}: {answer:?}");
        assert_eq!(answer.status, status, "{about}: {answer:?}");
        self.judged.set(self.judged.get() + 1);
    }
}

impl std::fmt::Display for Trial<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} {}", self.door.method, self.door.path)
    }
}

/// The beginning of a body, for whoever reads the failure.
fn shown(body: &[u8]) -> String {
    let beginning = &body[..body.len().min(300)];
    format!(
        "{} bytes: {}",
        body.len(),
        String::from_utf8_lossy(beginning)
    )
}
