//! Where one request ends and the next begins: what is in doubt must never become a second request.

use super::listening::{Listening, listening};
use super::oracle::SMUGGLED;
use super::probes::{MALLORY, Probe, probes};
use crate::harness::PASSWORD;

/// A request that would make an account, if anybody took it for one.
fn smuggled() -> String {
    let body = format!(r#"{{"email":"{MALLORY}","password":"{PASSWORD}"}}"#);
    format!(
        "POST /auth/signup HTTP/1.1\r\nHost: localhost\r\nX-Request-Id: {SMUGGLED}\r\nContent-Type: application/json\r\n\
         Content-Length: {}\r\n\r\n{body}",
        body.len()
    )
}

/// Each route with these lines about the body's length, and this body.
async fn every_route(on: &Listening<'_>, lines: &str, body: &str) {
    for probe in probes() {
        on.bad(
            &named(&probe, lines, body),
            &request(on, &probe, lines, body),
        )
        .await;
    }
}

/// The same, expected to be refused before any route sees it.
async fn every_route_refuses(on: &Listening<'_>, lines: &str, body: &str) {
    for probe in probes() {
        let bytes = request(on, &probe, lines, body);
        let answer = on.refused(400, &named(&probe, lines, body), &bytes).await;
        assert_eq!(answer.header("connection"), "close", "{lines}");
    }
}

fn request(on: &Listening, probe: &Probe, lines: &str, body: &str) -> Vec<u8> {
    let head = probe.head();
    let token = on.token_for(probe.sender()).unwrap_or(&on.token);
    format!("{head}Authorization: Bearer {token}\r\nContent-Type: application/json\r\n{lines}\r\n\r\n{body}").into_bytes()
}

fn named(probe: &Probe, lines: &str, body: &str) -> String {
    format!(
        "{} {lines:?} {:?}",
        probe.name(),
        &body[..body.len().min(40)]
    )
}

#[tokio::test]
async fn H1_a_length_and_chunks() {
    listening(async |on| {
        let hidden = smuggled();
        let after_the_chunks = format!("0\r\n\r\n{hidden}");
        let in_a_chunk = format!("{:x}\r\n{hidden}\r\n0\r\n\r\n", hidden.len());
        let whole = after_the_chunks.len();
        for lines in [
            // Chunks here, a length elsewhere: what follows the last chunk would be the next request.
            (
                format!("Content-Length: {whole}\r\nTransfer-Encoding: chunked"),
                &after_the_chunks,
            ),
            (
                format!("Transfer-Encoding: chunked\r\nContent-Length: {whole}"),
                &after_the_chunks,
            ),
            (
                format!("transfer-encoding: Chunked\r\ncontent-length: {whole}"),
                &after_the_chunks,
            ),
            (
                "Transfer-Encoding: chunked\r\nContent-Length: x".to_owned(),
                &after_the_chunks,
            ),
            // A length here, chunks elsewhere: what follows the first four bytes would be.
            (
                "Content-Length: 4\r\nTransfer-Encoding: chunked".to_owned(),
                &in_a_chunk,
            ),
            (
                "Content-Length: 0\r\nTransfer-Encoding: chunked".to_owned(),
                &in_a_chunk,
            ),
        ] {
            let (lines, body) = lines;
            every_route(on, &lines, body).await;
        }
    })
    .await;
}

#[tokio::test]
async fn H2_two_lengths() {
    listening(async |on| {
        let hidden = smuggled();
        let whole = hidden.len();
        for lines in [
            format!("Content-Length: 0\r\nContent-Length: {whole}"),
            format!("Content-Length: {whole}\r\nContent-Length: 0"),
            format!("Content-Length: 0, {whole}"),
            format!("Content-Length: {whole}\r\nX: y\r\ncontent-length: 1"),
        ] {
            every_route_refuses(on, &lines, &hidden).await;
        }
        // RFC 9110 section 8.6 lets the same twice be taken for once, or refused.
        every_route(on, "Content-Length: 2\r\nContent-Length: 2", "{}").await;
        every_route(on, "Content-Length: 2, 2", "{}").await;
    })
    .await;
}

#[tokio::test]
async fn H3_a_length_that_is_no_number() {
    listening(async |on| {
        let hidden = smuggled();
        for length in [
            "+5",
            "-1",
            "-0",
            "0x5",
            "5 5",
            "5;",
            "5.0",
            "5e0",
            "\"5\"",
            "",
            "five",
            "\u{665}",
            "18446744073709551616",
            "99999999999999999999999999",
        ] {
            every_route_refuses(on, &format!("Content-Length: {length}"), &hidden).await;
        }
        // White space around a value is no part of it.
        every_route(on, "Content-Length:  \t2\t ", "{}").await;
    })
    .await;
}

#[tokio::test]
async fn H4_codings_that_nobody_here_decodes() {
    listening(async |on| {
        let body = format!("0\r\n\r\n{}", smuggled());
        for lines in [
            "Transfer-Encoding: xchunked",
            "Transfer-Encoding: identity",
            "Transfer-Encoding: chunked, identity",
            "Transfer-Encoding: gzip, chunked",
            "Transfer-Encoding: chunked, chunked",
            "Transfer-Encoding: identity\r\nTransfer-Encoding: chunked",
            "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked",
            "Transfer-Encoding: \u{b}chunked",
            "Transfer-Encoding: chunked;q=1",
            "Transfer-Encoding : chunked",
            "Transfer-Encoding:\r\n chunked",
            "Transfer-Encoding: ",
        ] {
            every_route_refuses(on, lines, &body).await;
        }
    })
    .await;
}

#[tokio::test]
async fn H4_codings_that_only_others_would_see() {
    listening(async |on| {
        // Another header, which says nothing: the length counts, and the whole body with it.
        let body = format!("0\r\n\r\n{}", smuggled());
        let length = body.len();
        for line in ["Transfer_Encoding: chunked", "X-Transfer-Encoding: chunked"] {
            let lines = format!("Content-Length: {length}\r\n{line}");
            every_route(on, &lines, &body).await;
        }
        // HTTP/1.0 has no chunks.
        for probe in probes() {
            let head = probe.head().replace("HTTP/1.1", "HTTP/1.0");
            let bytes = format!("{head}Transfer-Encoding: chunked\r\n\r\n{body}");
            on.refused(400, &probe.name(), bytes.as_bytes()).await;
        }
    })
    .await;
}

#[tokio::test]
async fn H5_chunks_that_are_none() {
    listening(async |on| {
        let hidden = smuggled();
        let rest = format!("\r\n{{}}\r\n0\r\n\r\n{hidden}");
        let endless = format!("2;{}", "x".repeat(100_000));
        let many_trailers = format!("0\r\n{}", "a: b\r\n".repeat(2_000));
        for size in [
            "ffffffffffffffff2",
            "10000000000000002",
            "-2",
            "+2",
            "0x2",
            "2g",
            "g",
            "",
            " ",
            "2 2",
            "02\u{0}",
            "2;\n",
            &endless,
        ] {
            every_route(on, "Transfer-Encoding: chunked", &format!("{size}{rest}")).await;
        }
        for body in [
            // Longer and shorter than it says; without its end; ended by a bare line feed; a trailer that is none.
            format!("1\r\n{{}}\r\n0\r\n\r\n{hidden}"),
            format!("2\r\n{{}}0\r\n\r\n{hidden}"),
            format!("2\r\n{{}}\n0\r\n\r\n{hidden}"),
            format!("2\r\n{{}}\r\n0\r\nno trailer\r\n\r\n{hidden}"),
            format!("2\r\n{{}}\r\n0\r\n\u{0}: x\r\n\r\n{hidden}"),
            format!("{many_trailers}\r\n{hidden}"),
        ] {
            every_route(on, "Transfer-Encoding: chunked", &body).await;
        }
    })
    .await;
}

#[tokio::test]
async fn H5_a_trailer_is_no_header() {
    listening(async |on| {
        let trailers = "X-Request-Id: smuggled\r\nContent-Length: 0\r\nTransfer-Encoding: gzip\r\nHost: b\r\n";
        every_route(on, "Transfer-Encoding: chunked", &format!("2\r\n{{}}\r\n0\r\n{trailers}\r\n")).await;
        // One that would sign the request.
        let signed = format!("0\r\nAuthorization: Bearer {}\r\n\r\n", on.token);
        let head = "PATCH /auth/me HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\nTrailer: Authorization\r\n\r\n";
        on.refused(401, "a token in a trailer", format!("{head}{signed}").as_bytes()).await;
    })
    .await;
}
