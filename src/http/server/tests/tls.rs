//! TLS as clients meet it.

use rustls::version::{TLS12, TLS13};

use super::*;
use crate::http::tls::tests::{Pair, shown_on};

const CLOSE: &[u8] = b"GET /peer HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n";

async fn secure(pair: &Pair) -> Running {
    Running::new(app(), Some(pair.load()), Duration::from_secs(20)).await
}

async fn ask(
    mut stream: impl tokio::io::AsyncRead + tokio::io::AsyncWrite + Unpin,
    request: &[u8],
) -> String {
    stream.write_all(request).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    answer
}

#[tokio::test]
async fn tls_1_2_and_1_3_are_spoken_and_the_request_knows() {
    let pair = Pair::new();
    let server = secure(&pair).await;
    for version in [&TLS12, &TLS13] {
        let stream = pair
            .connect_with(server.address, version, &[])
            .await
            .unwrap();
        assert_eq!(stream.get_ref().1.protocol_version(), Some(version.version));
        let answer = ask(stream, CLOSE).await;
        assert!(answer.ends_with("\r\n\r\n127.0.0.1 true"), "{answer}");
    }
}

#[tokio::test]
async fn the_client_chooses_the_protocol_by_alpn() {
    let pair = Pair::new();
    let server = secure(&pair).await;
    let one = pair.connect(server.address, &[b"http/1.1"]).await;
    assert_eq!(one.get_ref().1.alpn_protocol(), Some(&b"http/1.1"[..]));
    assert!(ask(one, CLOSE).await.starts_with("HTTP/1.1 200 OK\r\n"));
    let two = pair.connect(server.address, &[b"h2", b"http/1.1"]).await;
    assert_eq!(two.get_ref().1.alpn_protocol(), Some(&b"h2"[..]));
    assert_eq!(super::http2::ask(two, "/peer").await, "127.0.0.1 true");
    // A protocol that is not spoken here (RFC 7301 section 3.2).
    assert!(
        pair.connect_with(server.address, &TLS13, &[b"spdy/3"])
            .await
            .is_err()
    );
}

#[tokio::test]
async fn h22_tls_1_0_and_1_1_are_refused() {
    let pair = Pair::new();
    let server = secure(&pair).await;
    // Fatal alerts (RFC 8446 section 6.2): handshake_failure for a hello as old as its version, protocol_version for one
    // that knows newer extensions.
    for (minor, extensions, alert) in [
        (1, &[][..], 40),
        (2, &[], 40),
        (1, SIGNATURES, 70),
        (2, SIGNATURES, 70),
    ] {
        let mut stream = server.connect().await;
        stream
            .write_all(&client_hello(minor, extensions))
            .await
            .unwrap();
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).await.unwrap();
        assert_eq!(answer.first(), Some(&0x15), "{answer:?}");
        assert_eq!(answer[answer.len() - 2..], [2, alert], "{answer:?}");
    }
}

/// The extension `signature_algorithms`, with one: rsa_pkcs1_sha256.
const SIGNATURES: &[u8] = &[0, 8, 0, 13, 0, 4, 0, 2, 4, 1];

/// The hello of a client that speaks nothing above TLS 1.`minor - 1`.
fn client_hello(minor: u8, extensions: &[u8]) -> Vec<u8> {
    let mut hello = vec![3, minor];
    hello.extend([7; 32]); // random
    hello.push(0); // no session
    hello.extend([0, 4, 0xc0, 0x13, 0x00, 0x2f]); // ECDHE_RSA and RSA with AES_128_CBC_SHA
    hello.extend([1, 0]); // no compression
    hello.extend(extensions);
    let body = u8::try_from(hello.len()).unwrap();
    let mut record = vec![0x16, 3, 1, 0, body + 4, 1, 0, 0, body];
    record.extend(hello);
    record
}

#[tokio::test]
async fn h22_plain_http_on_the_tls_port_is_answered_in_words() {
    let pair = Pair::new();
    let server = secure(&pair).await;
    let long = format!("POST / HTTP/1.1\r\n\r\n{}", "x".repeat(20_000_000));
    for request in ["GET / HTTP/1.1\r\n\r\n", "GET / HTTP/1.0\r\n\r\n", &long] {
        let mut stream = server.connect().await;
        stream.write_all(request.as_bytes()).await.unwrap();
        stream.shutdown().await.unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await.unwrap();
        let (head, body) = answer.split_once("\r\n\r\n").unwrap();
        assert!(head.starts_with("HTTP/1.1 400 Bad Request\r\n"), "{head}");
        assert!(
            head.contains(&format!("Content-Length: {}\r\n", body.len())),
            "{head}"
        );
        assert_eq!(
            body,
            "This port speaks HTTPS only: write https:// instead of http://\n"
        );
    }
    assert!(
        ask(pair.connect(server.address, &[]).await, CLOSE)
            .await
            .contains("200 OK")
    );
}

#[tokio::test]
async fn h23_the_proxy_protocol_and_noise_are_no_handshake() {
    let pair = Pair::new();
    let server = secure(&pair).await;
    for noise in [
        &b"\r\n\r\n\x00\r\nQUIT\n\x21\x11\x00\x0c"[..],
        b"\x00",
        b"\x16\x03\x01\xff\xff",
        b"",
    ] {
        let mut stream = server.connect().await;
        stream.write_all(noise).await.unwrap();
        stream.shutdown().await.unwrap();
        let mut answer = Vec::new();
        let _ = stream.read_to_end(&mut answer).await;
        assert!(answer.is_empty() || answer[0] == 0x15, "{answer:?}");
    }
    assert!(
        ask(pair.connect(server.address, &[]).await, CLOSE)
            .await
            .contains("200 OK")
    );
}

#[tokio::test]
async fn a_new_certificate_is_for_new_connections_and_old_ones_live_on() {
    let pair = Pair::new();
    let source = pair.load();
    let server = Running::new(app(), Some(Arc::clone(&source)), Duration::from_secs(20)).await;
    let mut old = pair.connect(server.address, &[]).await;
    assert_eq!(shown_on(&old), pair.certificate());

    let renewed = pair.renew();
    source.reload();
    let new = renewed.connect(server.address, &[]).await;
    assert_eq!(shown_on(&new), renewed.certificate());
    assert_ne!(renewed.certificate(), pair.certificate());
    assert!(
        pair.connect_with(server.address, &TLS13, &[])
            .await
            .is_err()
    );

    old.write_all(b"GET /number/7 HTTP/1.1\r\nHost: a\r\n\r\n")
        .await
        .unwrap();
    assert!(ask(old, CLOSE).await.contains("[7]"));
}

#[tokio::test]
async fn stopping_does_not_wait_for_a_handshake() {
    let pair = Pair::new();
    let server = secure(&pair).await;
    let mut silent = server.connect().await;
    silent.write_all(b"\x16").await.unwrap();
    // Answered later than the silent one was accepted.
    assert!(
        ask(pair.connect(server.address, &[]).await, CLOSE)
            .await
            .contains("200 OK")
    );
    server.stop.send(()).unwrap();
    assert!(server.served.await.unwrap().in_flight_finished());
    let mut rest = Vec::new();
    let _ = silent.read_to_end(&mut rest).await;
    assert!(rest.is_empty());
}
