//! Who is asking, when headers say it is somebody else.

use doorward::ids::RequestId;
use serde_json::json;

use super::listening::{Listening, listening_with};
use crate::harness::ADA;
use crate::harness::rows;

/// Every header by which somebody has told a server who its client is.
const CLAIMS: &[&str] = &[
    "X-Forwarded-For: 203.0.113.9",
    "X-Forwarded-For: 203.0.113.9, 203.0.113.10",
    "Forwarded: for=203.0.113.9",
    "Forwarded: for=\"203.0.113.9:80\";proto=https;host=evil.example",
    "X-Real-IP: 203.0.113.9",
    "True-Client-IP: 203.0.113.9",
    "CF-Connecting-IP: 203.0.113.9",
    "X-Client-IP: 203.0.113.9",
    "X-Cluster-Client-IP: 203.0.113.9",
    "Fastly-Client-IP: 203.0.113.9",
    "Client-IP: 203.0.113.9",
    "X-Originating-IP: 203.0.113.9",
    "Via: 1.1 203.0.113.9",
    "X_Forwarded_For: 203.0.113.9",
    "X-Forwarded_For: 203.0.113.9",
    "X-Forwarded-For : 203.0.113.9",
    "x-forwarded-for: 127.0.0.2\r\nX-Forwarded-For: 203.0.113.9",
];

/// Fails to sign in, with these headers, and tells whom the service took it for.
async fn taken_for(on: &Listening<'_>, headers: &str) -> Option<String> {
    let id = RequestId::new(on.server.clock.now());
    let body = json!({"email": ADA, "password": "not the password at all"}).to_string();
    let length = body.len();
    let head = format!(
        "POST /auth/signin HTTP/1.1\r\nHost: localhost\r\nX-Request-Id: {id}\r\nContent-Type: application/json"
    );
    let bytes = format!("{head}\r\nContent-Length: {length}\r\n{headers}\r\n\r\n{body}");
    let answer = on.bad(headers, bytes.as_bytes()).await?;
    if answer.status == 400 {
        return None; // not a header at all
    }
    assert_eq!(answer.status, 401, "{headers}: {answer:?}");
    // It was sent twice, and taken for the same both times.
    let rows = rows::audited(&on.server.app.db, id.as_str()).await;
    assert_eq!(rows.len(), 2);
    assert!(
        rows.iter()
            .all(|row| row.event == "sign_in_failed" && row.ip == rows[0].ip)
    );
    Some(rows[0].ip.clone())
}

#[tokio::test]
async fn H24_a_stranger_is_who_the_kernel_says() {
    // A proxy is trusted, but not this peer.
    for trusted in ["", "10.0.0.0/8"] {
        listening_with(&[("trusted_proxies", trusted)], async |on| {
            for claim in CLAIMS {
                let taken_for = taken_for(on, claim).await;
                assert!(
                    [None, Some("127.0.0.1")].contains(&taken_for.as_deref()),
                    "{claim}: {taken_for:?}"
                );
            }
        })
        .await;
    }
}

#[tokio::test]
async fn H24_a_proxy_is_believed_from_the_right() {
    let trusted = [("trusted_proxies", "127.0.0.1, 10.0.0.0/8")];
    listening_with(&trusted, async |on| {
        for (headers, who) in [
            ("X-Forwarded-For: 203.0.113.9", "203.0.113.9"),
            ("X-Forwarded-For: 198.51.100.1, 203.0.113.9", "203.0.113.9"),
            ("X-Forwarded-For: 203.0.113.9, 10.1.2.3", "203.0.113.9"),
            (
                "X-Forwarded-For: 198.51.100.1\r\nX-Forwarded-For: 203.0.113.9, 10.1.2.3",
                "203.0.113.9",
            ),
            ("X-Forwarded-For: garbage, 203.0.113.9", "203.0.113.9"),
            ("X-Forwarded-For: [2001:db8::1]:4711", "2001:db8::1"),
            (
                "Forwarded: for=198.51.100.1, for=203.0.113.9;proto=https",
                "203.0.113.9",
            ),
            (
                "Forwarded: for=203.0.113.9, for=\"10.1.2.3:80\"",
                "203.0.113.9",
            ),
            (
                "Forwarded: for=203.0.113.9\r\nX-Forwarded-For: 198.51.100.1, 203.0.113.9",
                "203.0.113.9",
            ),
            // What cannot be understood, or disagrees, names nobody: the proxy itself then.
            ("X-Forwarded-For: 203.0.113.9, garbage", "127.0.0.1"),
            (
                "Forwarded: for=203.0.113.9\r\nX-Forwarded-For: 198.51.100.1",
                "127.0.0.1",
            ),
            ("Forwarded: for=_hidden", "127.0.0.1"),
            ("Forwarded: for=\"203.0.113.9", "127.0.0.1"),
            ("X-Real-IP: 203.0.113.9", "127.0.0.1"),
            ("X_Forwarded_For: 203.0.113.9", "127.0.0.1"),
            ("X: 1", "127.0.0.1"),
        ] {
            assert_eq!(
                taken_for(on, headers).await.as_deref(),
                Some(who),
                "{headers}"
            );
        }
    })
    .await;
}

#[tokio::test]
async fn B6_H7_H24_a_forged_header_buys_no_other_budget() {
    let tight = [
        ("limits.enabled", "true"),
        ("limits.burst", "4"),
        ("limits.per_minute", "1"),
    ];
    listening_with(&tight, async |on| {
        let mut statuses = Vec::new();
        for last in 0..6 {
            let claim = format!("X-Forwarded-For: 203.0.113.{last}\r\nX_Forwarded_For: 203.0.113.{last}\r\nX-Real-IP: 203.0.113.{last}");
            let bytes = format!("POST /auth/signin HTTP/1.1\r\nHost: localhost\r\n{claim}\r\n\r\n");
            let mut line = on.connect().await;
            line.write(bytes.as_bytes()).await;
            statuses.push(line.answer().await.unwrap().status.as_u16());
        }
        assert_eq!(statuses, [415, 415, 415, 415, 429, 429]);
    })
    .await;
}
