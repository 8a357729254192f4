//! TLS as no client should speak it, and as some still do.

use std::sync::Arc;

use doorward::http::server::Limits;
use doorward::http::tls::CertificateSource;
use rustls::pki_types::ServerName;
use rustls::version::{TLS12, TLS13};
use tokio_rustls::TlsConnector;

use super::line::Line;
use super::listening::{Door, Listening, listening_at};
use super::probes::probes;
use crate::harness::certificate::{Pair, connect};
use crate::harness::rows;

const GOOD: &[u8] = b"GET /auth/config HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";

/// Runs `test` against a service that speaks TLS; afterwards it still does, and nothing has changed.
pub async fn over_tls(test: impl AsyncFnOnce(&Listening, &Pair)) {
    over_tls_within(Limits::default(), test).await;
}

/// The same with other limits.
pub async fn over_tls_within(limits: Limits, test: impl AsyncFnOnce(&Listening, &Pair)) {
    let pair = Pair::new();
    let source = CertificateSource::load(&pair.cert(), &pair.key()).unwrap();
    let door = Door {
        tls: Some(source),
        limits,
        ..Door::default()
    };
    listening_at(&[], door, async |on| {
        let before = rows::all(&on.server.app.db).await;
        test(on, &pair).await;
        is_served(on, &pair).await;
        assert_eq!(rows::all(&on.server.app.db).await, before);
    })
    .await;
}

async fn is_served(on: &Listening<'_>, pair: &Pair) {
    for version in [&TLS12, &TLS13] {
        let stream = connect(pair.client(version, &[]), on.address)
            .await
            .unwrap();
        let mut line = Line::new(stream);
        line.write(GOOD).await;
        let answer = line.answer().await.unwrap();
        assert_eq!(answer.status, 200);
        assert_eq!(
            answer.header("strict-transport-security"),
            "max-age=31536000; includeSubDomains"
        );
    }
}

/// The hello of a client that speaks nothing above TLS 1.`minor - 1`; with `minor` 0, nothing above SSL 3.0.
fn hello(minor: u8, extensions: &[u8]) -> Vec<u8> {
    let mut hello = vec![3, minor];
    hello.extend([7; 32]); // random
    hello.push(0); // no session
    hello.extend([0, 6, 0xc0, 0x09, 0xc0, 0x13, 0x00, 0x2f]); // ECDHE_ECDSA, ECDHE_RSA and RSA with AES_128_CBC_SHA
    hello.extend([1, 0]); // no compression
    hello.extend(extensions);
    let length = u8::try_from(hello.len()).unwrap();
    let record = [0x16, 3, minor.min(1), 0, length + 4, 1, 0, 0, length];
    [&record, hello.as_slice()].concat()
}

#[tokio::test]
async fn H22_tls_1_1_and_older_are_refused() {
    // signature_algorithms with rsa_pkcs1_sha256 and ecdsa_secp256r1_sha256, and supported_groups with secp256r1.
    const EXTENSIONS: &[u8] = &[
        0, 18, 0, 13, 0, 6, 0, 4, 4, 1, 4, 3, 0, 10, 0, 4, 0, 2, 0, 23,
    ];
    over_tls(async |on, _| {
        for minor in 0..=2 {
            for extensions in [&[], EXTENSIONS] {
                let mut line = on.connect().await;
                line.write(&hello(minor, extensions)).await;
                // One fatal alert (RFC 8446 section 6.2), handshake_failure or protocol_version, and the end.
                let said = line.rest().await;
                assert!(
                    matches!(said[..], [0x15, 3, _, 0, 2, 2, 40 | 70]),
                    "3.{minor}: {said:?}"
                );
            }
        }
    })
    .await;
}

#[tokio::test]
async fn H22_what_is_no_handshake_ends_the_connection() {
    over_tls(async |on, _| {
        for noise in [
            &b"\x80\x2e\x01\x03\x01\x00\x15\x00\x00\x00\x10"[..], // SSL 2.0's hello
            b"\x16\x03\x01\xff\xff",
            b"\x16\x03\x01\x00\x00\x16\x03\x01\x00\x00",
            b"\x17\x03\x03\x00\x05hello",
            b"\x15\x03\x03\x00\x02\x02\x28",
            b"\r\n\r\n\x00\r\nQUIT\n\x21\x11\x00\x0c",
            b"\x00",
            b"",
        ] {
            let stream = on.tcp().await;
            let (from, mut to) = stream.into_split();
            let _ = tokio::io::AsyncWriteExt::write_all(&mut to, noise).await;
            drop(to); // no more is coming
            let said = Line::new(tokio::io::join(from, tokio::io::sink()))
                .rest()
                .await;
            assert!(said.is_empty() || said[0] == 0x15, "{noise:?}: {said:?}");
        }
    })
    .await;
}

#[tokio::test]
async fn H22_plain_http_on_the_tls_port_is_told_so_and_not_redirected() {
    over_tls(async |on, _| {
        for probe in probes() {
            let mut line = on.connect().await;
            line.write(&probe.request(on, "")).await;
            let answer = line.answer().await.unwrap();
            assert_eq!(answer.status, 400, "{answer:?}");
            assert_eq!(answer.header("location"), "");
            assert_eq!(answer.header("connection"), "close");
            assert_eq!(
                answer.body,
                "This port speaks HTTPS only: write https:// instead of http://\n"
            );
            assert!(line.answer().await.is_none());
        }
    })
    .await;
}

#[tokio::test]
async fn H22_whatever_name_a_client_asks_for_there_is_one_certificate() {
    over_tls(async |on, pair| {
        for version in [&TLS12, &TLS13] {
            // A stranger's name, an address, and no name at all: shown the same, which does not prove theirs.
            for name in ["evil.example", "xn--4ca.example", "127.0.0.1", "::1"] {
                let client = Arc::new(pair.client(version, &[]));
                let named = ServerName::try_from(name).unwrap().to_owned();
                let refused = TlsConnector::from(client)
                    .connect(named, on.tcp().await)
                    .await;
                let why = refused.unwrap_err().to_string();
                assert!(why.contains("not valid for name"), "{name}: {why}");
            }
            let mut nameless = pair.client(version, &[]);
            nameless.enable_sni = false;
            let stream = connect(nameless, on.address).await.unwrap();
            assert!(pair.is_shown_on(&stream));
            let mut line = Line::new(stream);
            line.write(GOOD).await;
            assert_eq!(line.answer().await.unwrap().status, 200);
        }
    })
    .await;
}
