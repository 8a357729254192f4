//! What can be asked before anybody is known, and whether the document tells the truth.

use axum::http::Method;
use doorward::http::route::{Content, Route, Who};
use doorward::router;
use serde_json::{Value, json};

use crate::harness::phone::Phone;
use crate::harness::{ADA, Answer, PASSWORD, Server, server, server_with, unique};
use crate::second_factor::required::{begins, enrols, is_led};

#[tokio::test]
async fn a_form_learns_what_it_must_know() {
    server_with(&[("password.min_length", "15")], async |server| {
        let offer = json!({
            "signup": {"enabled": true, "answer": "session"},
            "methods": ["password", "passkey"],
            "password": {"minLength": 15, "maxLength": 1024}
        });
        assert_eq!(server.get("/auth/config").await.json(), &offer);
    })
    .await;
}

#[tokio::test]
async fn every_answer_has_the_shape_that_the_document_gives_it() {
    for algorithm in ["HS256", "ES256"] {
        let settings = [
            ("tokens.algorithm", algorithm),
            ("second_factor.required_roles", "admin"),
            ("passkeys.enroll_url", "https://app.example.com/passkeys"),
            ("passkeys.origins", "https://app.example.com"),
        ];
        server_with(&settings, async |server| {
            server.signs_up(ADA).await;
            let document = server.get("/auth/openapi.json").await.json().clone();
            for route in router::table() {
                let token = server.signs_in(ADA, PASSWORD).await;
                let answer = good_answer(server, &route, token.token().unwrap()).await;
                let promised = route
                    .answers
                    .iter()
                    .find(|promised| promised.status == answer.status);
                let promised = promised
                    .unwrap_or_else(|| panic!("{} {}: {answer:?}", route.method, route.path));
                let Content::Json(schema) = promised.content else {
                    continue;
                };
                let schema = &document["components"]["schemas"][schema.name];
                assert!(schema.is_object(), "{} is not in the document", route.path);
                fits(answer.json(), schema, &document, route.path);
            }
            for session in ["refresh", "cookie"] {
                let answer = server.begins(ADA, session).await;
                let grant = named(&document, "#/components/schemas/Grant");
                fits(answer.json(), grant, &document, session);
            }
            let enrolled = enrolled(server).await;
            let grant = named(&document, "#/components/schemas/Grant");
            fits(enrolled.json(), grant, &document, "an enrolment");
            assert!(enrolled.json()["recoveryCodes"].is_array());
            let refused = server.get("/auth/me").await;
            fits(
                refused.json(),
                &document["components"]["schemas"]["Refusal"],
                &document,
                "a refusal",
            );
            let refused = server.post("/auth/introspect", &json!({})).await;
            fits(
                refused.json(),
                &document["components"]["schemas"]["OAuthRefusal"],
                &document,
                "a refusal of an OAuth endpoint",
            );
        })
        .await;
    }
}

/// The answer of a route to somebody who does everything right.
async fn good_answer(server: &Server, route: &Route<doorward::app::App>, token: &str) -> Answer {
    if route.path.starts_with("/auth/passkeys") {
        return crate::passkeys::is_done_rightly(server, route).await;
    }
    if is_about_second_factors(route.path) {
        return good_answer_about_second_factors(server, route).await;
    }
    let body = match route.path {
        "/auth/reauthenticate" => json!({"password": PASSWORD}),
        "/auth/signin" => json!({"email": ADA, "password": PASSWORD}),
        "/auth/signup" => json!({"email": "grace@example.com", "password": PASSWORD}),
        "/auth/refresh" => {
            let account = json!({"email": ADA, "password": PASSWORD, "session": "refresh"});
            let signed_in = server.post("/auth/signin", &account).await;
            json!({"refreshToken": signed_in.json()["refreshToken"]})
        }
        _ => json!({}),
    };
    match (&route.method, route.who) {
        (&Method::GET, Who::Anyone) => server.get(route.path).await,
        (&Method::GET, Who::SignedIn) => server.get_as(token, route.path).await,
        (&Method::PATCH, _) => server.patch_as(token, route.path, &body).await,
        (&Method::POST, Who::Leaving | Who::SignedIn) => {
            server.post_as(token, route.path, &body).await
        }
        (&Method::DELETE, Who::SignedIn) => {
            let (_, claims) = jose::decode_unverified(token).unwrap();
            let path = route.path.replace("{id}", claims["sid"].as_str().unwrap());
            server.delete_as(token, &path).await
        }
        (&Method::POST, Who::Anyone) => server.post(route.path, &body).await,
        (&Method::POST, Who::Client) => server.introspects(token).await,
        (method, who) => panic!("say how {who:?} calls {method} {} rightly", route.path),
    }
}

fn is_about_second_factors(path: &str) -> bool {
    [
        "/auth/totp",
        "/auth/recovery-codes",
        "/auth/trusted-devices",
        "/auth/signin/second-factor",
        "/auth/signin/enrol",
    ]
    .into_iter()
    .any(|known| path.starts_with(known))
}

