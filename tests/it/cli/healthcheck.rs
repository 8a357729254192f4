//! `doorward healthcheck`.

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpListener};
use std::thread;

use super::{bare, ends, prints, refuses};
use crate::harness::certificate::Pair;
use crate::harness::process::{Ended, Place};

/// Asks at `url`, as configured in `place`.
fn asks(place: &Place, url: &str, more: &[&str]) -> Ended {
    place.run(&[&["healthcheck", "--url", url], more].concat(), "")
}

/// An address that takes one connection and answers `bytes` to whatever it is asked.
fn answering(bytes: &'static [u8]) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        let _ = stream.read(&mut [0; 1_024]).unwrap();
        stream.write_all(bytes).unwrap();
        // Until they have had enough.
        let _ = stream.read(&mut [0; 1]);
    });
    address
}

/// An address where nobody listens.
fn nobody() -> SocketAddr {
    TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap()
}

#[tokio::test]
async fn a_service_that_is_well_is_found_where_it_listens() {
    let place = Place::new().await;
    let server = place.serve();
    let address = server.address();
    for more in [&[][..], &["--ready"]] {
        let well = asks(&place, &format!("http://{address}"), more);
        assert_eq!(
            (well.code, well.output + &well.said),
            (Some(0), String::new())
        );
    }
    let port = address.port();
    let any = format!("0.0.0.0:{port}");
    for listen in [address.to_string(), any] {
        let variables = [
            ("DOORWARD_LISTEN", listen.as_str()),
            ("DOORWARD_TRUSTED_PROXIES", "10.0.0.1"),
            ("DOORWARD_PUBLIC_URL", "https://auth.example.com"),
        ];
        let well = ends(bare(&place, &variables, &["healthcheck"]), "");
        assert_eq!(well.code, Some(0), "{listen}: {well:?}");
    }
    refuses(
        &place.run(&["healthcheck"], ""),
        2,
        "`listen` leaves the port open",
    );
    refuses(&asks(&place, "localhost:1", &[]), 2, "has no scheme");
    refuses(
        &asks(&place, "ftp://localhost", &[]),
        2,
        "is neither http:// nor https://",
    );
}

#[tokio::test]
async fn who_does_not_answer_is_unreachable_and_who_is_not_well_has_failed() {
    let place = Place::new().await;
    let at = |address: SocketAddr| asks(&place, &format!("http://{address}"), &["--ready"]);
    refuses(&at(nobody()), 69, "cannot connect to 127.0.0.1");
    refuses(&at(answering(b"")), 69, "did not answer within 5 seconds");
    refuses(
        &at(answering(b"HTTP/1.1 503 Service Unavailable\r\n\r\n")),
        1,
        "answers 503 to /readyz",
    );
    for nonsense in [
        &b"SSH-2.0-OpenSSH\r\n"[..],
        b"HTTP/1.1 fine\r\n",
        b"\xff\xfe\r\n",
        &[b'x'; 2_000],
    ] {
        refuses(
            &at(answering(nonsense)),
            1,
            "does not speak HTTP as it should",
        );
    }
}

#[tokio::test]
async fn over_https_the_service_shows_the_certificate_that_is_configured_and_no_other() {
    let mut place = Place::new().await;
    let set = |place: &mut Place, pair: &Pair| {
        place.set("tls.cert", pair.cert().to_str().unwrap());
        place.set("tls.key", pair.key().to_str().unwrap());
    };
    let (ours, other) = (Pair::new(), Pair::new());
    let address = nobody();
    let url = format!("https://{address}");
    refuses(&asks(&place, &url, &[]), 2, "https:// needs tls.cert");

    set(&mut place, &ours);
    let server = place.serve();
    let url = format!("https://{}", server.address());
    prints(&place, &["healthcheck", "--url", &url], "");
    set(&mut place, &other);
    refuses(
        &asks(&place, &url, &[]),
        1,
        "does not speak TLS with the certificate in",
    );
    refuses(
        &asks(
            &place,
            &format!("https://{}", answering(b"no TLS here")),
            &[],
        ),
        1,
        "does not speak TLS",
    );
    place.set("tls.cert", "missing.pem");
    refuses(&asks(&place, &url, &[]), 78, "tls.cert: cannot read");
}
