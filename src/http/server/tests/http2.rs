//! HTTP/2, frame by frame (RFC 9113).

use tokio::io::AsyncRead;

use super::*;
use crate::http::tls::tests::Pair;

pub(super) const DATA: u8 = 0;
pub(super) const HEADERS: u8 = 1;
pub(super) const RST_STREAM: u8 = 3;
pub(super) const PING: u8 = 6;
pub(super) const GOAWAY: u8 = 7;
const END_STREAM: u8 = 1;
const END_HEADERS: u8 = 4;

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
