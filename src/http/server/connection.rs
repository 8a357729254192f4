//! One connection, from its first byte to its last.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::pin::pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use axum::body::Body;
use axum::http::{Request, Response, StatusCode};
use hyper::body::Incoming;
use hyper::server::conn::{http1, http2};
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use hyper_util::server::graceful::GracefulConnection;
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::sync::watch;
use tokio::task::unconstrained;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;

use super::activity::{Activity, AnswerBody, Phase, Protocol};
use super::watched::Watched;
use super::{Answers, Limits, Signal, well_formed};
use crate::http::client::Peer;
use crate::http::tls::CertificateSource;

/// Request bodies are small here, so a small window serves them, and it bounds what a connection can make us hold.
const STREAM_WINDOW: u32 = 64 * 1024;
const CONNECTION_WINDOW: u32 = 256 * 1024;
/// Streams that a client takes back before we have seen them, and streams that we refuse it or that it makes us reset:
/// more, and the connection ends. So the "rapid reset" and "MadeYouReset" floods look (CVE-2023-44487, RUSTSEC-2024-0003,
/// CVE-2025-8671). Those taken back later are counted by [`Activity`].
const TAKEN_BACK_STREAMS: usize = 20;
const REFUSED_STREAMS: usize = 128;

/// The answer to someone who speaks plain HTTP where TLS is spoken.
const SPEAK_TLS: &str = "HTTP/1.1 400 Bad Request\r\n\
    Content-Type: text/plain; charset=utf-8\r\n\
    Content-Length: 63\r\n\
    Connection: close\r\n\r\n\
    This port speaks HTTPS only: write https:// instead of http://\n";

/// What every connection of a listener has in common.
pub(super) struct Doorway<A> {
    app: A,
    tls: Option<TlsAcceptor>,
    limits: Limits,
    http1: http1::Builder,
    http2: http2::Builder<Streams>,
}

impl<A: Answers> Doorway<A> {
    pub(super) fn new(app: A, tls: Option<&CertificateSource>, limits: Limits) -> Self {
        let mut http1 = http1::Builder::new();
        http1
            .header_read_timeout(None) // counts idle time too, which `Activity` tells apart
            .max_header_size(limits.head_bytes)
            .max_buf_size(limits.head_bytes);
        let mut http2 = http2::Builder::new(Streams {
            deadline: limits.request,
        });
        http2
            .max_concurrent_streams(limits.streams)
            .max_header_list_size(u32::try_from(limits.head_bytes).unwrap_or(u32::MAX))
            .initial_stream_window_size(STREAM_WINDOW)
            .initial_connection_window_size(CONNECTION_WINDOW)
            .max_pending_accept_reset_streams(TAKEN_BACK_STREAMS)
            .max_local_error_reset_streams(REFUSED_STREAMS);
        Self {
            app,
            tls: tls.map(|source| TlsAcceptor::from(source.server_config())),
            limits,
            http1,
            http2,
        }
    }

    /// Serves one connection to its end. Returns how many of its requests were cut off.
    pub(super) async fn attend(
        &self,
        stream: std::net::TcpStream,
        address: SocketAddr,
        signal: &mut watch::Receiver<Signal>,
    ) -> usize {
        // Answers are written whole; waiting for more to send with them (Nagle) only delays them.
        let stream = match stream
            .set_nodelay(true)
            .and_then(|()| TcpStream::from_std(stream))
        {
            Ok(stream) => stream,
            Err(error) => {
                tracing::debug!(%address, "the connection ended before it was served: {error}");
                return 0;
            }
        };
        let Some(acceptor) = &self.tls else {
            let peer = Peer {
                address,
                tls: false,
            };
            return self.serve(stream, Protocol::Http1, peer, signal).await;
        };
        // Of its own size: it would make that of every connection in the clear four times as large.
        Box::pin(self.attend_by_tls(acceptor, stream, address, signal)).await
    }

    /// The same where TLS is spoken.
    async fn attend_by_tls(
        &self,
        acceptor: &TlsAcceptor,
        stream: TcpStream,
        address: SocketAddr,
        signal: &mut watch::Receiver<Signal>,
    ) -> usize {
        let handshake = tokio::time::timeout(self.limits.handshake, handshake(acceptor, stream));
        let stream = tokio::select! {
            biased;
            _ = heard(signal) => return 0,
            stream = handshake => stream,
        };
        let stream = match stream {
            Ok(Ok(Some(stream))) => stream,
            Ok(Ok(None)) => return 0,
            Ok(Err(error)) => {
                tracing::debug!(%address, "no TLS connection came about: {error}");
                return 0;
            }
            Err(_) => {
                tracing::debug!(%address, "the TLS handshake took too long");
                return 0;
            }
        };
        let protocol = match stream.get_ref().1.alpn_protocol() {
            Some(b"h2") => Protocol::Http2,
            _ => Protocol::Http1,
        };
        let peer = Peer { address, tls: true };
        self.serve(stream, protocol, peer, signal).await
    }

