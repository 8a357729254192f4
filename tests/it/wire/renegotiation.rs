//! A client that begins a second handshake within a TLS 1.2 connection (CVE-2009-3555 and a cheap way to cost a server
//! dear). No library of today does that, so the handshake is the library's and the records after it are ours.

use std::sync::Arc;

use ::aws_lc_rs::aead::{Aad, CHACHA20_POLY1305, LessSafeKey, Nonce, UnboundKey};
use rustls::crypto::aws_lc_rs::cipher_suite::TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256;
use rustls::crypto::{CryptoProvider, aws_lc_rs};
use rustls::pki_types::ServerName;
use rustls::version::TLS12;
use rustls::{ClientConfig, ClientConnection, ConnectionTrafficSecrets};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use super::tls::over_tls;
use crate::harness::certificate::{Pair, connect};

const ALERT: u8 = 21;
const HANDSHAKE: u8 = 22;
const APPLICATION_DATA: u8 = 23;
/// RFC 5246 section 7.2: a warning, and no_renegotiation.
const NO_RENEGOTIATION: [u8; 2] = [1, 100];

#[tokio::test]
async fn H22_renegotiation_is_refused() {
    over_tls(async |on, pair| {
        let client = client(pair);
        let hello = hello(&client);
        let mut records = Records::after_handshake(client, on.address).await;

        records.send(HANDSHAKE, &hello).await;
        assert_eq!(
            records.next().await,
            Some((ALERT, NO_RENEGOTIATION.to_vec()))
        );
        // The connection goes on as it was negotiated.
        records
            .send(
                APPLICATION_DATA,
                b"GET /auth/config HTTP/1.1\r\nHost: localhost\r\n\r\n",
            )
            .await;
        let (kind, answer) = records.next().await.unwrap();
        assert_eq!(kind, APPLICATION_DATA);
        assert!(
            answer.starts_with(b"HTTP/1.1 200 OK\r\n"),
            "{}",
            String::from_utf8_lossy(&answer)
        );
        // Asking again is no mistake any more, and ends it.
        records.send(HANDSHAKE, &hello).await;
        while let Some((kind, _)) = records.next().await {
            assert_eq!(kind, ALERT);
        }
    })
    .await;
}

/// TLS 1.2 with the one cipher whose records are simplest.
fn client(pair: &Pair) -> ClientConfig {
    let provider = CryptoProvider {
        cipher_suites: vec![TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256],
        ..aws_lc_rs::default_provider()
    };
    let mut client = pair.client_by(provider, &TLS12, &[]);
    client.enable_secret_extraction = true;
    client
}

/// A first message as it is sent at the beginning of a connection, without the record around it.
fn hello(client: &ClientConfig) -> Vec<u8> {
    let name = ServerName::try_from("localhost").unwrap();
    let mut beginning = ClientConnection::new(Arc::new(client.clone()), name).unwrap();
    let mut record = Vec::new();
    beginning.write_tls(&mut record).unwrap();
    record.split_off(5)
}

/// A connection whose records are written and read by hand.
struct Records {
    stream: TcpStream,
    ours: Secrets,
    theirs: Secrets,
}

/// What protects one direction (RFC 7905 section 2).
struct Secrets {
    key: LessSafeKey,
    iv: [u8; 12],
    sequence: u64,
}

impl Records {
    async fn after_handshake(client: ClientConfig, address: std::net::SocketAddr) -> Self {
        let (stream, connection) = connect(client, address).await.unwrap().into_inner();
        let secrets = connection.dangerous_extract_secrets().unwrap();
        Self {
            stream,
            ours: Secrets::new(secrets.tx),
            theirs: Secrets::new(secrets.rx),
        }
    }

    async fn send(&mut self, kind: u8, plain: &[u8]) {
        let (nonce, aad) = self.ours.next(kind, plain.len());
        let mut sealed = plain.to_vec();
        self.ours
            .key
            .seal_in_place_append_tag(nonce, aad, &mut sealed)
            .unwrap();
        let length = u16::try_from(sealed.len()).unwrap().to_be_bytes();
        let record = [&[kind, 3, 3], &length[..], &sealed].concat();
        self.stream.write_all(&record).await.unwrap();
    }

    /// The kind and the content of the next record; `None` when the connection has ended.
    async fn next(&mut self) -> Option<(u8, Vec<u8>)> {
        let mut head = [0; 5];
        self.stream.read_exact(&mut head).await.ok()?;
        let mut record = vec![0; usize::from(u16::from_be_bytes([head[3], head[4]]))];
        self.stream.read_exact(&mut record).await.ok()?;
        let (nonce, aad) = self
            .theirs
            .next(head[0], record.len() - CHACHA20_POLY1305.tag_len());
        let plain = self
            .theirs
            .key
            .open_in_place(nonce, aad, &mut record)
            .unwrap();
        Some((head[0], plain.to_vec()))
    }
}

impl Secrets {
    fn new((sequence, secrets): (u64, ConnectionTrafficSecrets)) -> Self {
        let ConnectionTrafficSecrets::Chacha20Poly1305 { key, iv } = secrets else {
            panic!("another cipher was agreed on");
        };
        Self {
            key: LessSafeKey::new(UnboundKey::new(&CHACHA20_POLY1305, key.as_ref()).unwrap()),
            iv: iv.as_ref().try_into().unwrap(),
            sequence,
        }
    }

    /// What goes into the next record beside its content.
    fn next(&mut self, kind: u8, length: usize) -> (Nonce, Aad<Vec<u8>>) {
        let sequence = self.sequence.to_be_bytes();
        self.sequence += 1;
        let mut nonce = self.iv;
        for (byte, counted) in nonce[4..].iter_mut().zip(sequence) {
            *byte ^= counted;
        }
        let length = u16::try_from(length).unwrap().to_be_bytes();
        let aad = [&sequence[..], &[kind, 3, 3], &length].concat();
        (Nonce::assume_unique_for_key(nonce), Aad::from(aad))
    }
}
