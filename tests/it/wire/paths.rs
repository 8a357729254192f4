//! Paths that look like a route's and are not, and what must not stand behind a path.

use serde_json::json;

use super::listening::{Listening, listening, listening_with};
use super::probes::{Probe, probes};
use crate::harness::{ADA, PASSWORD, log};
use doorward::http::route::Limit;

/// Other spellings of a path: what some proxy, file system or framework takes for the same.
fn spellings(path: &str) -> Vec<String> {
    let (folder, last) = path.rsplit_once('/').unwrap();
    let (first, rest) = last.split_at(1);
    let mut spellings = vec![
        format!("/{path}"),
        format!("/.{path}"),
        format!("{folder}/./{last}"),
        format!("{folder}//{last}"),
        format!("{folder}/x/../{last}"),
        format!("{folder}/x/%2e%2e/{last}"),
        format!("{folder}/%2e/{last}"),
        format!("{folder}%2f{last}"),
        format!("{folder}%2F{last}"),
        format!("{folder}%5c{last}"),
        format!("{folder}\\{last}"),
        format!("{folder}/%{:02x}{rest}", first.as_bytes()[0]),
        format!("{folder}/%25{:02x}{rest}", first.as_bytes()[0]),
        format!("/..{path}"),
        format!("/%2e%2e{path}"),
        format!("/x/..{path}"),
    ];
    for tail in [
        "/", "//", "/.", "/..", "/x/..", ".", ";", ";x=1", ";/", "%00", "%00.html", "%20", "%09",
        "%0a", "%0d%0a", "%3f", "%3fx", "%23", "%2f", "%5c", "%c0%af", "%ff", "%u002f", "%", "%2",
        "%zz", ".json", ".css", "~", "+", "&", "=", ":", "@", ",", "*", "!", "'", "(", ")", "$",
    ] {
        spellings.push(format!("{path}{tail}"));
    }
    let upper = path.to_uppercase();
    let title = format!("{folder}/{}{rest}", first.to_uppercase());
    spellings.extend([upper, title].into_iter().filter(|it| it != path));
    spellings
}

#[tokio::test]
async fn H14_no_spelling_of_a_path_reaches_its_route() {
    let limits = [("limits.enabled", "true"), ("limits.burst", "100000")];
    listening_with(&limits, async |on| {
        for probe in probes() {
            for target in spellings(probe.path) {
                let why = format!("{} {target}", probe.method);
                // Right in everything else: the handler, if it is reached, changes something.
                let answer = on.bad(&why, &probe.request_at(&target, on, "")).await;
                let answer = answer.expect("an answer");
                let status = answer.status.as_u16();
                // The last segment of a path with an id may be spelled in any way: it names nothing.
                let is_id = status == 405
                    && [
                        "/auth/sessions/",
                        "/auth/trusted-devices/",
                        "/auth/passkeys/",
                    ]
                    .into_iter()
                    .any(|ids| target.starts_with(ids));
                assert!(is_id || [400, 404].contains(&status), "{why}: {answer:?}");
                // Nor is the guard that stands before it: it would have told what is left of the budget.
                assert_eq!(answer.header("ratelimit-limit"), "", "{why}");
            }
        }
    })
    .await;
}

#[tokio::test]
async fn H14_a_query_is_no_part_of_the_path_and_a_fragment_is_none_at_all() {
    listening(async |on| {
        for probe in probes().into_iter().filter(Probe::is_get) {
            let plain = on.bad(probe.path, &probe.request(on, "")).await.unwrap();
            for tail in [
                "?", "?x=1", "?/../x", "??", "?%00", "?%zz", "?a=1&a=2", "?[]", "?{}", "#x", "?#",
            ] {
                let target = format!("{}{tail}", probe.path);
                let answer = on
                    .bad(&target, &probe.request_at(&target, on, ""))
                    .await
                    .unwrap();
                assert_eq!(
                    (answer.status, &answer.body),
                    (plain.status, &plain.body),
                    "{target}"
                );
            }
        }
    })
    .await;
}

/// The routes that check or make a credential, or are about one.
fn guarded() -> Vec<Probe> {
    let guarded: Vec<Probe> = probes()
        .into_iter()
        .filter(|it| it.limit != Limit::Free)
        .collect();
    assert!(!guarded.is_empty());
    guarded
}

/// With `query` behind its path the route refuses, and logs nothing of it.
async fn is_refused_unlogged(on: &Listening<'_>, probe: &Probe, query: &str, secret: &str) {
    let target = format!("{}?{query}", probe.path);
    let answer = on
        .refused(400, &target, &probe.request_at(&target, on, ""))
        .await;
    let is_told = ["validation_failed", "invalid_request"].contains(&answer.code());
    assert!(is_told, "{target}: {answer:?}");
    assert!(!answer.body.contains(secret), "{target}");
}

#[tokio::test]
async fn H15_credentials_in_the_query_are_refused_and_not_logged() {
    listening(async |on| {
        let secret = "a-canary-in-a-coal-mine";
        on.server.must_stay_unseen(secret);
        for probe in guarded() {
            for name in [
                "email",
                "password",
                "username",
                "token",
                "code",
                "PASSWORD",
                "Password",
                "pass%77ord",
                "%70assword",
                "password%00",
                "%65mail",
                "p%61ssword",
            ] {
                for query in [
                    format!("{name}={secret}"),
                    format!("x=1&{name}={secret}"),
                    format!("{name}={secret}&{name}=again"),
                    format!("&&{name}={secret}"),
                    format!("{name}&x={secret}"),
                ] {
                    is_refused_unlogged(on, &probe, &query, secret).await;
                }
            }
            let both = format!("email={ADA}&password={secret}");
            is_refused_unlogged(on, &probe, &both, secret).await;
        }
        // Elsewhere nobody reads them, and nobody writes them down either.
        for probe in probes()
            .iter()
            .filter(|it| it.limit == Limit::Free && it.is_get())
        {
            let target = format!("{}?password={secret}&token={secret}", probe.path);
            on.bad(&target, &probe.request_at(&target, on, "")).await;
        }
        let nowhere =
            format!("GET /{secret}?password={secret} HTTP/1.1\r\nHost: localhost\r\n\r\n");
        on.refused(404, "nowhere", nowhere.as_bytes()).await;
        assert!(!log::holds(secret));
    })
    .await;
}

#[tokio::test]
async fn H16_a_field_in_the_query_and_in_the_body() {
    listening(async |on| {
        for mut probe in guarded() {
            for name in ["email", "password"] {
                let query = format!(
                    "{name}={}",
                    if name == "email" {
                        ADA
                    } else {
                        "another-password-entirely"
                    }
                );
                is_refused_unlogged(on, &probe, &query, "another-password-entirely").await;
                // Nor does the one in the query fill in for one that the body lacks.
                let mut body = json!({"email": ADA, "password": PASSWORD});
                body.as_object_mut().unwrap().remove(name);
                probe.body = Some(body);
                is_refused_unlogged(on, &probe, &query, "another-password-entirely").await;
            }
        }
    })
    .await;
}
