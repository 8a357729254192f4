//! What nobody thought of: bodies and headers made at random, the same at each run, for every route of the table.

use axum::body::Body;
use axum::http::{HeaderName, HeaderValue, Request};
use doorward::http::body::Media;
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::strategy::ValueTree as _;
use proptest::test_runner::TestRunner;
use serde_json::{Map, Value};

use super::door;
use super::oracle;
use super::trial::Trial;
use crate::harness::server;

const CASES: usize = 64;

/// The same values at each run.
fn made<T: std::fmt::Debug>(strategy: &impl Strategy<Value = T>) -> Vec<T> {
    let mut runner = TestRunner::deterministic();
    (0..CASES)
        .map(|_| strategy.new_tree(&mut runner).expect("a value").current())
        .collect()
}

fn text() -> impl Strategy<Value = String> {
    prop_oneof![
        any::<String>(),
        "[ -~]{0,40}",
        "[a-z]{1,9}@[a-z]{1,9}\\.[a-z]{2,3}",
        "[\\x00-\\x1f]{1,4}"
    ]
}

fn json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        text().prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 32, 6, |inner| {
        prop_oneof![
            vec(inner.clone(), 0..6).prop_map(Value::from),
            vec((text(), inner), 0..6)
                .prop_map(|entries| Value::from(entries.into_iter().collect::<Map<_, _>>())),
        ]
    })
}

#[tokio::test]
async fn J_random_values_in_the_place_of_good_ones() {
    let values = made(&vec((any::<prop::sample::Index>(), json()), 0..4));
    server(async |server| {
        let json = |door: &door::Door| door.media == Media::Json;
        for door in door::with_body().into_iter().filter(json) {
            let trial = Trial::begin(server, door).await;
            for changes in &values {
                let mut body = trial.good_body();
                for (which, value) in changes {
                    body.insert(which.get(trial.door.fields).name.to_owned(), value.clone());
                }
                let body = Value::from(body).to_string();
                oracle::is_answer(
                    &trial.send(trial.told(), body.clone()).await,
                    &format!("{trial} given {body}"),
                );
            }
            trial.lets_in("random values").await;
        }
    })
    .await;
}

#[tokio::test]
async fn J_random_documents_and_random_bytes_for_them() {
    let changes = vec((any::<prop::sample::Index>(), any::<u8>()), 0..6);
    let documents = made(&(json(), changes));
    server(async |server| {
        for door in door::with_body() {
            let trial = Trial::begin(server, door).await;
            for (document, changes) in &documents {
                for text in [document.to_string(), trial.good()] {
                    let mut body = text.into_bytes();
                    for (at, byte) in changes {
                        let at = at.index(body.len());
                        body[at] = *byte;
                    }
                    let about = format!("{trial} given {}", String::from_utf8_lossy(&body));
                    oracle::is_answer(&trial.send(trial.told(), body).await, &about);
                }
            }
            trial.lets_in("random documents").await;
        }
    })
    .await;
}

/// Every header that is read by us or by what we are made of.
const READ: &[&str] = &[
    "accept",
    "accept-encoding",
    "access-control-request-headers",
    "access-control-request-method",
    "authorization",
    "connection",
    "content-encoding",
    "content-length",
    "content-type",
    "cookie",
    "expect",
    "forwarded",
    "host",
    "if-none-match",
    "origin",
    "range",
    "te",
    "traceparent",
    "transfer-encoding",
    "upgrade",
    "user-agent",
    "x-forwarded-for",
    "x-forwarded-host",
    "x-forwarded-proto",
    "x-http-method-override",
    "x-real-ip",
    "x-request-id",
];

fn header_value() -> impl Strategy<Value = Vec<u8>> {
    let bytes = vec(
        prop_oneof![Just(b'\t'), 0x20..=0x7e_u8, 0x80..=0xff_u8],
        0..200,
    );
    let likely = "(Bearer |Basic |application/json|gzip|https?://|bytes=|for=|\"|, ?|; ?|=|[0-9]{1,20}|[a-z.]{1,8}|:|\\[){0,8}";
    prop_oneof![bytes, likely.prop_map(String::into_bytes)]
}

#[tokio::test]
async fn M_random_headers() {
    let header = (prop::sample::select(READ), header_value());
    let requests = made(&(vec(header, 1..6), json()));
    server(async |server| {
        for door in door::all() {
            for (headers, document) in &requests {
                let body = if door.fields.is_empty() {
                    String::new()
                } else {
                    document.to_string()
                };
                let about = format!("{} {} given {headers:?} {body}", door.method, door.path);
                let mut request = Request::builder()
                    .method(door.method.clone())
                    .uri(&door.path)
                    .body(Body::from(body))
                    .unwrap();
                for (name, value) in headers {
                    let value =
                        HeaderValue::from_bytes(value).expect("the bytes that a header may have");
                    request
                        .headers_mut()
                        .append(HeaderName::from_static(name), value);
                }
                oracle::is_answer(&server.send(request).await, &about);
            }
        }
    })
    .await;
}
