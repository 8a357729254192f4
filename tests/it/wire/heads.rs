//! Request lines and headers that are not as they should be.

use serde_json::json;

use super::listening::{Listening, listening};
use super::probes::{Probe, probes};
use crate::harness::{ADA, PASSWORD};

/// The head of each route's request with `lines` in it, refused with `status`.
async fn every_route_refuses(on: &Listening<'_>, status: u16, lines: &[u8]) {
    for probe in probes() {
        let shown = String::from_utf8_lossy(&lines[..lines.len().min(40)]).into_owned();
        let bytes = [probe.head().as_bytes(), lines, b"\r\n\r\n"].concat();
        let answer = on
            .refused(status, &format!("{} {shown:?}", probe.name()), &bytes)
            .await;
        assert_eq!(answer.header("connection"), "close", "{shown:?}");
    }
}

/// Each route's good request with another first line, or another `Host`.
fn rewritten(on: &Listening, probe: &Probe, from: &str, to: &str) -> Vec<u8> {
    let request = String::from_utf8(probe.request(on, "")).unwrap();
    assert!(request.contains(from));
    request.replacen(from, to, 1).into_bytes()
}

#[tokio::test]
async fn H6_lines_that_are_no_header_lines() {
    listening(async |on| {
        for lines in [
            &b"X: 1\r\n 2"[..],
            b"X: 1\r\n\t2",
            b" X: 1",
            b"X: 1\x002",
            b"X\x00: 1",
            b"X: 1\r2",
            b"X : 1",
            b"X\t: 1",
            b"X",
            b": 1",
            b"X(Y): 1",
            b"X\xc3\xa4: 1",
            b"X: 1\x7f",
            b"X: 1\x1b[31m",
        ] {
            every_route_refuses(on, 400, lines).await;
        }
    })
    .await;
}

#[tokio::test]
async fn H6_bare_line_feeds_and_empty_lines() {
    listening(async |on| {
        // RFC 9112 section 2.2 lets both be taken for what was meant; whatever they are taken for, it is one request.
        for probe in probes() {
            let name = probe.name();
            let bare = format!("{}X: 1\n\n", probe.head().replace("\r\n", "\n"));
            on.bad(&name, bare.as_bytes()).await;
            let mixed = format!("{}X: 1\n\r\n", probe.head());
            on.bad(&name, mixed.as_bytes()).await;
            let early = format!("\r\n\r\n{}\r\n", probe.head());
            on.bad(&name, early.as_bytes()).await;
        }
    })
    .await;
}

#[tokio::test]
async fn H6_first_lines_that_are_none() {
    listening(async |on| {
        for probe in probes() {
            let Probe { method, path, .. } = &probe;
            for line in [
                format!("{method}  {path} HTTP/1.1"),
                format!("{method} {path}  HTTP/1.1"),
                format!("{method}\t{path}\tHTTP/1.1"),
                format!(" {method} {path} HTTP/1.1"),
                format!("{method} {path} HTTP/1.1 "),
                format!("{method} {path} x HTTP/1.1"),
                format!("{method} {path}\u{0} HTTP/1.1"),
                format!("{method} {path}\u{b} HTTP/1.1"),
                format!("{path} HTTP/1.1"),
                format!("{method} HTTP/1.1"),
                format!("{method}\u{e9} {path} HTTP/1.1"),
                format!("{method}: {path} HTTP/1.1"),
            ] {
                let bytes = format!("{line}\r\nHost: localhost\r\n\r\n");
                on.refused(400, &line, bytes.as_bytes()).await;
            }
        }
    })
    .await;
}

#[tokio::test]
async fn H8_heads_that_are_too_large() {
    listening(async |on| {
        every_route_refuses(on, 431, format!("X: {}", "x".repeat(100_000)).as_bytes()).await;
        every_route_refuses(on, 431, "X: 1\r\n".repeat(10_000).trim_end().as_bytes()).await;
        every_route_refuses(on, 431, format!("{}: 1", "x".repeat(100_000)).as_bytes()).await;
        for probe in probes() {
            for target in [
                format!("{}?{}", probe.path, "x".repeat(1_000_000)),
                format!("{}{}", probe.path, "/x".repeat(500_000)),
            ] {
                let head = probe.head().replacen(probe.path, &target, 1);
                let answer = on
                    .bad(&probe.name(), format!("{head}\r\n").as_bytes())
                    .await;
                let status = answer.expect("an answer").status.as_u16();
                assert!([414, 431].contains(&status), "{} {status}", probe.name());
            }
        }
    })
    .await;
}