    /// Speaks HTTP on `stream`, whatever lies beneath it.
    pub(super) async fn serve<S>(
        &self,
        stream: S,
        protocol: Protocol,
        peer: Peer,
        signal: &mut watch::Receiver<Signal>,
    ) -> usize
    where
        S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        let activity = Activity::new(protocol, self.limits.clone());
        let io = TokioIo::new(Watched::new(stream, Arc::clone(&activity)));
        let service = {
            let activity = Arc::clone(&activity);
            // The connection's own: to copy it for each request would have all of them count on the same few numbers.
            let app = Mutex::new(self.app.clone());
            service_fn(move |request| {
                let mut app = app.lock().unwrap_or_else(PoisonError::into_inner);
                answer(&mut *app, request, peer, &activity)
            })
        };
        match protocol {
            Protocol::Http1 => {
                let connection = self.http1.serve_connection(io, service);
                Box::pin(drive(connection, &activity, signal, peer)).await
            }
            Protocol::Http2 => {
                let connection = self.http2.serve_connection(io, service);
                Box::pin(drive(connection, &activity, signal, peer)).await
            }
        }
    }
}

/// Makes TLS of a connection; `None` when it was plain HTTP, which has been told so.
async fn handshake(
    acceptor: &TlsAcceptor,
    mut stream: TcpStream,
) -> std::io::Result<Option<TlsStream<TcpStream>>> {
    let mut first = [0];
    stream.peek(&mut first).await?;
    // A TLS record begins with 0x16, a method with a letter.
    if !first[0].is_ascii_uppercase() {
        return acceptor.accept(stream).await.map(Some);
    }
    stream.write_all(SPEAK_TLS.as_bytes()).await?;
    stream.shutdown().await?;
    // To the end of the request: closing with unread bytes would reset the connection, and the answer with it.
    tokio::io::copy(&mut stream, &mut tokio::io::sink()).await?;
    Ok(None)
}

/// Hands one request to the application.
fn answer<A: Answers>(
    app: &mut A,
    mut request: Request<Incoming>,
    peer: Peer,
    activity: &Arc<Activity>,
) -> impl Future<Output = Result<Response<AnswerBody>, Infallible>> + use<A> {
    let in_flight = activity.begin();
    request.extensions_mut().insert(peer);
    let answer = match well_formed::objection(&request) {
        Some(why) => Err(why),
        None => Ok(app.call(request.map(Body::new))),
    };
    async move {
        let answer = match answer {
            Ok(answer) => answer.await?,
            Err(why) => well_formed::refusal(why),
        };
        if answer.status() == StatusCode::SERVICE_UNAVAILABLE {
            // Apart, or every request would have the room that this needs.
            Box::pin(in_flight.activity().turn_away()).await;
        }
        Ok(answer.map(|body| AnswerBody::new(body, in_flight)))
    }
}

/// Runs a connection to its end, sees to its deadlines and passes on what the listener signals. Returns how many
/// requests were cut off.
///
/// A client that sends without a pause keeps the connection busy for as long as tokio lets a task run at one go. What
/// comes after it does not depend on there being anything left of that: else neither a deadline nor a signal would
/// ever be noticed on such a connection.
async fn drive<C>(
    connection: C,
    activity: &Activity,
    signal: &mut watch::Receiver<Signal>,
    peer: Peer,
) -> usize
where
    C: GracefulConnection,
    C::Error: std::fmt::Display,
{
    let mut connection = pin!(connection);
    let mut timer = pin!(tokio::time::sleep_until(activity.deadline().1));
    loop {
        tokio::select! {
            biased;
            end = connection.as_mut() => {
                if let Err(error) = end {
                    tracing::debug!(address = %peer.address, "the connection broke: {error}");
                }
                return 0;
            }
            signal = unconstrained(heard(signal)) => match signal {
                Signal::Serve => {}
                Signal::Drain => connection.as_mut().graceful_shutdown(),
                Signal::Cut => return activity.in_flight(),
            },
            phase = unconstrained(activity.overstayed(timer.as_mut())) => match phase {
                Phase::Idle => {
                    activity.close();
                    connection.as_mut().graceful_shutdown();
                }
                Phase::Abused => {
                    tracing::debug!(address = %peer.address, "the connection was closed: its client takes back what it asks for");
                    return 0;
                }
                Phase::Head | Phase::Busy | Phase::Sending | Phase::Closing => {
                    tracing::debug!(address = %peer.address, ?phase, "the connection was closed: it took too long");
                    return 0;
                }
            },
        }
    }
}

/// The next signal. A listener that is gone without a word has been dropped, and its connections go with it.
async fn heard(signal: &mut watch::Receiver<Signal>) -> Signal {
    match signal.changed().await {
        Ok(()) => *signal.borrow_and_update(),
        Err(_) => Signal::Cut,
    }
}

/// Runs the requests of an HTTP/2 connection, each in a task of its own, and none for longer than `deadline`: a client
/// that never opens its window would otherwise hold an answer for ever. The stream is reset then (RST_STREAM, CANCEL).
#[derive(Clone, Copy)]
struct Streams {
    deadline: Duration,
}

impl<F> hyper::rt::Executor<F> for Streams
where
    F: Future + Send + 'static,
    F::Output: Send,
{
    fn execute(&self, stream: F) {
        tokio::spawn(tokio::time::timeout(self.deadline, stream));
    }
}
