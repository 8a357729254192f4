//! Deadlines, on pipes in memory under a paused clock: time passes only when everybody waits.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use tokio::io::{AsyncRead, AsyncWrite, DuplexStream, ReadBuf, duplex};
use tokio::task::coop;
use tokio::time::Instant;

use super::super::activity::Protocol;
use super::http2::{self, Frames, frame};
use super::*;

const LIMITS: Limits = Limits {
    head: Duration::from_secs(10),
    handshake: Duration::from_secs(10),
    idle: Duration::from_secs(75),
    request: Duration::from_secs(30),
    head_bytes: 32 * 1024,
    connections: 10,
    connections_per_address: 10,
    streams: 128,
};

/// A connection without a network.
struct Piped {
    pipe: DuplexStream,
    served: JoinHandle<usize>,
    signal: watch::Sender<Signal>,
}

fn serve(protocol: Protocol) -> Piped {
    let (pipe, theirs) = duplex(1024);
    let (served, signal) = serve_over(theirs, protocol);
    Piped {
        pipe,
        served,
        signal,
    }
}

fn serve_over<S>(theirs: S, protocol: Protocol) -> (JoinHandle<usize>, watch::Sender<Signal>)
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let (signal, mut heard) = watch::channel(Signal::Serve);
    let peer = Peer {
        address: "192.0.2.1:4711".parse().unwrap(),
        tls: false,
    };
    let served = tokio::spawn(async move {
        let doorway = Doorway::new(app(), None, LIMITS);
        doorway.serve(theirs, protocol, peer, &mut heard).await
    });
    (served, signal)
}

/// A client that always has one more ping to send, and takes whatever it is told. As a socket does, it has its reader
/// pause now and then for others.
struct Pinging {
    unsent: Vec<u8>,
}

