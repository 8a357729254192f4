//! The real binary speaking HTTPS: which versions and protocols, whose certificate, and how it stops.

mod renewal;
mod stopping;

use rustls::SupportedProtocolVersion;
use rustls::version::{TLS12, TLS13};
use serde_json::{Value, json};
use tokio::net::TcpStream;
use tokio_rustls::client::TlsStream;

use crate::harness::certificate::{Pair, connect};
use crate::harness::process::{Place, Process};
use crate::harness::{ADA, PASSWORD, wire};
use crate::wire::frames::Http2;
use crate::wire::line::Line;

/// A server with this certificate, and where it runs.
async fn serving(pair: &Pair) -> (Place, Process) {
    let place = Place::new()
        .await
        .with("tls.cert", &pair.cert().display().to_string())
        .with("tls.key", &pair.key().display().to_string())
        .with("shutdown_grace", "2m");
    let server = place.serve();
    (place, server)
}

async fn stream(
    pair: &Pair,
    server: &Process,
    version: &'static SupportedProtocolVersion,
    alpn: &[&str],
) -> TlsStream<TcpStream> {
    connect(pair.client(version, alpn), server.address())
        .await
        .unwrap()
}

/// A connection that speaks HTTP/1.1.
async fn line(pair: &Pair, server: &Process) -> Line<TlsStream<TcpStream>> {
    Line::new(stream(pair, server, &TLS13, &["http/1.1"]).await)
}

/// A connection that speaks HTTP/2.
async fn http2(pair: &Pair, server: &Process) -> Http2 {
    Http2::begin(stream(pair, server, &TLS13, &["h2", "http/1.1"]).await).await
}

/// What the documented call sends.
fn credentials() -> Value {
    json!({"email": ADA, "password": PASSWORD})
}

#[tokio::test]
async fn both_versions_of_tls_and_of_http_are_spoken() {
    let pair = Pair::new();
    let (_place, server) = serving(&pair).await;
    for version in [&TLS12, &TLS13] {
        for alpn in [&["http/1.1"][..], &["http/1.1", "spdy/3"], &[]] {
            let stream = stream(&pair, &server, version, alpn).await;
            let session = stream.get_ref().1;
            assert_eq!(session.protocol_version(), Some(version.version));
            let agreed = session.alpn_protocol().map(<[u8]>::to_vec);
            assert_eq!(agreed, alpn.first().map(|_| b"http/1.1".to_vec()));
            let mut line = Line::new(stream);
            line.write(&wire::request("GET", "/auth/config", None, None))
                .await;
            let answer = line.answer().await.unwrap();
            assert_eq!(answer.status, 200);
            assert_eq!(
                answer.header("strict-transport-security"),
                "max-age=31536000; includeSubDomains"
            );
        }
        let stream = stream(&pair, &server, version, &["h2", "http/1.1"]).await;
        assert_eq!(stream.get_ref().1.protocol_version(), Some(version.version));
        assert_eq!(stream.get_ref().1.alpn_protocol(), Some(&b"h2"[..]));
        let mut http2 = Http2::begin(stream).await;
        http2.get(1, "/auth/config").await;
        assert!(http2.body_of(1).await["methods"].is_array());
    }
    // RFC 7301 section 3.2: none of these is spoken, and that is said in the handshake.
    let stranger = connect(pair.client(&TLS13, &["spdy/3"]), server.address()).await;
    assert!(
        stranger
            .unwrap_err()
            .to_string()
            .contains("NoApplicationProtocol")
    );
}

#[tokio::test]
async fn the_documented_call_is_answered_over_both() {
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
    line.write(&wire::request(
        "POST",
        "/auth/signin",
        None,
        Some(&credentials()),
    ))
    .await;
    let token = line.answer().await.unwrap().token().unwrap().to_owned();
    let (_, claims) = jose::decode_unverified(&token).unwrap();
    assert!(
        claims["iss"].as_str().unwrap().starts_with("https://"),
        "{claims}"
    );

    let mut http2 = http2(&pair, &server).await;
    http2.post(1, "/auth/signin").await;
    http2.data(1, &credentials().to_string()).await;
    let token = http2.body_of(1).await["token"].as_str().unwrap().to_owned();
    line.write(&wire::request("GET", "/auth/me", Some(&token), None))
        .await;
    assert_eq!(line.answer().await.unwrap().json()["email"], ADA);
}

#[tokio::test]
async fn plain_http_is_answered_where_it_is_spoken_and_redirected_nowhere() {
    let pair = Pair::new();
    let (_place, server) = serving(&pair).await;
    let behind_a_proxy = Place::new()
        .await
        .with("public_url", "https://auth.example.com");
    let plain = behind_a_proxy.serve();
    for (server, statuses) in [(&server, [400, 400]), (&plain, [200, 401])] {
        let signin = wire::request("POST", "/auth/signin", None, Some(&credentials()));
        let config = wire::request("GET", "/auth/config", None, None);
        for (request, status) in [config, signin].iter().zip(statuses) {
            let mut line = Line::new(TcpStream::connect(server.address()).await.unwrap());
            line.write(request).await;
            let answer = line.answer().await.unwrap();
            assert_eq!(answer.status, status, "{answer:?}");
            assert_eq!(answer.header("location"), "");
        }
    }
}
