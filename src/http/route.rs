//! A route as data: the path, who may call it, the fields it reads, what it answers. The router serves this table, the
//! OpenAPI document describes it, and the tests send every bad input to each line of it; so a route that is not here
//! does not exist, and one that is here is tested.

use axum::http::{Method, StatusCode};
use axum::routing::{MethodFilter, MethodRouter, on};

use crate::http::body::{Field, Media};

/// One method on one path. `S` is the state its handler needs.
pub struct Route<S> {
    /// How it is called.
    pub method: Method,
    /// Where, in axum's syntax: `/auth/sessions/{id}`.
    pub path: &'static str,
    /// Who may call it.
    pub who: Who,
    /// One sentence for the reader of the OpenAPI document.
    pub about: &'static str,
    /// The fields of its body; empty when it takes none.
    pub body: &'static [Field],
    /// What its body is written in.
    pub media: Media,
    /// What it answers when the answer is yes.
    pub answers: Vec<Answer>,
    /// Which refusals it adds to those that any route can give.
    pub refusals: &'static [StatusCode],
    /// What bounds how often it may be called.
    pub limit: Limit,
    handler: MethodRouter<S>,
}

/// Who may call a route.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Who {
    /// Whoever can reach it.
    Anyone,
    /// Whoever holds the token or the cookie of a live session.
    SignedIn,
    /// Whoever holds a token or a cookie of ours, whatever became of its session.
    Leaving,
    /// A program that the operator gave a name and a secret.
    Client,
}

/// What bounds how often a route may be called.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Limit {
    /// It is cheap and gives nothing away.
    Free,
    /// It checks or makes a credential: one budget by address for all such routes.
    Credential,
    /// It is asked as a page opens, by whoever may sign in there or not: a budget of its own, ten times that for credentials.
    Page,
    /// It checks a secret that nobody guesses: a wrong one counts against the same budget, a right one does not.
    Failure,
}

/// One answer that is not a refusal.
#[derive(Debug, Clone, Copy)]
pub struct Answer {
    /// Its status.
    pub status: StatusCode,
    /// What its body is.
    pub content: Content,
    /// One sentence.
    pub about: &'static str,
}

/// What the body of an answer is.
#[derive(Debug, Clone, Copy)]
pub enum Content {
    /// There is none.
    Nothing,
    /// JSON of this shape.
    Json(Schema),
    /// Something for browsers, of this media type without its parameters.
    Other(&'static str),
}

/// The shape of an answer's body, by name.
#[derive(Debug, Clone, Copy)]
pub struct Schema {
    /// Its name among the document's components.
    pub name: &'static str,
    /// JSON Schema (draft 2020-12), as text.
    pub text: &'static str,
}

impl Answer {
    /// 204, without a body.
    pub const fn nothing(about: &'static str) -> Self {
        Self {
            status: StatusCode::NO_CONTENT,
            content: Content::Nothing,
            about,
        }
    }

    /// 200 with a JSON body.
    pub const fn ok(schema: Schema, about: &'static str) -> Self {
        Self {
            status: StatusCode::OK,
            content: Content::Json(schema),
            about,
        }
    }
}

impl<S: Clone + Send + Sync + 'static> Route<S> {
    /// A GET that anyone may call.
    pub fn get<H, T>(path: &'static str, handler: H) -> Self
    where
        H: axum::handler::Handler<T, S>,
        T: 'static,
    {
        Self::new(Method::GET, path, on(MethodFilter::GET, handler))
    }

    /// A POST that anyone may call.
    pub fn post<H, T>(path: &'static str, handler: H) -> Self
    where
        H: axum::handler::Handler<T, S>,
        T: 'static,
    {
        Self::new(Method::POST, path, on(MethodFilter::POST, handler))
    }

    /// A PATCH that anyone may call.
    pub fn patch<H, T>(path: &'static str, handler: H) -> Self
    where
        H: axum::handler::Handler<T, S>,
        T: 'static,
    {
        Self::new(Method::PATCH, path, on(MethodFilter::PATCH, handler))
    }

    /// A DELETE that anyone may call.
    pub fn delete<H, T>(path: &'static str, handler: H) -> Self
    where
        H: axum::handler::Handler<T, S>,
        T: 'static,
    {
        Self::new(Method::DELETE, path, on(MethodFilter::DELETE, handler))
    }

    fn new(method: Method, path: &'static str, handler: MethodRouter<S>) -> Self {
        Self {
            method,
            path,
            who: Who::Anyone,
            about: "",
            body: &[],
            media: Media::Json,
            answers: Vec::new(),
            refusals: &[],
            limit: Limit::Free,
            handler,
        }
    }

    /// Says what it is for.
    pub fn about(mut self, about: &'static str) -> Self {
        self.about = about;
        self
    }

    /// Says which fields its body has.
    pub fn body(mut self, fields: &'static [Field]) -> Self {
        self.body = fields;
        self
    }

    /// Says which fields its form has, and that it is an OAuth endpoint: its refusals are in the form of RFC 6749 section 5.2.
    pub fn form(mut self, fields: &'static [Field]) -> Self {
        (self.body, self.media) = (fields, Media::Form);
        self
    }

    /// Says what it answers.
    pub fn answers(mut self, answers: impl Into<Vec<Answer>>) -> Self {
        self.answers = answers.into();
        self
    }

    /// Says which statuses it can refuse with beside those of every route.
    pub fn refuses(mut self, refusals: &'static [StatusCode]) -> Self {
        self.refusals = refusals;
        self
    }

    /// Asks for the token or the cookie of a live session.
    pub fn signed_in(mut self) -> Self {
        self.who = Who::SignedIn;
        self
    }

    /// Asks for a token or a cookie of ours, whatever became of its session.
    pub fn leaving(mut self) -> Self {
        self.who = Who::Leaving;
        self
    }

    /// Asks for the name and the secret of a client. Wrong ones count against the budget for credentials.
    pub fn client(mut self) -> Self {
        (self.who, self.limit) = (Who::Client, Limit::Failure);
        self
    }

    /// Counts against the budget for credentials.
    pub fn credential(mut self) -> Self {
        self.limit = Limit::Credential;
        self
    }

    /// Counts against the budget for what pages ask as they open.
    pub fn page(mut self) -> Self {
        self.limit = Limit::Page;
        self
    }

    /// Counts against the budget for credentials when the answer is no.
    pub fn failure(mut self) -> Self {
        self.limit = Limit::Failure;
        self
    }

    /// The handler, taken out by the router.
    pub fn into_handler(self) -> MethodRouter<S> {
        self.handler
    }
}
