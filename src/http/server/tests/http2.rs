//! HTTP/2, frame by frame (RFC 9113): what a library would not send.

use tokio::io::AsyncRead;

use super::*;
use crate::http::tls::tests::Pair;

pub(super) const DATA: u8 = 0;
pub(super) const HEADERS: u8 = 1;
pub(super) const RST_STREAM: u8 = 3;
pub(super) const PING: u8 = 6;
pub(super) const GOAWAY: u8 = 7;
const CONTINUATION: u8 = 9;
const END_STREAM: u8 = 1;
const END_HEADERS: u8 = 4;
const PROTOCOL_ERROR: u32 = 1;
const ENHANCE_YOUR_CALM: u32 = 11;

pub(super) struct Frame {
    pub(super) kind: u8,
    pub(super) stream: u32,
    pub(super) payload: Vec<u8>,
}

pub(super) struct Frames<'a, R>(&'a mut R);

impl<'a, R: AsyncRead + Unpin> Frames<'a, R> {
    pub(super) fn new(from: &'a mut R) -> Self {
        Self(from)
    }

    async fn next(&mut self) -> Option<Frame> {
        let mut head = [0; 9];
        self.0.read_exact(&mut head).await.ok()?;
        let length = u32::from_be_bytes([0, head[0], head[1], head[2]]);
        let mut payload = vec![0; length as usize];
        self.0.read_exact(&mut payload).await.ok()?;
        Some(Frame {
            kind: head[3],
            stream: u32::from_be_bytes([head[5], head[6], head[7], head[8]]),
            payload,
        })
    }

    /// The next frame of one of these kinds, or `None` when the connection ends before one comes.
    pub(super) async fn until(&mut self, kinds: &[u8]) -> Option<Frame> {
        loop {
            let frame = self.next().await?;
            if kinds.contains(&frame.kind) {
                return Some(frame);
            }
        }
    }
}

pub(super) fn frame(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    let length = u32::try_from(payload.len()).unwrap().to_be_bytes();
    let mut frame = length[1..].to_vec();
    frame.extend([kind, flags]);
    frame.extend(stream.to_be_bytes());
    frame.extend(payload);
    frame
}

/// The client's side of the beginning, with its settings.
pub(super) fn preface(settings: &[u8]) -> Vec<u8> {
    let mut preface = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".to_vec();
    preface.extend(frame(4, 0, 0, settings));
    preface
}

/// One field, never indexed and not compressed (RFC 7541 section 6.2.2).
fn field(name: &str, value: &[u8]) -> Vec<u8> {
    let mut field = vec![0, u8::try_from(name.len()).unwrap()];
    field.extend(name.as_bytes());
    field.push(u8::try_from(value.len()).unwrap());
    field.extend(value);
    field
}

fn head(path: &str) -> Vec<u8> {
    let fields = [
        (":method", "GET"),
        (":scheme", "https"),
        (":path", path),
        (":authority", "a"),
    ];
    fields
        .iter()
        .flat_map(|(name, value)| field(name, value.as_bytes()))
        .collect()
}

pub(super) fn get(stream: u32, path: &str) -> Vec<u8> {
    frame(HEADERS, END_STREAM | END_HEADERS, stream, &head(path))
}

fn reason(goaway: &Frame) -> u32 {
    u32::from_be_bytes(goaway.payload[4..8].try_into().unwrap())
}

/// Sends `bytes` after the preface on a connection of its own, for as long as the server takes them, and reads on until
/// a frame of one of `kinds` or the end.
async fn tell(bytes: Vec<u8>, kinds: &[u8]) -> Option<Frame> {
    let pair = Pair::new();
    let server = Running::new(app(), Some(pair.load()), Duration::from_secs(20)).await;
    let stream = pair.connect(server.address, &[b"h2"]).await;
    assert_eq!(stream.get_ref().1.alpn_protocol(), Some(&b"h2"[..]));
    let (mut from, mut to) = tokio::io::split(stream);
    let sending = tokio::spawn(async move {
        let _ = to.write_all(&preface(&[])).await;
        let _ = to.write_all(&bytes).await;
        let _ = to.flush().await;
        to
    });
    let found = Frames::new(&mut from).until(kinds).await;
    sending.abort();
    let again = pair.connect(server.address, &[b"h2"]).await;
    assert_eq!(
        ask(again, "/").await,
        "hello\n",
        "the server does not serve any more"
    );
    found
}

/// Asks for `path` and gives back the body of the answer.
pub(super) async fn ask<S>(mut stream: S, path: &str) -> String
where
    S: AsyncRead + tokio::io::AsyncWrite + Unpin,
{
    stream.write_all(&preface(&[])).await.unwrap();
    stream.write_all(&get(1, path)).await.unwrap();
    let data = Frames::new(&mut stream).until(&[DATA]).await.unwrap();
    String::from_utf8(data.payload).unwrap()
}

#[tokio::test]
async fn h19_rapid_reset_ends_the_connection() {
    let flood = (0..10_000).flat_map(|n| {
        let stream = 2 * n + 1;
        let mut both = get(stream, "/never");
        both.extend(frame(RST_STREAM, 0, stream, &[0, 0, 0, 8]));
        both
    });
    let goaway = tell(flood.collect(), &[GOAWAY]).await.unwrap();
    assert_eq!(reason(&goaway), ENHANCE_YOUR_CALM);
}

