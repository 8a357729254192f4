//! What a connection is doing, and until when it may go on doing it.

use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use hyper::body::{Body, Bytes, Frame, SizeHint};
use tokio::time::{Instant, Sleep};

use super::Limits;

/// For how long a closed connection is still read from.
const LINGER: Duration = Duration::from_secs(5);
/// Requests that a client may begin on one connection and take back before their answers were handed over, beyond one for
/// each answer that was. More, and the connection ends. The protocol's library counts only those that are taken back
/// before the application sees them, so that a flood at a gentler pace would make it work for nothing without end. A proxy
/// all of whose clients lose patience at once has twice the streams of one connection to take back.
const MOST_TAKEN_BACK: usize = 256;
/// A client that was told that there is no room for its request, and asks again within this time, has not waited.
const LEAST_WAIT: Duration = Duration::from_secs(1);
/// How much later it is told so again: answering those who ask without a pause would take the cores from what all wait for.
const HELD_BACK: Duration = Duration::from_millis(100);

/// What a connection is doing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Phase {
    /// The head of a request is on its way.
    Head,
    /// A request is being answered.
    Busy,
    /// The answer has been made, and the client is slow to read it.
    Sending,
    /// Nothing: before the first request, or between two.
    Idle,
    /// We have said all that we will say.
    Closing,
    /// Being cut off, because its client takes back what it asks for.
    Abused,
}

/// The protocol spoken on a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Protocol {
    /// One request after the other.
    Http1,
    /// Many at once, each with its own deadline; bytes that are no request (pings, windows) keep nothing alive.
    Http2,
}

/// The state of one connection, shared by its socket, its driver and the requests on it.
pub(super) struct Activity {
    protocol: Protocol,
    limits: Limits,
    state: Mutex<State>,
}

struct State {
    phase: Phase,
    since: Instant,
    /// When the latest request began.
    begun: Instant,
    in_flight: usize,
    /// Up by one for each request taken back, down by one for each answer handed over.
    taken_back: usize,
    /// When there last was no room for a request.
    turned_away: Option<Instant>,
}

impl Activity {
    pub(super) fn new(protocol: Protocol, limits: Limits) -> Arc<Self> {
        let now = Instant::now();
        let state = State {
            phase: Phase::Idle,
            since: now,
            begun: now,
            in_flight: 0,
            taken_back: 0,
            turned_away: None,
        };
        Arc::new(Self {
            protocol,
            limits,
            state: Mutex::new(state),
        })
    }

    /// A request's head has been read. It is in flight until what this returns is dropped.
    pub(super) fn begin(self: &Arc<Self>) -> InFlight {
        let mut state = self.state();
        state.in_flight += 1;
        if state.taken_back > MOST_TAKEN_BACK {
            state.enter(Phase::Abused);
        } else if state.in_flight == 1 {
            state.enter(Phase::Busy);
            state.begun = state.since;
        }
        drop(state);
        InFlight {
            activity: Arc::clone(self),
            is_answered: false,
        }
    }

    /// There is no room for a request: returns when its client is to be told, at once unless it was told so a moment ago.
    pub(super) async fn turn_away(&self) {
        let before = self.state().turned_away;
        if before.is_some_and(|before| before.elapsed() < LEAST_WAIT) {
            tokio::time::sleep(HELD_BACK).await;
        }
        self.state().turned_away = Some(Instant::now());
    }

    /// The connection is to end; what is left is for the other side to notice.
    pub(super) fn close(&self) {
        self.state().enter(Phase::Closing);
    }

    /// How many requests have begun and not been answered.
    pub(super) fn in_flight(&self) -> usize {
        self.state().in_flight
    }

    /// Completes when the present phase has lasted too long. Polled after the connection, so that a phase which the
    /// connection has just entered is seen; `timer` is only ever moved when it would fire too late, or has fired.
    pub(super) async fn overstayed(&self, mut timer: Pin<&mut Sleep>) -> Phase {
        std::future::poll_fn(|cx| {
            if self.deadline().1 < timer.deadline() {
                timer.as_mut().reset(self.deadline().1);
            }
            loop {
                ready!(timer.as_mut().poll(cx));
                let (phase, deadline) = self.deadline();
                if deadline <= Instant::now() {
                    return Poll::Ready(phase);
                }
                timer.as_mut().reset(deadline);
            }
        })
        .await
    }

    /// When the present phase has to be over. Streams of HTTP/2 have their own deadlines, and no one else need say when
    /// the last of them ends, so that such a connection is merely looked at again after a while.
    pub(super) fn deadline(&self) -> (Phase, Instant) {
        let state = self.state();
        let until = match state.phase {
            Phase::Head => state.since + self.limits.head,
            Phase::Busy if self.protocol == Protocol::Http2 => Instant::now() + self.limits.idle,
            Phase::Busy | Phase::Sending => state.begun + self.limits.request,
            Phase::Idle => state.since + self.limits.idle,
            Phase::Closing => state.since + LINGER,
            Phase::Abused => state.since,
        };
        (state.phase, until)
    }

    /// Bytes have come in. Between requests they are the beginning of the next one.
    pub(super) fn received(&self) {
        let mut state = self.state();
        if state.phase == Phase::Idle && self.protocol == Protocol::Http1 {
            state.enter(Phase::Head);
        }
    }

    /// The system takes no more bytes, because the client does not read.
    pub(super) fn stalled(&self) {
        let mut state = self.state();
        if state.phase == Phase::Idle && self.protocol == Protocol::Http1 {
            state.enter(Phase::Sending);
        }
    }

    /// All that was to be said has been handed to the system.
    pub(super) fn flushed(&self) {
        let mut state = self.state();
        if state.phase == Phase::Sending {
            state.enter(Phase::Idle);
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn enter(&mut self, phase: Phase) {
        self.phase = phase;
        self.since = Instant::now();
    }
}

/// A request that has begun and whose answer has not been handed over whole.
pub(super) struct InFlight {
    activity: Arc<Activity>,
    is_answered: bool,
}

impl InFlight {
    pub(super) fn activity(&self) -> &Activity {
        &self.activity
    }
}

impl Drop for InFlight {
    fn drop(&mut self) {
        let mut state = self.activity.state();
        state.taken_back = if self.is_answered {
            state.taken_back.saturating_sub(1)
        } else {
            state.taken_back + 1
        };
        state.in_flight -= 1;
        if state.in_flight == 0 && state.phase == Phase::Busy {
            state.enter(Phase::Idle);
        }
    }
}

/// The body of an answer, which keeps its request in flight until it has been sent.
pub(super) struct AnswerBody {
    body: axum::body::Body,
    request: InFlight,
}

impl AnswerBody {
    pub(super) fn new(body: axum::body::Body, mut request: InFlight) -> Self {
        request.is_answered = body.is_end_stream(); // nobody asks for the frames of an empty one
        Self { body, request }
    }
}

impl Body for AnswerBody {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        let frame = ready!(Pin::new(&mut self.body).poll_frame(cx));
        self.request.is_answered = frame.is_none() || self.body.is_end_stream();
        Poll::Ready(frame)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
