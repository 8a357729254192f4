//! A socket that tells the connection's [`Activity`] what comes and goes, and that closes without destroying what it sent.

use std::io::{self, IoSlice};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use super::activity::{Activity, Phase};

/// The socket of one connection.
pub(super) struct Watched<S> {
    stream: S,
    activity: Arc<Activity>,
    closed: Option<Lingering>,
}

/// How a connection that we have closed ends.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Lingering {
    /// At once, unless bytes turn out to be waiting.
    IfUnread,
    /// Once the other side closes too.
    UntilTheyClose,
}

impl<S> Watched<S> {
    pub(super) fn new(stream: S, activity: Arc<Activity>) -> Self {
        Self {
            stream,
            activity,
            closed: None,
        }
    }

    fn note<T>(&self, written: &Poll<T>) {
        if written.is_pending() {
            self.activity.stalled();
        }
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Watched<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        ready!(Pin::new(&mut self.stream).poll_read(cx, buffer))?;
        if buffer.filled().len() > before {
            self.activity.received();
        }
        Poll::Ready(Ok(()))
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> AsyncWrite for Watched<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write(cx, bytes);
        self.note(&written);
        written
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write_vectored(cx, slices);
        self.note(&written);
        written
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        ready!(Pin::new(&mut self.stream).poll_flush(cx))?;
        self.activity.flushed();
        Poll::Ready(Ok(()))
    }

    /// Ends our side, then reads and forgets what the other side still sends. A socket that is dropped with unread bytes
    /// makes the kernel send a reset, which may destroy the answer (a 413, a 431) before the client has read it.
    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = &mut *self;
        let mut lingering = if let Some(lingering) = this.closed {
            lingering
        } else {
            ready!(Pin::new(&mut this.stream).poll_shutdown(cx))?;
            let (phase, _) = this.activity.deadline();
            this.activity.close();
            match phase {
                Phase::Head => Lingering::UntilTheyClose,
                _ => Lingering::IfUnread,
            }
        };
        let mut waste = [0; 4096];
        loop {
            this.closed = Some(lingering);
            let mut buffer = ReadBuf::new(&mut waste);
            match Pin::new(&mut this.stream).poll_read(cx, &mut buffer) {
                Poll::Ready(Ok(())) if !buffer.filled().is_empty() => {
                    lingering = Lingering::UntilTheyClose;
                }
                Poll::Pending if lingering == Lingering::UntilTheyClose => return Poll::Pending,
                _ => return Poll::Ready(Ok(())),
            }
        }
    }
}
