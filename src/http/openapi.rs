//! The route table as an OpenAPI 3.1 document. Nothing is described twice: fields, callers, answers and refusals are
//! what the router serves by.

use std::sync::Arc;

use axum::http::{Method, StatusCode};
use serde_json::{Map, Value, json};

use super::body::{Field, Kind, MAX_PASSWORD, Media};
use super::cookie;
use super::route::{Answer, Content, Limit, Route, Who};
use crate::error::Refusal;

/// The document, made once.
#[derive(Clone)]
pub struct Document(pub Arc<Value>);

/// The document for `table`.
pub fn document<S>(table: &[Route<S>]) -> Document {
    let mut paths = Map::new();
    let mut schemas = Map::new();
    schemas.insert("Refusal".to_owned(), refusal_schema());
    schemas.insert("OAuthRefusal".to_owned(), oauth_refusal_schema());
    for route in table {
        let path = paths.entry(route.path).or_insert_with(|| json!({}));
        path[route.method.as_str().to_ascii_lowercase()] = operation(route);
        for answer in &route.answers {
            let Content::Json(schema) = answer.content else {
                continue;
            };
            let shape = serde_json::from_str(schema.text)
                .expect("every schema is JSON: a test reads the whole document");
            schemas.insert(schema.name.to_owned(), shape);
        }
    }
    Document(Arc::new(json!({
        "openapi": "3.1.0",
        "info": {
            "title": "Doorward",
            "version": env!("CARGO_PKG_VERSION"),
            "description": "Sign-in for your application. Times are RFC 3339 in UTC."
        },
        "paths": paths,
        "components": {
            "schemas": schemas,
            "securitySchemes": {
                "bearer": {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"},
                "cookie": {"type": "apiKey", "in": "cookie", "name": cookie::NAME},
                "client": {
                    "type": "http",
                    "scheme": "basic",
                    "description": "A name and a secret from introspection.clients, here or in the form"
                }
            }
        }
    })))
}

fn operation<S>(route: &Route<S>) -> Value {
    let mut operation =
        json!({"summary": route.about, "operationId": operation_id(&route.method, route.path)});
    match route.who {
        Who::Anyone => {}
        Who::SignedIn | Who::Leaving => {
            operation["security"] = json!([{"bearer": []}, {"cookie": []}]);
        }
        // Without the header the form has to hold them.
        Who::Client => operation["security"] = json!([{"client": []}, {}]),
    }
    if !route.body.is_empty() {
        operation["requestBody"] = json!({
            "required": route.body.iter().any(|field| field.required),
            "content": {route.media.name(): {"schema": body_schema(route)}}
        });
    }
    let mut responses: Vec<(u16, Value)> = route.answers.iter().map(answer).collect();
    responses.extend(
        refusals(route)
            .into_iter()
            .map(|status| (status.as_u16(), refused(status, route.media))),
    );
    responses.sort_by_key(|(status, _)| *status);
    operation["responses"] = responses
        .into_iter()
        .map(|(status, response)| (status.to_string(), response))
        .collect::<Map<_, _>>()
        .into();
    operation
}

/// `get /auth/me` as `getAuthMe`.
fn operation_id(method: &Method, path: &str) -> String {
    let words = path
        .split(|character: char| !character.is_ascii_alphanumeric())
        .filter(|word| !word.is_empty());
    words.fold(method.as_str().to_ascii_lowercase(), |id, word| {
        let (first, rest) = word.split_at(1);
        id + &first.to_ascii_uppercase() + rest
    })
}

fn answer(answer: &Answer) -> (u16, Value) {
    let content = match answer.content {
        Content::Nothing => json!({}),
        Content::Json(schema) => {
            json!({"application/json": {"schema": {"$ref": format!("#/components/schemas/{}", schema.name)}}})
        }
        Content::Other(media) => json!({media: {}}),
    };
    (
        answer.status.as_u16(),
        json!({"description": answer.about, "content": content}),
    )
}

/// What a route can refuse with: its own, and what follows from its body, its caller and its limit.
fn refusals<S>(route: &Route<S>) -> Vec<StatusCode> {
    let mut refusals = route.refusals.to_vec();
    if !route.body.is_empty() {
        refusals.extend([
            StatusCode::BAD_REQUEST,
            StatusCode::REQUEST_TIMEOUT,
            StatusCode::PAYLOAD_TOO_LARGE,
            StatusCode::UNSUPPORTED_MEDIA_TYPE,
        ]);
    }
    if route.who != Who::Anyone {
        refusals.extend([StatusCode::UNAUTHORIZED, StatusCode::SERVICE_UNAVAILABLE]);
    }
    if matches!(route.who, Who::SignedIn | Who::Leaving) {
        refusals.push(StatusCode::FORBIDDEN);
    }
    match route.limit {
        Limit::Free => {}
        Limit::Failure | Limit::Page => refusals.push(StatusCode::TOO_MANY_REQUESTS),
        Limit::Credential => refusals.extend([
            StatusCode::TOO_MANY_REQUESTS,
            StatusCode::SERVICE_UNAVAILABLE,
        ]),
    }
    refusals.sort_unstable();
    refusals.dedup();
    refusals
}

fn refused(status: StatusCode, media: Media) -> Value {
    let schema = match media {
        Media::Json => "#/components/schemas/Refusal",
        Media::Form => "#/components/schemas/OAuthRefusal",
    };
    json!({
        "description": status.canonical_reason().unwrap_or("Refused"),
        "content": {"application/json": {"schema": {"$ref": schema}}}
    })
}

fn body_schema<S>(route: &Route<S>) -> Value {
    let fields = route.body;
    let required: Vec<_> = fields
        .iter()
        .filter(|field| field.required)
        .map(|field| field.name)
        .collect();
    let properties: Map<_, _> = fields
        .iter()
        .map(|field| (field.name.to_owned(), field_schema(field, route.media)))
        .collect();
    json!({"type": "object", "required": required, "properties": properties})
}

fn field_schema(field: &Field, media: Media) -> Value {
    let mut schema = match field.kind {
        Kind::Email => json!({"type": "string", "format": "email", "minLength": 1}),
        Kind::Password => {
            json!({"type": "string", "format": "password", "minLength": 1, "maxLength": MAX_PASSWORD})
        }
        Kind::Text { max } => json!({"type": "string", "maxLength": max}),
        Kind::Locale => json!({"type": "string", "maxLength": 35}),
        Kind::Object { .. } => json!({"type": "object"}),
        Kind::Boolean => json!({"type": "boolean"}),
        Kind::OneOf(words) => json!({"type": "string", "enum": words}),
    };
    // A form has no null.
    if !field.required && media == Media::Json {
        schema["type"] = json!([schema["type"], "null"]);
        if let Some(words) = schema.get_mut("enum").and_then(Value::as_array_mut) {
            words.push(Value::Null);
        }
    }
    schema["description"] = field.about.into();
    schema
}

fn oauth_refusal_schema() -> Value {
    json!({
        "type": "object",
        "description": "Why the answer of an OAuth endpoint is no (RFC 6749 section 5.2).",
        "required": ["error"],
        "properties": {
            "error": {
                "enum": ["invalid_request", "invalid_client", "temporarily_unavailable", "server_error"]
            },
            "error_description": {"type": "string"}
        }
    })
}

fn refusal_schema() -> Value {
    let mut codes: Vec<_> = Refusal::catalogue()
        .iter()
        .filter_map(|refusal| refusal.said().code)
        .collect();
    codes.extend(["unavailable", "internal"]);
    codes.sort_unstable();
    codes.dedup();
    json!({
        "type": "object",
        "description": "Why the answer is no. The documented 401 of a sign-in alone has no code.",
        "required": ["statusCode", "message", "error"],
        "properties": {
            "statusCode": {"type": "integer"},
            "message": {"oneOf": [{"type": "string"}, {"type": "array", "items": {"type": "string"}}]},
            "error": {"type": "string", "description": "The reason phrase of the status"},
            "code": {"enum": codes},
            "challenge": {"type": "string", "description": "With second_factor_required: what POST /auth/signin/second-factor takes"},
            "methods": {"type": "array", "items": {"enum": ["totp", "passkey", "recovery_code"]}, "description": "With second_factor_required: by what it can go on"},
            "expiresIn": {"type": "integer", "description": "With second_factor_required: for how many seconds it can"}
        }
    })
}
