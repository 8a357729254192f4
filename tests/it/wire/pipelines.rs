//! Many requests on one connection, and protocols that are not spoken.

use super::line::Line;
use super::listening::listening;
use super::probes::probes;
use crate::harness::rows;

#[tokio::test]
async fn H17_a_thousand_pipelined_requests_are_answered_in_order() {
    listening(async |on| {
        // Every route, with a body that changes nothing where it reads one: refusals among the answers.
        let mut probes = probes();
        for probe in &mut probes {
            probe.body = probe.body.is_some().then(|| serde_json::json!({}));
        }
        let before = rows::all(&on.server.app.db).await;
        let ask = |n: usize| {
            let last = if n == 999 {
                "Connection: close\r\n"
            } else {
                ""
            };
            probes[n % probes.len()].request(on, &format!("X-Request-Id: n{n}\r\n{last}"))
        };
        let requests = (0..1_000).flat_map(ask).collect::<Vec<u8>>();

        let (from, mut to) = tokio::io::split(on.tcp().await);
        let sending =
            tokio::spawn(
                async move { tokio::io::AsyncWriteExt::write_all(&mut to, &requests).await },
            );
        let mut line = Line::new(tokio::io::join(from, tokio::io::sink()));
        let mut statuses = vec![None; probes.len()];
        for n in 0..1_000 {
            let answer = line
                .answer()
                .await
                .unwrap_or_else(|| panic!("{n} was not answered"));
            assert_eq!(answer.header("x-request-id"), format!("n{n}"));
            let first = *statuses[n % probes.len()].get_or_insert(answer.status);
            assert_eq!(answer.status, first, "{n}: {answer:?}");
        }
        assert!(line.answer().await.is_none());
        sending.await.unwrap().unwrap();
        assert_eq!(rows::all(&on.server.app.db).await, before);
    })
    .await;
}

#[tokio::test]
async fn H18_http_1_0_is_answered_and_closed() {
    listening(async |on| {
        for probe in probes().iter().filter(|it| it.is_get()) {
            let why = probe.name();
            let plain = on.bad(&why, &probe.request(on, "")).await.unwrap();
            let older = String::from_utf8(probe.request(on, ""))
                .unwrap()
                .replacen("HTTP/1.1", "HTTP/1.0", 1);
            for request in [older.clone(), older.replacen("Host: localhost\r\n", "", 1)] {
                let answer = on.bad(&why, request.as_bytes()).await.unwrap();
                assert_eq!(
                    (answer.status, &answer.body),
                    (plain.status, &plain.body),
                    "{why}"
                );
            }
        }
    })
    .await;
}

#[tokio::test]
async fn H18_other_versions_are_refused() {
    listening(async |on| {
        for probe in probes() {
            for version in [
                "",
                " HTTP/0.9",
                " HTTP/1.2",
                " HTTP/1.10",
                " HTTP/1",
                " HTTP/1.",
                " HTTP/2.0",
                " HTTP/2",
                " HTTP/3.0",
                " HTTP/11",
                " http/1.1",
                " HTTPS/1.1",
                " HTTP/1.1x",
                " HTTP/-1.1",
                " HTTP 1.1",
                " ICY",
                " SIP/2.0",
                " RTSP/1.0",
            ] {
                let bytes = probe.head().replacen(" HTTP/1.1", version, 1) + "\r\n";
                let answer = on
                    .bad(&format!("{}{version}", probe.name()), bytes.as_bytes())
                    .await;
                let answer = answer.expect("an answer");
                assert_eq!(answer.status, 400, "{version}");
                assert_eq!(answer.header("connection"), "close", "{version}");
            }
        }
    })
    .await;
}

#[tokio::test]
async fn H20_nobody_is_moved_to_another_protocol() {
    listening(async |on| {
        for probe in probes().iter().filter(|it| it.is_get()) {
            let why = probe.name();
            let plain = on.bad(&why, &probe.request(on, "")).await.unwrap();
            for upgrade in [
                "Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQAoAAAAAIAAAAA\r\n",
                "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n",
                "Connection: Upgrade\r\nUpgrade: TLS/1.2\r\n",
                "Upgrade: h2c\r\n",
            ] {
                let answer = on.bad(&why, &probe.request(on, upgrade)).await.unwrap();
                assert_eq!((answer.status, &answer.body), (plain.status, &plain.body), "{upgrade}");
                assert_eq!(answer.header("upgrade"), "", "{upgrade}");
            }
        }
        // HTTP/2 without asking (RFC 9113 section 3.3).
        let preface = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\x00\x00\x00\x04\x00\x00\x00\x00\x00";
        let answer = on.bad("prior knowledge", preface).await;
        assert!(answer.is_none_or(|answer| answer.status == 400));
    })
    .await;
}

#[tokio::test]
async fn H23_the_proxy_protocol_is_not_spoken() {
    listening(async |on| {
        for probe in probes() {
            let v1 = b"PROXY TCP4 203.0.113.1 10.0.0.1 4711 80\r\n";
            let unknown = b"PROXY UNKNOWN\r\n";
            let v2 = b"\r\n\r\n\x00\r\nQUIT\n\x21\x11\x00\x0c\xcb\x00\x71\x01\x0a\x00\x00\x01\x12\x67\x00\x50";
            for line in [&v1[..], unknown, v2] {
                let bytes = [line, &probe.request(on, "")].concat();
                let answer = on.refused(400, &probe.name(), &bytes).await;
                assert_eq!(answer.header("connection"), "close");
            }
        }
    })
    .await;
}
