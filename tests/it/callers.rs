//! Every route for every kind of caller (A7 of the catalogue): who is let in is what the route table says, and nobody else.

use std::time::Duration;

use axum::body::Body;
use axum::http::header::{AUTHORIZATION, CONTENT_TYPE};
use axum::http::{Method, Request, StatusCode};
use doorward::audit::By;
use doorward::http::body::Media;
use doorward::http::route::Who;
use doorward::ids::{SessionId, UserId};
use doorward::revocations::store::{Which, end};
use doorward::{router, users};

use serde_json::{Value, json};

use crate::harness::form::basic;
use crate::harness::phone::Phone;
use crate::harness::rows;
use crate::harness::{Answer, CLIENT, PASSWORD, Server, server_with};
use crate::second_factor::required::is_led;
use crate::wire::probes::{body, told_no, written};

const LIVE: &str = "live@example.com";
/// Who has to have a second factor.
const ADMINS: &[(&str, &str)] = &[("second_factor.required_roles", "admin")];

/// Somebody who calls.
struct Caller {
    name: &'static str,
    /// What they send as `Authorization`.
    sends: Option<String>,
    /// The code of the refusal that they get from a route for those who are signed in; `None` when they are let in.
    refused_as: Option<&'static str>,
    /// Whether a route for clients lets them in.
    is_client: bool,
}

/// One of each kind.
async fn callers(server: &Server) -> Vec<Caller> {
    let expired = server.signs_up("expired@example.com").await;
    server.wait(Duration::from_hours(1));
    let app = &server.app;
    let by = By::Operator(server.clock.now());

    let ended = server.signs_up("ended@example.com").await;
    let ending = end(Which::All(&owner(&ended)), by.now());
    app.revocations.write(&app.db, ending).await.unwrap();
    let disabled = server.signs_up("disabled@example.com").await;
    assert!(
        users::disable(&app.db, &app.revocations, &owner(&disabled), by)
            .await
            .unwrap()
    );
    let deleted = server.signs_up("deleted@example.com").await;
    assert!(
        users::delete(&app.db, &app.revocations, &owner(&deleted), by)
            .await
            .unwrap()
    );
    let live = server.signs_up(LIVE).await;

    let caller = |name, sends: Option<String>, refused_as| Caller {
        name,
        sends,
        refused_as,
        is_client: name == "a client",
    };
    let bearer = |token: &str| Some(format!("Bearer {token}"));
    vec![
        caller("nobody", None, Some("token_missing")),
        caller("garbage", bearer("garbage"), Some("token_invalid")),
        caller(
            "another scheme",
            Some(format!("Basic {live}")),
            Some("token_invalid"),
        ),
        caller("changed", bearer(&changed(&live)), Some("token_invalid")),
        caller("expired", bearer(&expired), Some("token_expired")),
        caller("ended", bearer(&ended), Some("session_revoked")),
        caller("disabled", bearer(&disabled), Some("session_revoked")),
        caller("deleted", bearer(&deleted), Some("session_revoked")),
        caller("live", bearer(&live), None),
        // Whose password was right, and whose second factor was not shown (F9).
        caller(
            "half signed in",
            bearer(&half_signed_in(server).await),
            Some("token_invalid"),
        ),
        caller(
            "led to enrol",
            bearer(&led_to_enrol(server).await),
            Some("token_invalid"),
        ),
        caller(
            "a client",
            Some(basic(CLIENT.0, CLIENT.1)),
            Some("token_invalid"),
        ),
        caller(
            "no client",
            Some(basic(CLIENT.0, "a-secret-that-is-nobodys-although-long")),
            Some("token_invalid"),
        ),
    ]
}

/// The challenge of somebody with an authenticator app.
async fn half_signed_in(server: &Server) -> String {
    let token = server.signs_up("half@example.com").await;
    Phone::is_set_up(server, &token).await;
    let answer = server.signs_in("half@example.com", PASSWORD).await;
    answer.json()["challenge"].as_str().unwrap().to_owned()
}

/// The challenge of somebody who has to have a second factor and has none.
async fn led_to_enrol(server: &Server) -> String {
    server.signs_up("led@example.com").await;
    server.gives_role("led@example.com", "admin").await;
    is_led(&server.signs_in("led@example.com", PASSWORD).await)
}

fn owner(token: &str) -> UserId {
    let (_, claims) = jose::decode_unverified(token).unwrap();
    UserId::from_stored(claims["sub"].as_str().unwrap().to_owned())
}

