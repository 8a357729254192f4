//! HTTP/2 as frames (RFC 9113): also those that no library sends once it has been told that the server stops.

use serde_json::Value;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio_rustls::client::TlsStream;

const DATA: u8 = 0;
const HEADERS: u8 = 1;
const RST_STREAM: u8 = 3;
const SETTINGS: u8 = 4;
const PING: u8 = 6;
const GOAWAY: u8 = 7;

const ACK: u8 = 1;
const END_STREAM: u8 = 1;
const END_HEADERS: u8 = 4;

/// A connection that answers nothing by itself: no setting, no ping.
pub struct Http2 {
    socket: TlsStream<TcpStream>,
    /// The server's pings that wait for an answer.
    pings: Vec<Vec<u8>>,
    /// Whether the server has said that it stops.
    is_told_to_go: bool,
}

impl Http2 {
    /// Says the preface, with settings that change nothing.
    pub async fn begin(mut socket: TlsStream<TcpStream>) -> Self {
        socket
            .write_all(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n")
            .await
            .unwrap();
        let mut http2 = Self {
            socket,
            pings: Vec::new(),
            is_told_to_go: false,
        };
        http2.send(SETTINGS, 0, 0, &[]).await;
        http2
    }

    /// Asks on a new stream.
    pub async fn get(&mut self, stream: u32, path: &str) {
        let block = block(&[
            (":method", "GET"),
            (":scheme", "https"),
            (":authority", "localhost"),
            (":path", path),
        ]);
        self.send(HEADERS, END_HEADERS | END_STREAM, stream, &block)
            .await;
    }

    /// Begins a request with JSON, which is still to come.
    pub async fn post(&mut self, stream: u32, path: &str) {
        let block = block(&[
            (":method", "POST"),
            (":scheme", "https"),
            (":authority", "localhost"),
            (":path", path),
            ("content-type", "application/json"),
        ]);
        self.send(HEADERS, END_HEADERS, stream, &block).await;
    }

    /// All of the body of a request.
    pub async fn data(&mut self, stream: u32, body: &str) {
        self.send(DATA, END_STREAM, stream, body.as_bytes()).await;
    }

    /// Returns once the server has read all that was sent so far: it answers a ping after what came before it.
    pub async fn is_heard(&mut self) {
        self.send(PING, 0, 0, b"heard so").await;
        while self.next().await.expect("the connection stands")
            != (PING, ACK, 0, b"heard so".to_vec())
        {}
    }

    /// Returns once the server has said that it will take no more streams.
    pub async fn is_told_to_go(&mut self) {
        while !self.is_told_to_go {
            self.next()
                .await
                .expect("it is said before the connection ends");
        }
    }

    /// Answers the server's pings, by which it knows that what was sent before has been read.
    pub async fn answer_pings(&mut self) {
        while self.pings.is_empty() {
            self.next().await.expect("a ping");
        }
        for ping in std::mem::take(&mut self.pings) {
            self.send(PING, ACK, 0, &ping).await;
        }
    }

    /// The JSON that is answered on `stream`.
    pub async fn body_of(&mut self, stream: u32) -> Value {
        let mut body = Vec::new();
        loop {
            let (kind, flags, on, payload) = self.next().await.expect("an answer");
            if on == stream {
                assert_ne!(kind, RST_STREAM, "stream {stream} was reset");
                if kind == DATA {
                    body.extend(payload);
                }
                if flags & END_STREAM != 0 {
                    return serde_json::from_slice(&body).unwrap();
                }
            }
        }
    }

    /// Waits for the end of the connection.
    pub async fn ends(&mut self) {
        while self.next().await.is_some() {}
    }

    async fn send(&mut self, kind: u8, flags: u8, stream: u32, payload: &[u8]) {
        let length = u32::try_from(payload.len()).unwrap().to_be_bytes();
        let head = [&length[1..], &[kind, flags], &stream.to_be_bytes()].concat();
        self.socket
            .write_all(&[&head, payload].concat())
            .await
            .unwrap();
    }

    /// Kind, flags, stream and payload of the next frame; `None` when the connection has ended.
    async fn next(&mut self) -> Option<(u8, u8, u32, Vec<u8>)> {
        let mut head = [0; 9];
        self.socket.read_exact(&mut head).await.ok()?;
        let [a, b, c, kind, flags, stream @ ..] = head;
        let mut payload = vec![0; u32::from_be_bytes([0, a, b, c]) as usize];
        self.socket.read_exact(&mut payload).await.ok()?;
        match kind {
            PING if flags & ACK == 0 => self.pings.push(payload.clone()),
            GOAWAY => self.is_told_to_go = true,
            _ => {}
        }
        Some((kind, flags, u32::from_be_bytes(stream), payload))
    }
}

/// Fields as HPACK literals without an index (RFC 7541 section 6.2.2), none of them longer than 126 bytes.
fn block(fields: &[(&str, &str)]) -> Vec<u8> {
    let mut block = Vec::new();
    for (name, value) in fields {
        block.push(0);
        for text in [name, value] {
            block.push(u8::try_from(text.len()).unwrap());
            block.extend(text.as_bytes());
        }
    }
    block
}
