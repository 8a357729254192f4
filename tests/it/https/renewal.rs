//! A new certificate in the place of the old one.

use std::fs;
use std::time::Duration;

use rustix::process::Signal;
use rustls::version::TLS13;

use super::{line, serving, stream};
use crate::harness::certificate::{Pair, connect};
use crate::harness::process::Process;
use crate::harness::wire;
use crate::wire::line::Line;

const ASK: (&str, &str) = ("GET", "/auth/config");

/// Asks on a connection that stands.
async fn is_answered<S: tokio::io::AsyncRead + tokio::io::AsyncWrite + Unpin>(line: &mut Line<S>) {
    line.write(&wire::request(ASK.0, ASK.1, None, None)).await;
    assert_eq!(
        line.answer().await.expect("the connection stands").status,
        200
    );
}

/// Waits until a new connection is shown the certificate of `pair`: as long as a watch and a slow machine may take.
async fn is_shown(pair: &Pair, server: &Process) {
    for _ in 0..600 {
        if connect(pair.client(&TLS13, &[]), server.address())
            .await
            .is_ok()
        {
            return;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    panic!("the new certificate is not shown");
}

async fn is_shown_no_more(pair: &Pair, server: &Process) {
    let refused = connect(pair.client(&TLS13, &[]), server.address()).await;
    assert!(
        refused
            .unwrap_err()
            .to_string()
            .contains("invalid peer certificate")
    );
}

#[tokio::test]
async fn a_renewed_certificate_is_found_and_old_connections_go_on() {
    let pair = Pair::new();
    let (_place, server) = serving(&pair).await;
    let mut old = line(&pair, &server).await;
    is_answered(&mut old).await;

    let renewed = pair.renewed();
    is_shown(&renewed, &server).await;
    is_shown_no_more(&pair, &server).await;
    is_answered(&mut old).await;
    is_answered(&mut line(&renewed, &server).await).await;
}

#[tokio::test]
async fn a_hang_up_has_the_files_read_again_whatever_they_look_like() {
    let pair = Pair::new();
    let (_place, server) = serving(&pair).await;
    let mut old = line(&pair, &server).await;
    is_answered(&mut old).await;

    // Nothing about the files tells that they are others: only the signal can have them read.
    let renewed = pair.renewed_unseen();
    server.signal(Signal::HUP);
    is_shown(&renewed, &server).await;
    is_shown_no_more(&pair, &server).await;
    is_answered(&mut old).await;
}

#[tokio::test]
async fn a_broken_new_pair_leaves_the_old_one_in_its_place() {
    let pair = Pair::new();
    let (_place, server) = serving(&pair).await;
    let key = fs::read_to_string(pair.key()).unwrap();
    let other = Pair::new();
    for (cert, key) in [
        // Not a certificate, another's key, half a file, and none.
        (Some("not a certificate".to_owned()), Some(key.clone())),
        (
            Some(fs::read_to_string(pair.cert()).unwrap()),
            Some(fs::read_to_string(other.key()).unwrap()),
        ),
        (
            Some(fs::read_to_string(pair.cert()).unwrap()[..200].to_owned()),
            Some(key),
        ),
        (None, None),
    ] {
        for (path, content) in [(pair.cert(), cert), (pair.key(), key)] {
            match content {
                Some(content) => fs::write(path, content).unwrap(),
                None => fs::remove_file(path).unwrap(),
            }
        }
        server.signal(Signal::HUP);
        let line = server
            .hears("the TLS certificate in use stays")
            .expect("it says so");
        assert!(!line.contains("PRIVATE KEY"), "{line}");
        let stream = stream(&pair, &server, &TLS13, &[]).await;
        assert!(pair.is_shown_on(&stream));
    }
    let renewed = pair.renewed();
    server.signal(Signal::HUP);
    is_shown(&renewed, &server).await;
}