impl AsyncRead for Pinging {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let turn = ready!(coop::poll_proceed(cx));
        if self.unsent.is_empty() {
            self.unsent = frame(http2::PING, 0, 0, &[0; 8]);
        }
        let taken = self.unsent.len().min(buffer.remaining());
        buffer.put_slice(&self.unsent[..taken]);
        self.unsent.drain(..taken);
        turn.made_progress();
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Pinging {
    fn poll_write(
        self: Pin<&mut Self>,
        _: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Poll::Ready(Ok(bytes.len()))
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}

/// Lets time pass by the second until `served` is over, which it must be after `seconds`. Nobody waits where somebody
/// always has something to do, so that the clock does not move by itself.
async fn is_over_within(seconds: u64, served: JoinHandle<usize>) {
    for _ in 0..seconds {
        tokio::time::advance(Duration::from_secs(1)).await;
        tokio::task::yield_now().await;
    }
    assert!(served.is_finished(), "it is still served");
    assert_eq!(served.await.unwrap(), 0);
}

/// What is answered until the server closes, and the seconds that takes.
async fn until_closed(pipe: &mut DuplexStream) -> (String, u64) {
    let start = Instant::now();
    let mut answer = Vec::new();
    let _ = pipe.read_to_end(&mut answer).await;
    (
        String::from_utf8(answer).unwrap(),
        start.elapsed().as_secs(),
    )
}

#[tokio::test(start_paused = true)]
async fn h21_a_head_has_ten_seconds_from_its_first_byte() {
    let mut slow = serve(Protocol::Http1);
    tokio::time::sleep(Duration::from_mins(1)).await; // nothing sent: merely idle
    slow.pipe.write_all(b"G").await.unwrap();
    for byte in b"ET / HTTP" {
        tokio::time::sleep(Duration::from_secs(1)).await;
        slow.pipe.write_all(&[*byte]).await.unwrap();
    }
    assert_eq!(until_closed(&mut slow.pipe).await, (String::new(), 1));
    assert_eq!(slow.served.await.unwrap(), 0);
}

#[tokio::test(start_paused = true)]
async fn h21_so_has_the_head_of_a_later_request() {
    let mut slow = serve(Protocol::Http1);
    slow.pipe
        .write_all(b"GET /number/7 HTTP/1.1\r\nHost: a\r\n\r\n")
        .await
        .unwrap();
    tokio::time::sleep(Duration::from_secs(70)).await;
    slow.pipe
        .write_all(b"GET /number/8 HTTP/1.1\r\n")
        .await
        .unwrap();
    let (answer, seconds) = until_closed(&mut slow.pipe).await;
    assert!(answer.ends_with("[7]"), "{answer}");
    assert_eq!(seconds, 10);
}

#[tokio::test(start_paused = true)]
async fn an_idle_connection_is_kept_and_then_closed() {
    let mut idle = serve(Protocol::Http1);
    for n in 0..3 {
        let request = format!("GET /number/{n} HTTP/1.1\r\nHost: a\r\n\r\n");
        idle.pipe.write_all(request.as_bytes()).await.unwrap();
        tokio::time::sleep(Duration::from_secs(74)).await;
    }
    let (answers, seconds) = until_closed(&mut idle.pipe).await;
    assert_eq!(answers.matches("HTTP/1.1 200 OK").count(), 3, "{answers}");
    assert_eq!(seconds, 1);
}

/// Asks for a path, and says how many milliseconds it takes until there is an answer.
async fn asked(pipe: &mut DuplexStream, path: &str) -> u128 {
    let start = Instant::now();
    let request = format!("GET {path} HTTP/1.1\r\nHost: a\r\n\r\n");
    pipe.write_all(request.as_bytes()).await.unwrap();
    let read = pipe.read(&mut [0; 1024]).await.unwrap();
    assert!(read > 0, "it was closed");
    start.elapsed().as_millis()
}

#[tokio::test(start_paused = true)]
async fn l1_who_finds_no_room_and_does_not_wait_is_told_so_later() {
    let mut pressing = serve(Protocol::Http1);
    let pipe = &mut pressing.pipe;
    assert_eq!(asked(pipe, "/full").await, 0);
    for _ in 0..3 {
        assert_eq!(asked(pipe, "/full").await, 100);
        // What there is room for is nobody's fault.
        assert_eq!(asked(pipe, "/number/7").await, 0);
    }
    tokio::time::sleep(Duration::from_secs(1)).await;
    assert_eq!(asked(pipe, "/full").await, 0);
}

#[tokio::test(start_paused = true)]
async fn a_request_whose_head_is_half_here_when_stopping_is_still_answered() {
    let mut half = serve(Protocol::Http1);
    half.pipe.write_all(b"GET /number/7 HT").await.unwrap();
    tokio::time::sleep(Duration::from_secs(1)).await; // it has been read: else no time would have passed
    half.signal.send(Signal::Drain).unwrap();
    tokio::time::sleep(Duration::from_secs(1)).await;
    half.pipe
        .write_all(b"TP/1.1\r\nHost: a\r\n\r\n")
        .await
        .unwrap();
    let (answer, seconds) = until_closed(&mut half.pipe).await;
    assert!(answer.contains("connection: close\r\n"), "{answer}");
    assert!(answer.ends_with("\r\n\r\n[7]"), "{answer}");
    assert_eq!(seconds, 0);
}

#[tokio::test(start_paused = true)]
async fn a_request_is_answered_in_thirty_seconds_or_not_at_all() {
    let mut stuck = serve(Protocol::Http1);
    stuck
        .pipe
        .write_all(b"GET /never HTTP/1.1\r\nHost: a\r\n\r\n")
        .await
        .unwrap();
    assert_eq!(until_closed(&mut stuck.pipe).await, (String::new(), 30));
}

#[tokio::test(start_paused = true)]
async fn h21_an_answer_that_nobody_reads_is_given_up() {
    let mut deaf = serve(Protocol::Http1);
    deaf.pipe
        .write_all(b"GET /large HTTP/1.1\r\nHost: a\r\n\r\n")
        .await
        .unwrap();
    let start = Instant::now();
    assert_eq!(deaf.served.await.unwrap(), 0);
    assert_eq!(start.elapsed().as_secs(), 30);
}

#[tokio::test(start_paused = true)]
async fn a_client_that_was_refused_and_stays_is_left() {
    let mut stubborn = serve(Protocol::Http1);
    stubborn.pipe.write_all(b"nonsense\r\n\r\n").await.unwrap();
    let start = Instant::now();
    assert_eq!(stubborn.served.await.unwrap(), 0);
    assert_eq!(start.elapsed().as_secs(), 5);
    let (answer, _) = until_closed(&mut stubborn.pipe).await;
    assert!(
        answer.starts_with("HTTP/1.1 400 Bad Request\r\n"),
        "{answer}"
    );
}

#[tokio::test(start_paused = true)]
async fn h21_in_http_2_a_window_that_never_opens_resets_the_stream() {
    let mut deaf = serve(Protocol::Http2);
    let no_window = [0, 4, 0, 0, 0, 0];
    deaf.pipe
        .write_all(&http2::preface(&no_window))
        .await
        .unwrap();
    deaf.pipe.write_all(&http2::get(1, "/large")).await.unwrap();
    let start = Instant::now();
    let mut frames = Frames::new(&mut deaf.pipe);
    let reset = frames.until(&[http2::RST_STREAM]).await.unwrap();
    assert_eq!((reset.stream, reset.payload), (1, vec![0, 0, 0, 8])); // CANCEL
    assert_eq!(start.elapsed().as_secs(), 30);
}

#[tokio::test(start_paused = true)]
async fn an_http_2_connection_without_requests_is_closed_however_it_pings() {
    let mut idle = serve(Protocol::Http2);
    idle.pipe.write_all(&http2::preface(&[])).await.unwrap();
    let start = Instant::now();
    let (mut from, mut to) = tokio::io::split(idle.pipe);
    tokio::spawn(async move {
        while to
            .write_all(&frame(http2::PING, 0, 0, &[0; 8]))
            .await
            .is_ok()
        {
            tokio::time::sleep(Duration::from_secs(7)).await;
        }
    });
    let mut frames = Frames::new(&mut from);
    frames.until(&[http2::GOAWAY]).await.unwrap();
    assert_eq!(start.elapsed().as_secs(), 75);
    // It never lets go by itself; five seconds later it is let go.
    assert_eq!(idle.served.await.unwrap(), 0);
    assert_eq!(start.elapsed().as_secs(), 80);
}

#[tokio::test(start_paused = true)]
async fn h19_who_sends_without_a_pause_is_held_to_the_deadline() {
    let pinging = Pinging {
        unsent: http2::preface(&[]),
    };
    let (served, _signal) = serve_over(pinging, Protocol::Http2);
    is_over_within(75 + 5 + 1, served).await;
}

#[tokio::test(start_paused = true)]
async fn h19_who_sends_without_a_pause_does_not_keep_the_server_from_stopping() {
    let pinging = Pinging {
        unsent: http2::preface(&[]),
    };
    let (served, signal) = serve_over(pinging, Protocol::Http2);
    signal.send(Signal::Cut).unwrap();
    is_over_within(1, served).await;
}
