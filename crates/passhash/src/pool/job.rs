//! A computation that waits for a thread, and where its result goes.

use std::time::Duration;

use tokio::runtime::Handle;
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
    /// For how long what was computed may be kept back, if at all, and the runtime in which it is waited for.
    fn leisure(&self) -> Option<(Duration, &Handle)>;
    /// Apart from the computation, so that a job counts as done before its caller hears of it.
    fn deliver(self: Box<Self>);
}

/// Delivers all. Those who wait in one runtime are told in one go: one by one each would be woken for their own, and take the
/// core.
pub(super) fn deliver(jobs: Vec<Box<dyn Job>>) {
    let mut homes: Vec<(Handle, Vec<Box<dyn Job>>)> = Vec::new();
    for job in jobs {
        let Some((_, home)) = job.leisure() else {
            job.deliver();
            continue;
        };
        match homes.iter_mut().find(|(it, _)| it.id() == home.id()) {
            Some((_, jobs)) => jobs.push(job),
            None => homes.push((home.clone(), vec![job])),
        }
    }
    for (home, jobs) in homes {
        let is_alone = jobs.len() == 1;
        let say = || jobs.into_iter().for_each(Job::deliver);
        if is_alone {
            say();
        } else {
            home.spawn(async { say() });
        }
    }
}

/// What lets a result be kept back.
pub(super) struct Leisure<T> {
    /// For how long.
    pub(super) at_most: Duration,
    /// The runtime in which it is waited for.
    pub(super) home: Handle,
    /// Which results; the others are told at once.
    pub(super) allows: fn(&T) -> bool,
}

/// A job whose `reply` is dropped unused if `compute` panics, and whose result is told at once unless there is leisure.
pub(super) fn job<T: Send + 'static>(
    compute: impl FnOnce(&mut Hasher) -> Result<T, HashError> + Send + 'static,
    reply: oneshot::Sender<Result<T, HashError>>,
    leisure: Option<Leisure<T>>,
) -> Box<dyn Job> {
    Box::new(Computation {
        compute: Some(compute),
        result: None,
        reply,
        leisure,
    })
}

struct Computation<T, F> {
    compute: Option<F>,
    result: Option<Result<T, HashError>>,
    reply: oneshot::Sender<Result<T, HashError>>,
    leisure: Option<Leisure<T>>,
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

    fn leisure(&self) -> Option<(Duration, &Handle)> {
        let Some(Ok(result)) = &self.result else {
            return None;
        };
        let leisure = self.leisure.as_ref()?;
        (leisure.allows)(result).then_some((leisure.at_most, &leisure.home))
    }

    fn deliver(self: Box<Self>) {
        if let Some(result) = self.result {
            // Whoever asked may have gone meanwhile; then nobody misses the result.
            let _ = self.reply.send(result);
        }
    }
}
