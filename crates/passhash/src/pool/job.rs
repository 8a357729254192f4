//! A computation that waits for a thread, and where its result goes.

use tokio::sync::oneshot;

use crate::hasher::{HashError, Hasher};

/// How a job ended.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Outcome {
    Computed,
    /// With an error, and so perhaps without the work: its time tells nothing about the pace.
    Failed,
    Panicked,
}

/// A computation and where its result goes, whatever its type is.
pub(super) trait Job: Send {
    /// Whoever asked has gone.
    fn is_abandoned(&self) -> bool;
    fn compute(&mut self, hasher: &mut Hasher) -> Outcome;
    /// Apart from the computation, so that a job counts as done before its caller hears of it.
    fn deliver(self: Box<Self>);
}

/// A job whose `reply` is dropped unused if `compute` panics.
pub(super) fn job<T: Send + 'static>(
    compute: impl FnOnce(&mut Hasher) -> Result<T, HashError> + Send + 'static,
    reply: oneshot::Sender<Result<T, HashError>>,
) -> Box<dyn Job> {
    Box::new(Computation {
        compute: Some(compute),
        result: None,
        reply,
    })
}

struct Computation<T, F> {
    compute: Option<F>,
    result: Option<Result<T, HashError>>,
    reply: oneshot::Sender<Result<T, HashError>>,
}

impl<T, F> Job for Computation<T, F>
where
    T: Send,
    F: FnOnce(&mut Hasher) -> Result<T, HashError> + Send,
{
    fn is_abandoned(&self) -> bool {
        self.reply.is_closed()
    }

    fn compute(&mut self, hasher: &mut Hasher) -> Outcome {
        self.result = self.compute.take().map(|compute| compute(hasher));
        match self.result {
            Some(Ok(_)) => Outcome::Computed,
            _ => Outcome::Failed,
        }
    }

    fn deliver(self: Box<Self>) {
        if let Some(result) = self.result {
            // Whoever asked may have gone meanwhile; then nobody misses the result.
            let _ = self.reply.send(result);
        }
    }
}
