//! What can be asked before anybody is known, and whether the document tells the truth.

use axum::http::Method;
use doorward::http::route::{Route, Who};
use doorward::router;
use serde_json::{Value, json};

use crate::harness::{ADA, Answer, PASSWORD, Server, server, server_with};

#[tokio::test]
async fn a_form_learns_what_it_must_know() {
    server_with(&[("password.min_length", "15")], async |server| {
        let offer = json!({
            "signup": {"enabled": true},
            "methods": ["password"],
            "password": {"minLength": 15, "maxLength": 1024}
        });
        assert_eq!(server.get("/auth/config").await.json(), &offer);
    })
    .await;
}

#[tokio::test]
async fn every_answer_has_the_shape_that_the_document_gives_it() {
    for algorithm in ["HS256", "ES256"] {
        server_with(&[("tokens.algorithm", algorithm)], async |server| {
            let token = server.signs_up(ADA).await;
            let document = server.get("/auth/openapi.json").await.json().clone();
            for route in router::table() {
                let answer = good_answer(server, &route, &token).await;
                let promised = route
                    .answers
                    .iter()
                    .find(|promised| promised.status == answer.status);
                let promised = promised
                    .unwrap_or_else(|| panic!("{} {}: {answer:?}", route.method, route.path));
                let Some(schema) = promised.schema else {
                    continue;
                };
                let schema = &document["components"]["schemas"][schema.name];
                assert!(schema.is_object(), "{} is not in the document", route.path);
                fits(answer.json(), schema, route.path);
            }
            let refused = server.get("/auth/me").await;
            fits(
                refused.json(),
                &document["components"]["schemas"]["Refusal"],
                "a refusal",
            );
            let refused = server.post("/auth/introspect", &json!({})).await;
            fits(
                refused.json(),
                &document["components"]["schemas"]["OAuthRefusal"],
                "a refusal of an OAuth endpoint",
            );
        })
        .await;
    }
}

/// The answer of a route to somebody who does everything right.
async fn good_answer(server: &Server, route: &Route<doorward::app::App>, token: &str) -> Answer {
    let body = match route.path {
        "/auth/signin" => json!({"email": ADA, "password": PASSWORD}),
        "/auth/signup" => json!({"email": "grace@example.com", "password": PASSWORD}),
        _ => json!({}),
    };
    match (&route.method, route.who) {
        (&Method::GET, Who::Anyone) => server.get(route.path).await,
        (&Method::GET, Who::Bearer) => server.get_as(token, route.path).await,
        (&Method::PATCH, _) => server.patch_as(token, route.path, &body).await,
        (&Method::POST, Who::Anyone) => server.post(route.path, &body).await,
        (&Method::POST, Who::Client) => server.introspects(token).await,
        (method, who) => panic!("say how {who:?} calls {method} {} rightly", route.path),
    }
}

/// As much of JSON Schema as the document uses; a word that is not known here fails.
fn fits(value: &Value, schema: &Value, at: &str) {
    for (word, rule) in schema.as_object().unwrap() {
        match word.as_str() {
            "type" => {
                let types = rule
                    .as_array()
                    .map_or_else(|| vec![rule], |types| types.iter().collect());
                assert!(
                    types.iter().any(|name| is_a(value, name.as_str().unwrap())),
                    "{at}: {value} is no {rule}"
                );
            }
            "required" => {
                for name in rule.as_array().unwrap() {
                    assert!(
                        value.get(name.as_str().unwrap()).is_some(),
                        "{at}: {name} is missing in {value}"
                    );
                }
            }
            "properties" => {
                for (name, schema) in rule.as_object().unwrap() {
                    if let Some(value) = value.get(name) {
                        fits(value, schema, &format!("{at}.{name}"));
                    }
                }
                let unknown = value
                    .as_object()
                    .unwrap()
                    .keys()
                    .find(|name| rule.get(name.as_str()).is_none());
                // A key set's keys have the members of their kind of key beside the common ones.
                assert!(
                    unknown.is_none() || at.ends_with(".keys[]"),
                    "{at}: {unknown:?} is not in the document"
                );
            }
            "items" => value
                .as_array()
                .unwrap()
                .iter()
                .for_each(|item| fits(item, rule, &format!("{at}[]"))),
            "enum" => assert!(
                rule.as_array().unwrap().contains(value),
                "{at}: {value} is none of {rule}"
            ),
            "const" => assert_eq!(value, rule, "{at}"),
            "oneOf" => {
                let types = rule
                    .as_array()
                    .unwrap()
                    .iter()
                    .map(|one| one["type"].as_str().unwrap());
                assert_eq!(
                    types.filter(|name| is_a(value, name)).count(),
                    1,
                    "{at}: {value}"
                );
            }
            "additionalProperties" => value
                .as_object()
                .unwrap()
                .values()
                .for_each(|one| fits(one, rule, at)),
            "description" | "format" => {}
            word => panic!("{at}: {word} is a word that this test does not know"),
        }
    }
}

fn is_a(value: &Value, name: &str) -> bool {
    match name {
        "object" => value.is_object(),
        "array" => value.is_array(),
        "string" => value.is_string(),
        "integer" => value.is_u64() || value.is_i64(),
        "boolean" => value.is_boolean(),
        "null" => value.is_null(),
        name => panic!("{name} is a type that this test does not know"),
    }
}

#[tokio::test]
async fn the_page_shows_every_route_and_runs_nothing() {
    server(async |server| {
        let page = server.get("/auth/docs").await;
        assert_eq!(page.header("content-type"), "text/html; charset=utf-8");
        assert!(
            page.header("content-security-policy")
                .starts_with("default-src 'none'")
        );
        for route in router::table() {
            assert!(page.body.contains(route.path), "{}", route.path);
        }
        assert!(!page.body.contains("<script"));
    })
    .await;
}

#[tokio::test]
async fn probes_answer_and_a_stopping_service_says_so() {
    server(async |server| {
        for path in ["/livez", "/readyz", "/healthz"] {
            assert_eq!(server.get(path).await.json()["status"], "ok", "{path}");
        }
        server.app.drain();
        assert_eq!(server.get("/livez").await.status, 200);
        let ready = server.get("/readyz").await;
        assert_eq!(
            (ready.status.as_u16(), &ready.json()["checks"]["serving"]),
            (503, &json!("draining"))
        );
    })
    .await;
}