#[tokio::test]
async fn h19_streams_beyond_the_bound_are_refused_and_then_the_connection() {
    let flood = (0..2_000).flat_map(|n| get(2 * n + 1, "/never"));
    let goaway = tell(flood.collect(), &[GOAWAY]).await.unwrap();
    assert_eq!(reason(&goaway), ENHANCE_YOUR_CALM);
}

#[tokio::test]
async fn h19_a_head_without_end_ends_the_connection() {
    let mut flood = frame(HEADERS, END_STREAM, 1, &head("/"));
    for _ in 0..10_000 {
        flood.extend(frame(CONTINUATION, 0, 1, &field("x", &[b'x'; 100])));
    }
    let goaway = tell(flood, &[GOAWAY]).await;
    assert!(goaway.is_none_or(|goaway| reason(&goaway) != 0));
}

#[tokio::test]
async fn h19_empty_data_without_end_ends_the_connection() {
    let post: Vec<u8> = [
        (":method", "POST"),
        (":scheme", "https"),
        (":path", "/echo"),
        (":authority", "a"),
    ]
    .iter()
    .flat_map(|(name, value)| field(name, value.as_bytes()))
    .collect();
    let mut flood = frame(HEADERS, END_HEADERS, 1, &post);
    for _ in 0..100_000 {
        flood.extend(frame(DATA, 0, 1, &[]));
    }
    let goaway = tell(flood, &[GOAWAY]).await.unwrap();
    assert_eq!(reason(&goaway), ENHANCE_YOUR_CALM);
}

#[tokio::test]
async fn h19_a_small_head_that_unpacks_into_a_large_one_is_refused() {
    // One long field put into the compression table, then named a thousand times with one byte each.
    let mut bomb = head("/");
    bomb.extend([0x40, 1, b'x', 127, 0x80 | 0x21, 0x1e]);
    bomb.extend(vec![b'x'; 127 + 0x21 + (0x1e << 7)]);
    bomb.extend([0xbe; 1000]);
    let answer = tell(
        frame(HEADERS, END_STREAM | END_HEADERS, 1, &bomb),
        &[HEADERS, GOAWAY],
    )
    .await
    .unwrap();
    assert_eq!((answer.kind, reason(&answer)), (GOAWAY, ENHANCE_YOUR_CALM));
}

#[tokio::test]
async fn h19_fields_that_http_2_forbids_are_never_served() {
    let whole = head("/");
    let with = |name: &str, value: &[u8]| [whole.clone(), field(name, value)].concat();
    let pathless: Vec<u8> = [
        (":method", "GET"),
        (":scheme", "https"),
        (":authority", "a"),
    ]
    .iter()
    .flat_map(|(name, value)| field(name, value.as_bytes()))
    .collect();
    for (name, fields) in [
        ("no path", pathless),
        ("two paths", with(":path", b"/echo")),
        ("CR LF in a value", with("x", b"1\r\ny: 2")),
        ("LF in a value", with("x", b"1\n2")),
        ("NUL in a value", with("x", b"1\x002")),
        ("upper case", with("X", b"1")),
        ("transfer-encoding", with("transfer-encoding", b"chunked")),
        ("connection", with("connection", b"close")),
    ] {
        let request = frame(HEADERS, END_STREAM | END_HEADERS, 1, &fields);
        let answer = tell(request, &[HEADERS, RST_STREAM, GOAWAY]).await.unwrap();
        let error = match answer.kind {
            RST_STREAM => u32::from_be_bytes(answer.payload[..].try_into().unwrap()),
            GOAWAY => reason(&answer),
            _ => panic!("{name}: it was answered"),
        };
        assert_eq!(error, PROTOCOL_ERROR, "{name}");
    }
}

#[tokio::test]
async fn stopping_finishes_the_streams_that_have_begun() {
    let pair = Pair::new();
    let (waiting, app) = Waiting::app();
    let server = Running::new(app, Some(pair.load()), Duration::from_secs(20)).await;
    let stream = pair.connect(server.address, &[b"h2"]).await;
    let asking = tokio::spawn(ask(stream, "/wait"));
    waiting.asked.notified().await;
    server.stop.send(()).unwrap();
    waiting.let_go.notify_one();
    assert_eq!(asking.await.unwrap(), "done\n");
    assert!(server.served.await.unwrap().in_flight_finished());
}

#[tokio::test]
async fn a_stream_that_was_taken_back_is_not_worked_for() {
    let pair = Pair::new();
    let (waiting, app) = Waiting::app();
    let server = Running::new(app, Some(pair.load()), Duration::from_secs(20)).await;
    let mut stream = pair.connect(server.address, &[b"h2"]).await;
    stream.write_all(&preface(&[])).await.unwrap();
    stream.write_all(&get(1, "/wait")).await.unwrap();
    waiting.asked.notified().await;
    stream
        .write_all(&frame(RST_STREAM, 0, 1, &[0, 0, 0, 8]))
        .await
        .unwrap();
    waiting.over.notified().await;

    stream.write_all(&get(3, "/wait")).await.unwrap();
    waiting.asked.notified().await;
    drop(stream);
    waiting.over.notified().await;
}
