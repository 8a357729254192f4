//! SIGTERM: what has begun is finished, and whoever asks meanwhile is told that nothing more should begin.

use std::time::Duration;

use rustix::process::Signal;
use serde_json::json;
use tokio::net::TcpStream;

use super::{credentials, http2, line, serving};
use crate::harness::certificate::Pair;
use crate::harness::process::Process;
use crate::harness::wire;

/// Waits until nobody can connect any more, which is when stopping has begun.
async fn is_closed(server: &Process) {
    for _ in 0..600 {
        if TcpStream::connect(server.address()).await.is_err() {
            return;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    panic!("it still takes connections");
}

#[tokio::test]
async fn a_sign_in_that_has_begun_is_finished() {
    let pair = Pair::new();
    let (_place, server) = serving(&pair).await;
    let mut line = line(&pair, &server).await;
    line.write(&wire::request(
        "POST",
        "/auth/signup",
        None,
        Some(&credentials()),
    ))
    .await;
    assert_eq!(line.answer().await.unwrap().status, 201);

    // The server asks for the body once the sign-in has begun, and so tells us that it has (RFC 9110 section 10.1.1).
    let body = credentials().to_string();
    let length = body.len();
    let head = "POST /auth/signin HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nExpect: 100-continue";
    line.write(format!("{head}\r\nContent-Length: {length}\r\n\r\n").as_bytes())
        .await;
    assert_eq!(line.answer().await.unwrap().status, 100);
    server.signal(Signal::TERM);
    is_closed(&server).await;

    line.write(body.as_bytes()).await;
    let answer = line.answer().await.expect("it is finished");
    assert_eq!(answer.status, 200);
    assert!(answer.token().is_some());
    assert_eq!(answer.header("connection"), "close");
    assert!(line.answer().await.is_none());
    let ended = server.ended();
    assert_eq!(ended.code, Some(0), "{ended:?}");
    assert!(!ended.said.contains("did not finish in time"), "{ended:?}");
}

#[tokio::test]
async fn readiness_says_no_while_the_last_requests_are_finished() {
    let pair = Pair::new();
    let (_place, server) = serving(&pair).await;
    let mut http2 = http2(&pair, &server).await;
    http2.get(1, "/readyz").await;
    let ready = json!({"status": "ok", "checks": {"database": "ok", "serving": "ok"}});
    assert_eq!(http2.body_of(1).await, ready);

    // A request whose body is to come, so that the connection stands.
    http2.post(3, "/auth/signup").await;
    http2.is_heard().await;
    server.signal(Signal::TERM);
    http2.is_told_to_go().await;
    // Streams that were on their way are taken until we say that we know (RFC 9113 section 6.8).
    http2.get(5, "/readyz").await;
    let draining =
        json!({"status": "unavailable", "checks": {"database": "ok", "serving": "draining"}});
    assert_eq!(http2.body_of(5).await, draining);
    http2.answer_pings().await;

    http2.data(3, &credentials().to_string()).await;
    assert!(http2.body_of(3).await["token"].is_string());
    http2.ends().await;
    let ended = server.ended();
    assert_eq!(ended.code, Some(0), "{ended:?}");
}

#[tokio::test]
async fn connections_that_ask_for_nothing_are_not_waited_for() {
    let pair = Pair::new();
    let (_place, server) = serving(&pair).await;
    let mut used = line(&pair, &server).await;
    used.write(&wire::request("GET", "/livez", None, None))
        .await;
    assert_eq!(used.answer().await.unwrap().status, 200);
    let mut unused = line(&pair, &server).await;
    let mut without_a_word = TcpStream::connect(server.address()).await.unwrap();
    server.signal(Signal::INT);
    assert!(used.answer().await.is_none());
    assert!(unused.answer().await.is_none());
    let mut rest = Vec::new();
    let _ = tokio::io::AsyncReadExt::read_to_end(&mut without_a_word, &mut rest).await;
    assert!(rest.is_empty());
    assert_eq!(server.ended().code, Some(0));
}
