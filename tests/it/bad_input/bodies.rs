//! Bodies that a client sends as it likes: without end, or not at all.

use std::convert::Infallible;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll};

use axum::body::{Body, Bytes, HttpBody};
use hyper::body::Frame;

/// Bytes in one piece of an endless body.
pub const PIECE: usize = 16 * 1024;

/// How much was asked for of endless bodies.
#[derive(Default)]
pub struct Pulled(Arc<AtomicUsize>);

impl Pulled {
    /// A JSON string that is never closed.
    pub fn endless(&self) -> Body {
        Body::new(Endless(Arc::clone(&self.0)))
    }

    /// In bytes, of all of them together.
    pub fn bytes(&self) -> usize {
        self.0.load(Ordering::Relaxed)
    }
}

struct Endless(Arc<AtomicUsize>);

impl HttpBody for Endless {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        let mut piece = vec![b'a'; PIECE];
        if self.0.fetch_add(PIECE, Ordering::Relaxed) == 0 {
            piece[..10].copy_from_slice(br#"{"email":""#);
        }
        Poll::Ready(Some(Ok(Frame::data(piece.into()))))
    }
}

/// A body that does not come. While it is waited for the clock of the runtime stands still, and so jumps to whatever is
/// due next: whoever waits for ever is found out at once.
pub fn silent() -> Body {
    Body::new(Silent { is_awaited: false })
}

struct Silent {
    is_awaited: bool,
}

impl HttpBody for Silent {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        if !self.is_awaited {
            self.is_awaited = true;
            tokio::time::pause();
        }
        Poll::Pending
    }
}

impl Drop for Silent {
    fn drop(&mut self) {
        if self.is_awaited {
            tokio::time::resume();
        }
    }
}
