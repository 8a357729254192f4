//! Messages whose parts do not fit together (security catalogue, H1 to H6): where one request ends and the next begins
//! must be in doubt for nobody.

use super::*;

#[tokio::test]
async fn h1_with_both_lengths_the_chunks_count_and_the_connection_ends() {
    let server = Running::plain().await;
    for lengths in [
        "Content-Length: 40\r\nTransfer-Encoding: chunked",
        "Transfer-Encoding: chunked\r\nContent-Length: 40",
        "Transfer-Encoding: chunked\r\nContent-Length: x",
    ] {
        let smuggled = "GET /number/1 HTTP/1.1\r\nHost: a\r\n\r\n";
        let request = format!(
            "POST /echo HTTP/1.1\r\nHost: a\r\n{lengths}\r\n\r\n2\r\nhi\r\n0\r\n\r\n{smuggled}"
        );
        let answer = server.tell(request.as_bytes()).await;
        assert!(answer.starts_with("HTTP/1.1 200 OK\r\n"), "{answer}");
        assert!(answer.ends_with("\r\n\r\nhi"), "{answer}");
        assert!(answer.contains("connection: close\r\n"), "{answer}");
    }
}

#[tokio::test]
async fn h2_h3_lengths_that_disagree_or_are_no_number() {
    refused_with(
        "400 Bad Request",
        &[
            ("two", b"POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab"),
            ("a list", b"POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 1, 2\r\n\r\nab"),
            ("plus", b"POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: +5\r\n\r\nabcde"),
            ("minus", b"POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: -1\r\n\r\nabcde"),
            ("hex", b"POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 0x5\r\n\r\nabcde"),
            ("inner space", b"POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 1 1\r\n\r\nabcde"),
            ("empty", b"POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length:\r\n\r\nabcde"),
            ("2^64", b"POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 18446744073709551616\r\n\r\nab"),
        ],
    )
    .await;
}

#[tokio::test]
async fn h4_codings_that_nobody_here_decodes() {
    refused_with(
        "400 Bad Request",
        &[
            ("unknown", b"POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: xchunked\r\n\r\n0\r\n\r\n"),
            ("not last", b"POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n"),
            ("under another", b"POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n"),
            ("twice", b"POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked, chunked\r\n\r\n0\r\n\r\n"),
            ("two lines", b"POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: identity\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"),
            ("tabbed", b"POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: \x0bchunked\r\n\r\n0\r\n\r\n"),
            ("in HTTP/1.0", b"POST /echo HTTP/1.0\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"),
        ],
    )
    .await;
}

#[tokio::test]
async fn h5_chunks_that_are_none_end_the_connection() {
    let server = Running::plain().await;
    let endless = format!("1;{}\r\na\r\n0\r\n\r\n", "x".repeat(64 * 1024));
    let trailers = format!("0\r\n{}\r\n", "a: b\r\n".repeat(2000));
    for chunks in [
        "ffffffffffffffff1\r\na\r\n0\r\n\r\n",
        "-1\r\na\r\n0\r\n\r\n",
        "0x1\r\na\r\n0\r\n\r\n",
        "g\r\na\r\n0\r\n\r\n",
        "1\r\nabc\r\n0\r\n\r\n",
        "0\r\nbad trailer\r\n\r\n",
        &endless,
        &trailers,
    ] {
        let request =
            format!("POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n{chunks}");
        let answer = server.tell(request.as_bytes()).await;
        let shown = &chunks[..chunks.len().min(20)];
        assert!(
            answer.starts_with("HTTP/1.1 400 Bad Request\r\n"),
            "{shown:?}: {answer}"
        );
        assert_eq!(answer.matches("HTTP/1.").count(), 1, "{shown:?}: {answer}");
    }
    server.is_alive().await;
}

#[tokio::test]
async fn h6_lines_that_are_no_header_lines() {
    refused_with(
        "400 Bad Request",
        &[
            ("folded", b"GET / HTTP/1.1\r\nHost: a\r\nX: 1\r\n 2\r\n\r\n"),
            ("NUL", b"GET / HTTP/1.1\r\nHost: a\r\nX: 1\x002\r\n\r\n"),
            ("bare CR", b"GET / HTTP/1.1\r\nHost: a\r\nX: 1\r2\r\n\r\n"),
            (
                "space before colon",
                b"GET / HTTP/1.1\r\nHost: a\r\nX : 1\r\n\r\n",
            ),
            ("no colon", b"GET / HTTP/1.1\r\nHost: a\r\nX\r\n\r\n"),
            ("no name", b"GET / HTTP/1.1\r\nHost: a\r\n: 1\r\n\r\n"),
            ("space in target", b"GET /a b HTTP/1.1\r\nHost: a\r\n\r\n"),
            ("two spaces", b"GET  / HTTP/1.1\r\nHost: a\r\n\r\n"),
            ("NUL in target", b"GET /\x00 HTTP/1.1\r\nHost: a\r\n\r\n"),
            ("no method", b"/ HTTP/1.1\r\nHost: a\r\n\r\n"),
            (
                "TLS hello on the plain port",
                b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
            ),
        ],
    )
    .await;
}
