//! The interface as a page for people: made from the same document, with no script and nothing from elsewhere.

use askama::Template;
use axum::Extension;
use axum::http::{HeaderName, StatusCode, header};
use axum::response::Html;
use serde_json::Value;

use crate::app::App;
use crate::error::Error;
use crate::http::openapi::Document;
use crate::http::route::{Answer, Content, Route};

/// What this feature serves.
pub fn routes() -> Vec<Route<App>> {
    vec![
        Route::get("/auth/docs", docs)
            .about("This interface as a page")
            .answers([Answer {
                status: StatusCode::OK,
                content: Content::Other("text/html"),
                about: "The page",
            }]),
    ]
}

/// Its style is in it, and nothing else may be.
const POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

#[derive(Template)]
#[template(path = "docs.html")]
struct Docs<'a> {
    version: &'a str,
    operations: Vec<Operation<'a>>,
    schemas: Vec<(&'a str, String)>,
}

struct Operation<'a> {
    id: &'a str,
    method: String,
    path: &'a str,
    about: &'a str,
    needs_token: bool,
    fields: Vec<Field<'a>>,
    answers: Vec<(&'a str, &'a str, &'a str)>,
}

struct Field<'a> {
    name: &'a str,
    kind: String,
    required: bool,
    about: &'a str,
}

async fn docs(
    Extension(document): Extension<Document>,
) -> Result<([(HeaderName, &'static str); 1], Html<String>), Error> {
    let page = Docs::of(&document.0).render().map_err(Error::bug)?;
    Ok(([(header::CONTENT_SECURITY_POLICY, POLICY)], Html(page)))
}

impl<'a> Docs<'a> {
    fn of(document: &'a Value) -> Self {
        let operations = entries(&document["paths"]).flat_map(|(path, methods)| {
            entries(methods).map(move |(method, operation)| Operation::of(method, path, operation))
        });
        let schemas = entries(&document["components"]["schemas"]).map(|(name, schema)| {
            (
                name,
                serde_json::to_string_pretty(schema).unwrap_or_default(),
            )
        });
        Self {
            version: text(&document["info"]["version"]),
            operations: operations.collect(),
            schemas: schemas.collect(),
        }
    }
}

impl<'a> Operation<'a> {
    fn of(method: &str, path: &'a str, operation: &'a Value) -> Self {
        let body = &operation["requestBody"]["content"]["application/json"]["schema"];
        let required = body["required"].as_array().map_or(&[][..], Vec::as_slice);
        let fields = entries(&body["properties"]).map(|(name, schema)| Field {
            name,
            kind: kind(schema),
            required: required.iter().any(|required| required == name),
            about: text(&schema["description"]),
        });
        let answers = entries(&operation["responses"]).map(|(status, answer)| {
            let schema = text(&answer["content"]["application/json"]["schema"]["$ref"]);
            (
                status,
                text(&answer["description"]),
                schema.rsplit('/').next().unwrap_or(""),
            )
        });
        Self {
            id: text(&operation["operationId"]),
            method: method.to_ascii_uppercase(),
            path,
            about: text(&operation["summary"]),
            needs_token: operation.get("security").is_some(),
            fields: fields.collect(),
            answers: answers.collect(),
        }
    }
}

fn kind(schema: &Value) -> String {
    let word = |value: &Value| value.as_str().unwrap_or("null").to_owned();
    let one_of = |values: &Vec<Value>| values.iter().map(word).collect::<Vec<_>>().join(" or ");
    match (&schema["enum"], &schema["type"]) {
        (Value::Array(words), _) | (_, Value::Array(words)) => one_of(words),
        (_, one) => word(one),
    }
}

fn entries(value: &Value) -> impl Iterator<Item = (&str, &Value)> {
    value
        .as_object()
        .into_iter()
        .flatten()
        .map(|(name, value)| (name.as_str(), value))
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or("")
}