/// The same where a second factor is set up, asked for or removed: by somebody new each time.
async fn good_answer_about_second_factors(
    server: &Server,
    route: &Route<doorward::app::App>,
) -> Answer {
    let email = format!("{}@example.com", unique());
    if route.path == "/auth/signin/enrol" {
        let challenge = led(server, &email).await;
        return enrols(server, &challenge).await;
    }
    let token = server.signs_up(&email).await;
    match (route.method.as_str(), route.path) {
        ("POST", "/auth/totp") => {}
        ("POST", "/auth/totp/confirm") => {
            let phone = Phone::enrols(server, &token).await;
            return phone.confirms(server, &token).await;
        }
        _ => {
            let (_, codes) = Phone::is_set_up(server, &token).await;
            let asked = server.signs_in(&email, PASSWORD).await;
            let body = json!({"challenge": asked.json()["challenge"], "code": codes[0], "rememberDevice": true});
            let signed_in = server.post("/auth/signin/second-factor", &body).await;
            if route.path == "/auth/signin/second-factor" {
                return signed_in;
            }
        }
    }
    if route.path == "/auth/trusted-devices/{id}" {
        let listed = server.get_as(&token, "/auth/trusted-devices").await;
        let id = listed.json()["data"][0]["id"].as_str().unwrap().to_owned();
        return server
            .delete_as(&token, &route.path.replace("{id}", &id))
            .await;
    }
    match route.method {
        Method::GET => server.get_as(&token, route.path).await,
        Method::DELETE => server.delete_as(&token, route.path).await,
        _ => server.post_as(&token, route.path, &json!({})).await,
    }
}

/// The challenge of somebody new who has to have a second factor.
async fn led(server: &Server, email: &str) -> String {
    server.signs_up(email).await;
    server.gives_role(email, "admin").await;
    is_led(&server.signs_in(email, PASSWORD).await)
}

/// The answer to somebody who set up a second factor on the way in.
async fn enrolled(server: &Server) -> Answer {
    let challenge = led(server, "led@example.com").await;
    let phone = begins(server, &challenge).await;
    let body = json!({"challenge": challenge, "code": phone.shows_in(server, 0)});
    server.post("/auth/signin/second-factor", &body).await
}

/// Holds `value` against a schema of the document.
fn fits(value: &Value, schema: &Value, document: &Value, at: &str) {
    if let Err(why) = fit(value, schema, document) {
        panic!("{at}: {why}, in {value}");
    }
}

/// As much of JSON Schema as the document uses; a word that is not known here fails.
fn fit(value: &Value, schema: &Value, document: &Value) -> Result<(), String> {
    let must = |holds: bool, why: String| if holds { Ok(()) } else { Err(why) };
    let each = |mut values: Vec<&Value>, rule: &Value| {
        values
            .drain(..)
            .try_for_each(|value| fit(value, rule, document))
    };
    for (word, rule) in schema.as_object().unwrap() {
        let rules = || rule.as_array().into_iter().flatten();
        match word.as_str() {
            "type" => {
                let mut types = rules().chain(rule.is_string().then_some(rule));
                let is_one = types.any(|name| is_a(value, name.as_str().unwrap()));
                must(is_one, format!("{value} is no {rule}"))?;
            }
            "required" => {
                for name in rules() {
                    let is_there = value.get(name.as_str().unwrap()).is_some();
                    must(is_there, format!("{name} is missing"))?;
                }
            }
            "properties" => {
                let rules = rule.as_object().unwrap();
                for (name, value) in value.as_object().into_iter().flatten() {
                    // A key set's keys have the members of their kind of key beside the common ones.
                    let is_free = rules.contains_key("kty");
                    must(
                        is_free || rules.contains_key(name),
                        format!("{name} is not in the document"),
                    )?;
                    if let Some(rule) = rules.get(name) {
                        fit(value, rule, document)?;
                    }
                }
            }
            "items" => each(value.as_array().unwrap().iter().collect(), rule)?,
            "additionalProperties" => each(value.as_object().unwrap().values().collect(), rule)?,
            "enum" => must(
                rules().any(|one| one == value),
                format!("{value} is none of {rule}"),
            )?,
            "const" => must(value == rule, format!("{value} is not {rule}"))?,
            "oneOf" => {
                let fitting = rules().filter(|rule| fit(value, rule, document).is_ok());
                must(
                    fitting.count() == 1,
                    format!("{value} is not one of {rule}"),
                )?;
            }
            "$ref" => fit(value, named(document, rule.as_str().unwrap()), document)?,
            "title" | "description" | "format" => {}
            word => panic!("{word} is a word that this test does not know"),
        }
    }
    Ok(())
}

fn named<'a>(document: &'a Value, reference: &str) -> &'a Value {
    let place = reference.strip_prefix('#').unwrap();
    document
        .pointer(place)
        .unwrap_or_else(|| panic!("{reference} is not in the document"))
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
