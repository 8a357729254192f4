//! HTTP/2 as frames (RFC 9113): also those that no library sends.

use std::io;

use serde_json::Value;
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::TcpStream;
use tokio_rustls::client::TlsStream;

pub const DATA: u8 = 0;
pub const HEADERS: u8 = 1;
pub const PRIORITY: u8 = 2;
pub const RST_STREAM: u8 = 3;
pub const SETTINGS: u8 = 4;
pub const PING: u8 = 6;
pub const GOAWAY: u8 = 7;
pub const WINDOW_UPDATE: u8 = 8;
pub const CONTINUATION: u8 = 9;

pub const ACK: u8 = 1;
pub const END_STREAM: u8 = 1;
pub const END_HEADERS: u8 = 4;

/// Codes of errors (RFC 9113 section 7).
pub const NO_ERROR: u32 = 0;
pub const PROTOCOL_ERROR: u32 = 1;
pub const CANCEL: u32 = 8;
pub const ENHANCE_YOUR_CALM: u32 = 11;

/// The last words of a server on a connection, and how often it said what before.
#[derive(Debug, Default)]
pub struct End {
    /// The code of its last GOAWAY, if it sent one.
    pub reason: Option<u32>,
    /// Streams that it reset.
    pub resets: usize,
    /// Streams that it began to answer.
    pub answers: usize,
}

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
    pub async fn begin(socket: TlsStream<TcpStream>) -> Self {
        socket.get_ref().0.set_nodelay(true).unwrap();
        let mut http2 = Self {
            socket,
            pings: Vec::new(),
            is_told_to_go: false,
        };
        let preface = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
        let settings = frame(SETTINGS, 0, 0, &[]);
        http2
            .say(&[preface.as_slice(), &settings].concat())
            .await
            .unwrap();
        http2
    }

    /// Asks on a new stream.
    pub async fn get(&mut self, stream: u32, path: &str) {
        self.send(HEADERS, END_HEADERS | END_STREAM, stream, &asking(path))
            .await;
    }

    /// Begins a request with JSON, which is still to come.
    pub async fn post(&mut self, stream: u32, path: &str) {
        self.send(HEADERS, END_HEADERS, stream, &telling(path))
            .await;
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

    /// Sends as much of `bytes`, which are frames, as the server takes.
    pub async fn write(&mut self, bytes: &[u8]) {
        let _ = self.say(bytes).await;
    }

    /// What the system does not take at once stays with the TLS, which takes it for written, until somebody flushes it.
    async fn say(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.socket.write_all(bytes).await?;
        self.socket.flush().await
    }

    /// Sends the same again and again, reading along, until the server ends the connection.
    pub async fn repeat(self, frames: &[u8]) -> End {
        let (from, mut to) = tokio::io::split(self.socket);
        let sending = async { while to.write_all(frames).await.is_ok() {} };
        tokio::join!(sending, end(from)).1
    }

    /// Sends the same again and again and reads nothing, until the server ends the connection.
    pub async fn repeat_deaf(mut self, frames: &[u8]) {
        while self.socket.write_all(frames).await.is_ok() {}
    }

    /// Sends `bytes`, reading along, and then waits for the server to end the connection.
    pub async fn flood(self, bytes: &[u8]) -> End {
        let (from, mut to) = tokio::io::split(self.socket);
        let sending = async {
            let _ = to.write_all(bytes).await;
            let _ = to.flush().await;
        };
        tokio::join!(sending, end(from)).1
    }

    /// The code with which the server reset `stream` or ended the connection; `None` when it answers.
    pub async fn refusal_of(&mut self, stream: u32) -> Option<u32> {
        loop {
            match self.next().await.expect("a word about the stream") {
                (HEADERS, _, on, _) if on == stream => return None,
                (RST_STREAM, _, on, payload) if on == stream => return Some(code(&payload)),
                (GOAWAY, _, _, payload) => return Some(code(&payload[4..])),
                _ => {}
            }
        }
    }

    /// Returns once the server has read all that was sent so far, or has ended the connection, which it tells.
    pub async fn is_heard_or_over(&mut self) -> bool {
        self.write(&frame(PING, 0, 0, b"heard so")).await;
        loop {
            match self.next().await {
                Some((PING, ACK, _, payload)) if payload == b"heard so" => return true,
                Some(_) => {}
                None => return false,
            }
        }
    }

    async fn send(&mut self, kind: u8, flags: u8, stream: u32, payload: &[u8]) {
        let frame = frame(kind, flags, stream, payload);
        self.say(&frame).await.unwrap();
    }

    /// Kind, flags, stream and payload of the next frame; `None` when the connection has ended.
    async fn next(&mut self) -> Option<Frame> {
        let frame = next(&mut self.socket).await?;
        match &frame {
            (PING, flags, _, payload) if flags & ACK == 0 => self.pings.push(payload.clone()),
            (GOAWAY, ..) => self.is_told_to_go = true,
            _ => {}
        }
        Some(frame)
    }
}

type Frame = (u8, u8, u32, Vec<u8>);

async fn next(from: &mut (impl AsyncRead + Unpin)) -> Option<Frame> {
    let mut head = [0; 9];
    from.read_exact(&mut head).await.ok()?;
    let [a, b, c, kind, flags, stream @ ..] = head;
    let mut payload = vec![0; u32::from_be_bytes([0, a, b, c]) as usize];
    from.read_exact(&mut payload).await.ok()?;
    Some((kind, flags, u32::from_be_bytes(stream), payload))
}

/// Reads to the end of the connection, many frames at a time: who cannot keep up with the answers is reset before the last word.
async fn end(from: impl AsyncRead + Unpin) -> End {
    let mut from = BufReader::with_capacity(64 * 1024, from);
    let mut end = End::default();
    while let Some((kind, _, _, payload)) = next(&mut from).await {
        match kind {
            HEADERS => end.answers += 1,
            RST_STREAM => end.resets += 1,
            GOAWAY => end.reason = Some(code(&payload[4..])),
            _ => {}
        }
    }
    end
}

fn code(payload: &[u8]) -> u32 {
    u32::from_be_bytes(payload[..4].try_into().unwrap())
}

/// A frame as bytes.
pub fn frame(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    let length = u32::try_from(payload.len()).unwrap().to_be_bytes();
    let head = [&length[1..], &[kind, flags], &stream.to_be_bytes()].concat();
    [&head, payload].concat()
}

/// The client takes `stream` back.
pub fn reset(stream: u32) -> Vec<u8> {
    frame(RST_STREAM, 0, stream, &CANCEL.to_be_bytes())
}

/// The fields of a GET.
pub fn asking(path: &str) -> Vec<u8> {
    block(&[
        (":method", "GET"),
        (":scheme", "https"),
        (":authority", "localhost"),
        (":path", path),
    ])
}

/// The fields of a POST of JSON.
pub fn telling(path: &str) -> Vec<u8> {
    block(&[
        (":method", "POST"),
        (":scheme", "https"),
        (":authority", "localhost"),
        (":path", path),
        ("content-type", "application/json"),
    ])
}

/// Fields as HPACK literals without an index (RFC 7541 section 6.2.2), none of them longer than 126 bytes.
pub fn block(fields: &[(&str, &str)]) -> Vec<u8> {
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
