//! Requests as no library would send them (security catalogue, H8 to H23).

use std::fmt::Write as _;

use super::*;

#[tokio::test]
async fn h8_heads_that_are_too_large() {
    let big = format!(
        "GET / HTTP/1.1\r\nHost: a\r\nX: {}\r\n\r\n",
        "x".repeat(100_000)
    );
    let many = format!(
        "GET / HTTP/1.1\r\nHost: a\r\n{}\r\n",
        "X: 1\r\n".repeat(10_000)
    );
    let one_more = format!(
        "GET / HTTP/1.1\r\nHost: a\r\n{}\r\n",
        "X: 1\r\n".repeat(100)
    );
    let long = format!("GET /{} HTTP/1.1\r\nHost: a\r\n\r\n", "x".repeat(1_000_000));
    refused_with(
        "431 Request Header Fields Too Large",
        &[
            ("100 KB header", big.as_bytes()),
            ("10,000 headers", many.as_bytes()),
            ("101 headers", one_more.as_bytes()),
            ("1 MB target", long.as_bytes()),
        ],
    )
    .await;
    let just_right = format!(
        "GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n{}X: {}\r\n\r\n",
        "X: 1\r\n".repeat(97),
        "x".repeat(30_000),
    );
    let answer = Running::plain().await.tell(just_right.as_bytes()).await;
    assert!(answer.starts_with("HTTP/1.1 200 OK\r\n"), "{answer}");
}

#[tokio::test]
async fn h9_h11_every_form_of_target_and_method_reaches_the_router() {
    let server = Running::plain().await;
    for (line, status) in [
        ("GET http://other.example/ HTTP/1.1", "200 OK"),
        ("GET //a/number/1 HTTP/1.1", "404 Not Found"),
        ("GET /?q=%00 HTTP/1.1", "200 OK"),
        ("OPTIONS * HTTP/1.1", "404 Not Found"),
        ("TRACE / HTTP/1.1", "405 Method Not Allowed"),
        ("TRACE /echo HTTP/1.1", "405 Method Not Allowed"),
        ("CONNECT a:443 HTTP/1.1", "404 Not Found"),
        ("CONNECT /echo HTTP/1.1", "405 Method Not Allowed"),
        ("BREW /echo HTTP/1.1", "405 Method Not Allowed"),
        ("get / HTTP/1.1", "405 Method Not Allowed"),
    ] {
        let request = format!("{line}\r\nHost: a\r\nConnection: close\r\n\r\n");
        let answer = server.tell(request.as_bytes()).await;
        assert!(
            answer.starts_with(&format!("HTTP/1.1 {status}\r\n")),
            "{line}: {answer}"
        );
    }
}

#[tokio::test]
async fn h10_there_is_one_host_and_it_is_one() {
    refused_with(
        "400 Bad Request",
        &[
            ("none", b"GET / HTTP/1.1\r\n\r\n"),
            ("two", b"GET / HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n"),
            (
                "two in HTTP/1.0",
                b"GET / HTTP/1.0\r\nHost: a\r\nHost: b\r\n\r\n",
            ),
            ("userinfo", b"GET / HTTP/1.1\r\nHost: user@a\r\n\r\n"),
            ("a URL", b"GET / HTTP/1.1\r\nHost: http://a/\r\n\r\n"),
            ("a list", b"GET / HTTP/1.1\r\nHost: a, b\r\n\r\n"),
            ("not ASCII", b"GET / HTTP/1.1\r\nHost: \xc3\xa4\r\n\r\n"),
            ("half an address", b"GET / HTTP/1.1\r\nHost: [::1\r\n\r\n"),
        ],
    )
    .await;
    let server = Running::plain().await;
    for host in ["other.example", "[::1]:8080", "127.0.0.1:8080", ""] {
        let request = format!("GET / HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n");
        let answer = server.tell(request.as_bytes()).await;
        assert!(
            answer.starts_with("HTTP/1.1 200 OK\r\n"),
            "{host}: {answer}"
        );
    }
}

