//! Clients that take their time: each is ended within its limit, and nobody else waits for it.

use std::time::Duration;

use doorward::http::server::Limits;
use tokio::io::{AsyncWriteExt as _, Join, Sink};
use tokio::net::TcpStream;
use tokio::net::tcp::OwnedReadHalf;

use super::line::Line;
use super::listening::{Door, Listening, listening_at};
use super::tls::over_tls_within;
use crate::harness::{envelope, meanwhile, rows, wire};

/// How long a client waits before it sends the next byte.
const PACE: Duration = Duration::from_millis(50);

/// Runs `test` against a service with these limits; others are answered for as long as it runs.
async fn beside_others(limits: Limits, test: impl AsyncFnOnce(&Listening)) {
    let door = Door {
        limits,
        ..Door::default()
    };
    listening_at(&[], door, async |on| {
        let before = rows::all(&on.server.app.db).await;
        meanwhile(test(on), async || drop(is_answered(on.tcp().await).await)).await;
        assert_eq!(rows::all(&on.server.app.db).await, before);
    })
    .await;
}

/// Asks what can always be asked, and keeps the connection.
pub async fn is_answered(stream: TcpStream) -> Line {
    let mut line = Line::new(stream);
    line.write(&wire::request("GET", "/auth/config", None, None))
        .await;
    assert_eq!(line.answer().await.expect("an answer").status, 200);
    line
}

/// Sends `first`, and then one byte after the other until the server ends the connection. Gives back the other end, with
/// what the server said still to be read.
pub async fn drip(stream: TcpStream, first: &[u8]) -> Line<Join<OwnedReadHalf, Sink>> {
    let (from, mut to) = stream.into_split();
    to.write_all(first).await.unwrap();
    while to.write_all(b"x").await.is_ok() {
        tokio::time::sleep(PACE).await;
    }
    Line::new(tokio::io::join(from, tokio::io::sink()))
}

#[tokio::test]
async fn H21_a_slow_head_is_ended() {
    let limits = Limits {
        head: Duration::from_secs(1),
        ..Limits::default()
    };
    beside_others(limits, async |on| {
        for first in ["G", "GET /auth/config HTTP/1.1\r\nHost: localhost\r\nX: "] {
            let mut line = drip(on.tcp().await, first.as_bytes()).await;
            assert_eq!(line.rest().await, b"", "{first}");
        }
    })
    .await;
}

#[tokio::test]
async fn H21_a_slow_body_is_refused_and_ended() {
    beside_others(Limits::default(), async |on| {
        let head =
            "POST /auth/signin HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n";
        let told = format!("{head}Content-Length: 60000\r\n\r\n{{\"email\":\"");
        let mut line = drip(on.tcp().await, told.as_bytes()).await;
        let answer = line.answer().await.expect("it is told why");
        assert_eq!(answer.status, 408);
        envelope::is_refusal(&answer, "a slow body");
        assert!(line.answer().await.is_none());
    })
    .await;
}

/// Asks for answers and reads none, until the server ends the connection.
#[tokio::test]
async fn H21_a_slow_reader_is_ended() {
    let limits = Limits {
        request: Duration::from_secs(1),
        ..Limits::default()
    };
    beside_others(limits, async |on| {
        let requests = wire::request("GET", "/auth/openapi.json", None, None).repeat(100);
        let mut deaf = on.tcp().await;
        while deaf.write_all(&requests).await.is_ok() {}
    })
    .await;
}

#[tokio::test]
async fn H21_a_slow_handshake_is_ended() {
    let limits = Limits {
        handshake: Duration::from_secs(1),
        ..Limits::default()
    };
    over_tls_within(limits, async |on, _| {
        for first in [
            &b""[..],
            b"\x16",
            b"\x16\x03\x01\x01\x00\x01\x00\x00\xfc\x03\x03",
        ] {
            let mut line = on.connect().await;
            line.write(first).await;
            assert_eq!(line.rest().await, b"", "{first:?}");
        }
    })
    .await;
}
