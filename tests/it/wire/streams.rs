//! Requests over HTTP/2 that are none: their streams are refused, or the connection, and no handler sees them.

use rustls::version::TLS13;

use super::frames::{
    CONTINUATION, END_HEADERS, END_STREAM, ENHANCE_YOUR_CALM, HEADERS, Http2, PROTOCOL_ERROR,
    asking, block, frame,
};
use super::listening::Listening;
use super::tls::over_tls;
use crate::harness::certificate::{Pair, connect};
use crate::harness::counted::counting;

/// A connection that speaks HTTP/2.
pub async fn http2(on: &Listening<'_>, pair: &Pair) -> Http2 {
    let stream = connect(pair.client(&TLS13, &["h2"]), on.address).await;
    Http2::begin(stream.unwrap()).await
}

/// Asks what can always be asked.
pub async fn is_answered(http2: &mut Http2, stream: u32) {
    http2.get(stream, "/auth/config").await;
    assert!(http2.body_of(stream).await["methods"].is_array());
}

/// The fields of a good request without the one called `name`.
fn without(name: &str) -> Vec<u8> {
    let fields = [
        (":method", "GET"),
        (":scheme", "https"),
        (":authority", "localhost"),
        (":path", "/auth/config"),
    ];
    assert!(fields.iter().any(|(known, _)| *known == name));
    block(&fields.map(|field| if field.0 == name { ("x", "1") } else { field }))
}

/// One long field put into the compression table (RFC 7541 section 6.2.1), and then named so many times by one byte each.
fn bomb(times: usize) -> Vec<u8> {
    const LENGTH: usize = 127 + 0x21 + (0x1e << 7);
    let mut bomb = asking("/auth/config");
    bomb.extend([0x40, 1, b'x', 127, 0x80 | 0x21, 0x1e]);
    bomb.extend([b'x'; LENGTH]);
    bomb.extend(vec![0xbe; times]);
    bomb
}

#[tokio::test]
async fn H19_fields_that_http_2_forbids_are_seen_by_no_handler() {
    let with = |name: &str, value: &str| {
        let good = asking("/auth/config");
        [good, block(&[(name, value)])].concat()
    };
    let late = [block(&[("x", "1")]), asking("/auth/config")].concat();
    let cases = [
        ("no :path", without(":path")),
        ("no :method", without(":method")),
        ("no :scheme", without(":scheme")),
        ("two :path", with(":path", "/auth/me")),
        ("two :method", with(":method", "POST")),
        ("an unknown pseudo-header", with(":x", "1")),
        ("a pseudo-header of answers", with(":status", "200")),
        ("pseudo-headers after others", late),
        ("CR LF in a value", with("x", "1\r\ny: 2")),
        ("LF in a value", with("x", "1\n2")),
        ("CR in a value", with("x", "1\r2")),
        ("NUL in a value", with("x", "1\x002")),
        ("a name in capitals", with("X", "1")),
        ("a space in a name", with("x y", "1")),
        ("no name", with("", "1")),
        ("transfer-encoding", with("transfer-encoding", "chunked")),
        ("connection", with("connection", "close")),
        ("keep-alive", with("keep-alive", "timeout=5")),
        ("proxy-connection", with("proxy-connection", "close")),
        ("upgrade", with("upgrade", "websocket")),
        ("te", with("te", "gzip")),
    ];
    over_tls(async |on, pair| {
        counting(async |counted| {
            let mut answered = 0;
            for (name, fields) in &cases {
                let mut http2 = http2(on, pair).await;
                let head = frame(HEADERS, END_HEADERS | END_STREAM, 1, fields);
                http2.write(&head).await;
                assert_eq!(http2.refusal_of(1).await, Some(PROTOCOL_ERROR), "{name}");
                if http2.is_heard_or_over().await {
                    // Only the stream was refused: the connection is as good as before.
                    is_answered(&mut http2, 3).await;
                    answered += 1;
                }
                assert_eq!(counted.answered(), answered, "{name}: a handler saw it");
            }
            assert!(answered >= cases.len() / 2, "{answered}");
        })
        .await;
    })
    .await;
}

#[tokio::test]
async fn H19_a_small_head_that_unpacks_into_a_large_one_is_seen_by_no_handler() {
    over_tls(async |on, pair| {
        counting(async |counted| {
            // More than a head may have, but not beyond all measure: 431, and the next request is served.
            let mut http2 = http2(on, pair).await;
            http2
                .write(&frame(HEADERS, END_HEADERS | END_STREAM, 1, &bomb(10)))
                .await;
            assert_eq!(http2.refusal_of(1).await, None, "it is answered");
            assert_eq!(counted.answered(), 0);
            is_answered(&mut http2, 3).await;
            // Four megabytes out of five kilobytes.
            http2
                .write(&frame(HEADERS, END_HEADERS | END_STREAM, 5, &bomb(1_000)))
                .await;
            assert_eq!(http2.refusal_of(5).await, Some(ENHANCE_YOUR_CALM));
            http2.ends().await;
            assert_eq!(counted.answered(), 1);
        })
        .await;
    })
    .await;
}

#[tokio::test]
async fn H19_a_head_without_end_ends_the_connection() {
    over_tls(async |on, pair| {
        counting(async |counted| {
            for more in [block(&[("x", &"x".repeat(100))]), Vec::new()] {
                let head = frame(HEADERS, END_STREAM, 1, &asking("/auth/config"));
                let rest = frame(CONTINUATION, 0, 1, &more).repeat(50_000);
                let end = http2(on, pair).await.flood(&[head, rest].concat()).await;
                assert_eq!(end.reason, Some(ENHANCE_YOUR_CALM), "{end:?}");
                assert_eq!(counted.answered(), 0);
            }
        })
        .await;
    })
    .await;
}