/// The token with the first character of its signature changed.
fn changed(token: &str) -> String {
    let (signed, signature) = token.rsplit_once('.').unwrap();
    let other = if signature.starts_with('A') { "B" } else { "A" };
    format!("{signed}.{other}{}", &signature[1..])
}

#[tokio::test]
async fn a_route_lets_in_whom_its_line_of_the_table_names() {
    server_with(ADMINS, async |server| {
        for mut caller in callers(server).await {
            for route in router::table() {
                let why = format!("{} {} by {}", route.method, route.path, caller.name);
                // Whoever lives may have signed out at the last route.
                let live = server.signs_in(LIVE, PASSWORD).await;
                if caller.refused_as.is_none() {
                    caller.sends = Some(format!("Bearer {}", live.token().unwrap()));
                }
                let path = route
                    .path
                    .replace("{id}", session(live.token().unwrap()).as_str());
                let before = rows::all(&server.app.db).await;
                // Somebody new each time, where an account is made; otherwise one that there is.
                let said_yes = route.answers[0].status;
                let email = match said_yes {
                    StatusCode::CREATED => format!("{}@new.example", caller.name.replace(' ', "-")),
                    _ => LIVE.to_owned(),
                };
                let mut fields = body(route.body, &email);
                if let Some(token) = fields.get_mut("refreshToken") {
                    *token = refresh_token(server).await.into();
                }
                let answer =
                    send(server, &route.method, &path, route.media, &caller, &fields).await;
                let refused_as = match route.who {
                    Who::Anyone => None,
                    Who::SignedIn => caller.refused_as,
                    // What was a token of ours is enough to go.
                    Who::Leaving => caller
                        .refused_as
                        .filter(|code| ["token_missing", "token_invalid"].contains(code)),
                    Who::Client if caller.is_client => None,
                    Who::Client => Some("invalid_client"),
                };
                if let Some(code) = refused_as {
                    is_refused(&answer, code, &why);
                    let now = rows::all(&server.app.db).await;
                    assert_eq!(now, before, "{why}: something changed");
                } else {
                    let told = told_no(&route.method, route.path).unwrap_or((said_yes, ""));
                    let answered = (answer.status, answer.code());
                    assert_eq!(answered, told, "{why}: {answer:?}");
                    assert_eq!(answer.header("www-authenticate"), "", "{why}");
                }
            }
        }
    })
    .await;
}

/// Of a session that lives.
async fn refresh_token(server: &Server) -> String {
    let account = json!({"email": LIVE, "password": PASSWORD, "session": "refresh"});
    let signed_in = server.post("/auth/signin", &account).await;
    signed_in.json()["refreshToken"]
        .as_str()
        .unwrap()
        .to_owned()
}

fn session(token: &str) -> SessionId {
    let (_, claims) = jose::decode_unverified(token).unwrap();
    SessionId::from_stored(claims["sid"].as_str().unwrap().to_owned())
}

#[tokio::test]
async fn head_asks_for_the_token_that_get_asks_for() {
    server_with(ADMINS, async |server| {
        for caller in callers(server).await {
            for route in router::table() {
                if route.method == Method::GET {
                    let get = send(
                        server,
                        &Method::GET,
                        route.path,
                        route.media,
                        &caller,
                        &Value::Null,
                    )
                    .await;
                    let head = send(
                        server,
                        &Method::HEAD,
                        route.path,
                        route.media,
                        &caller,
                        &Value::Null,
                    )
                    .await;
                    assert_eq!(head.status, get.status, "{} by {}", route.path, caller.name);
                    assert_eq!(head.body, "");
                }
            }
        }
    })
    .await;
}

async fn send(
    server: &Server,
    method: &Method,
    path: &str,
    media: Media,
    caller: &Caller,
    fields: &Value,
) -> Answer {
    let mut request = Request::builder()
        .method(method)
        .uri(path)
        .header(CONTENT_TYPE, media.name());
    if let Some(sends) = &caller.sends {
        request = request.header(AUTHORIZATION, sends);
    }
    server
        .send(request.body(Body::from(written(media, fields))).unwrap())
        .await
}

fn is_refused(answer: &Answer, code: &str, why: &str) {
    assert_eq!(
        (answer.status.as_u16(), answer.code()),
        (401, code),
        "{why}: {answer:?}"
    );
    let challenge = match code {
        "token_missing" => "Bearer",
        "invalid_client" => "Basic realm=\"doorward\"",
        _ => "Bearer error=\"invalid_token\"",
    };
    assert_eq!(answer.header("www-authenticate"), challenge, "{why}");
}