#[tokio::test]
async fn H9_the_absolute_form_names_the_same_route_whatever_host_it_says() {
    listening(async |on| {
        for probe in probes().iter().filter(|it| it.is_get()) {
            let plain = on.bad(&probe.name(), &probe.request(on, "")).await.unwrap();
            for origin in [
                "http://localhost",
                "http://evil.example",
                "https://evil.example:1",
                "ftp://evil.example",
            ] {
                let target = format!("{origin}{}", probe.path);
                let answer = on
                    .bad(&target, &probe.request_at(&target, on, ""))
                    .await
                    .unwrap();
                assert_eq!(answer.status, plain.status, "{target}");
                assert_eq!(answer.body, plain.body, "{target}");
            }
        }
    })
    .await;
}

#[tokio::test]
async fn H9_other_forms_name_nothing() {
    listening(async |on| {
        for probe in probes() {
            let bare = probe.path.trim_start_matches('/');
            for target in [
                &format!("//evil.example{}", probe.path),
                &format!("///{bare}"),
                &format!("http://user:pass@evil.example/x{}", probe.path),
                &format!("/http://evil.example{}", probe.path),
                "http://",
                "localhost:80",
                "*",
                bare,
                "?",
                "#",
            ] {
                let why = format!("{} {target}", probe.method);
                let answer = on.bad(&why, &probe.request_at(target, on, "")).await;
                let status = answer.expect("an answer").status.as_u16();
                assert!([400, 404].contains(&status), "{why}: {status}");
            }
        }
    })
    .await;
}

#[tokio::test]
async fn H10_hosts_that_are_none() {
    listening(async |on| {
        for probe in probes() {
            for host in [
                "",
                "Host: localhost\r\nHost: localhost\r\n",
                "Host: localhost\r\nHost: evil.example\r\n",
                "Host: user@localhost\r\n",
                "Host: user:pass@localhost:80\r\n",
                "Host: http://localhost/\r\n",
                "Host: localhost/x\r\n",
                "Host: localhost, evil.example\r\n",
                "Host: localhost evil.example\r\n",
                "Host: [::1\r\n",
                "Host: ::1\r\n",
                "Host: localhost:port\r\n",
                "Host: localhost:99999\r\n",
                "Host: l\u{f6}calhost\r\n",
            ] {
                let bytes = rewritten(on, &probe, "Host: localhost\r\n", host);
                let answer = on
                    .refused(400, &format!("{} {host:?}", probe.name()), &bytes)
                    .await;
                assert_eq!(answer.header("connection"), "close", "{host:?}");
            }
        }
    })
    .await;
}

#[tokio::test]
async fn H10_another_host_changes_no_answer() {
    listening(async |on| {
        for probe in probes().iter().filter(|it| it.is_get()) {
            let plain = on.bad(&probe.name(), &probe.request(on, "")).await.unwrap();
            for host in ["evil.example", "[::1]:8080", "127.0.0.1:1", "LOCALHOST", "localhost."] {
                let lines = format!("Host: {host}\r\n");
                let bytes = rewritten(on, probe, "Host: localhost\r\n", &lines);
                let answer = on.bad(host, &bytes).await.unwrap();
                assert_eq!((answer.status, &answer.body), (plain.status, &plain.body), "{host}");
                assert!(!format!("{answer:?}").contains("evil.example"));
            }
        }
        // What a token says of its issuer is the operator's word.
        let body = json!({"email": ADA, "password": PASSWORD}).to_string();
        let head = "POST /auth/signin HTTP/1.1\r\nHost: evil.example\r\nX-Forwarded-Host: evil.example\r\nForwarded: host=evil.example";
        let length = body.len();
        let mut line = on.connect().await;
        line.write(format!("{head}\r\nContent-Type: application/json\r\nContent-Length: {length}\r\n\r\n{body}").as_bytes()).await;
        let answer = line.answer().await.unwrap();
        let (_, claims) = jose::decode_unverified(answer.token().unwrap()).unwrap();
        assert_eq!((&claims["iss"], &claims["aud"]), (&json!("http://localhost:8080"), &json!("http://localhost:8080")));
    })
    .await;
}