#[tokio::test]
async fn h17_a_thousand_pipelined_requests_are_answered_in_order() {
    let server = Running::plain().await;
    let mut requests = String::new();
    let mut expected = String::new();
    for n in 0..1000 {
        let last = if n == 999 {
            "Connection: close\r\n"
        } else {
            ""
        };
        write!(
            requests,
            "GET /number/{n} HTTP/1.1\r\nHost: a\r\n{last}\r\n"
        )
        .unwrap();
        write!(expected, "[{n}]").unwrap();
    }
    let stream = server.connect().await;
    let (mut from, mut to) = stream.into_split();
    let sent = tokio::spawn(async move { to.write_all(requests.as_bytes()).await.map(|()| to) });
    let mut answers = String::new();
    from.read_to_string(&mut answers).await.unwrap();
    sent.await.unwrap().unwrap();
    let bodies: String = answers
        .split("HTTP/1.1 200 OK\r\n")
        .filter_map(|answer| Some(answer.split_once("\r\n\r\n")?.1))
        .collect();
    assert_eq!(bodies, expected);
}

#[tokio::test]
async fn h18_http_1_0_is_answered_and_closed_and_0_9_is_refused() {
    let server = Running::plain().await;
    let answer = server.tell(b"GET / HTTP/1.0\r\n\r\n").await;
    assert!(answer.starts_with("HTTP/1.0 200 OK\r\n"), "{answer}");
    assert!(answer.ends_with("\r\n\r\nhello\n"), "{answer}");
    refused_with(
        "400 Bad Request",
        &[("0.9", b"GET /\r\n"), ("3.0", b"GET / HTTP/3.0\r\n\r\n")],
    )
    .await;
}

#[tokio::test]
async fn h20_nobody_is_moved_to_http_2_in_the_clear() {
    let server = Running::plain().await;
    let upgrade = b"GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade, HTTP2-Settings, close\r\nUpgrade: h2c\r\n\
        HTTP2-Settings: AAMAAABkAAQAoAAAAAIAAAAA\r\n\r\n";
    let answer = server.tell(upgrade).await;
    assert!(answer.starts_with("HTTP/1.1 200 OK\r\n"), "{answer}");
    let prior_knowledge = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\x00\x00\x00\x04\x00\x00\x00\x00\x00";
    let answer = server.tell(prior_knowledge).await;
    assert!(!answer.contains("200"), "{answer}");
    server.is_alive().await;
}

#[tokio::test]
async fn h23_the_proxy_protocol_is_not_spoken() {
    refused_with(
        "400 Bad Request",
        &[
            ("v1", b"PROXY TCP4 203.0.113.1 10.0.0.1 4711 80\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n"),
            ("v2", b"\r\n\r\n\x00\r\nQUIT\n\x21\x11\x00\x0c\xcb\x00\x71\x01\x0a\x00\x00\x01\x12\x67\x00\x50GET / HTTP/1.1\r\n\r\n"),
        ],
    )
    .await;
}

#[tokio::test]
async fn a_refusal_survives_a_client_that_is_still_sending() {
    let server = Running::plain().await;
    let mut stream = server.connect().await;
    let head = b"POST /number/1 HTTP/1.1\r\nHost: a\r\nContent-Length: 20000000\r\n\r\n";
    stream.write_all(head).await.unwrap();
    stream.write_all(&vec![b'x'; 20_000_000]).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    assert!(
        answer.starts_with("HTTP/1.1 405 Method Not Allowed\r\n"),
        "{answer}"
    );
}

#[tokio::test]
async fn each_request_knows_its_peer() {
    let answer = Running::plain()
        .await
        .tell(b"GET /peer HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
        .await;
    assert!(answer.ends_with("\r\n\r\n127.0.0.1 false"), "{answer}");
}

#[test]
fn only_what_exhausts_the_process_pauses_accepting() {
    use rustix::io::Errno as E;
    let of_one =
        |errno: E| is_of_one_connection(&io::Error::from_raw_os_error(errno.raw_os_error()));
    for errno in [
        E::CONNABORTED,
        E::CONNRESET,
        E::INTR,
        E::AGAIN,
        E::HOSTUNREACH,
        E::NETDOWN,
        E::NETUNREACH,
    ] {
        assert!(of_one(errno), "{errno}");
    }
    for errno in [E::MFILE, E::NFILE, E::NOBUFS, E::NOMEM] {
        assert!(!of_one(errno), "{errno}");
    }
}
