//! The threads that hash, and the queue before them, which is bounded by time.

mod job;
mod lines;
mod pace;
mod queue;
mod thread;

use std::io;
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::runtime::Handle;
use tokio::sync::{oneshot, watch};
use zeroize::Zeroizing;

use crate::cost::{Cost, CostError};
use crate::hasher::{HashError, Hasher};
use crate::recipe::Recipe;
use crate::schemes::{Scheme, Work, argon2};
use crate::stored::StoredHash;
use job::{Leisure, job};
use queue::{Queue, Refusal};

/// How many threads, and how long a hash may wait for one.
#[derive(Clone, Copy, Debug)]
pub struct PoolSettings {
    /// Dedicated threads: as many as there are cores. Each holds one Argon2 buffer, so the pool
    /// holds this many times a cost's memory.
    pub threads: usize,
    /// A job that is not expected to *begin* within this time is refused.
    pub max_wait: Duration,
}

impl Default for PoolSettings {
    /// One thread for each core, and two seconds.
    fn default() -> Self {
        Self {
            threads: std::thread::available_parallelism().map_or(1, std::num::NonZero::get),
            max_wait: Duration::from_secs(2),
        }
    }
}

/// Whose turn a job is: what its place in the queue depends on. The default is one of the others, of
/// no network.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Turn {
    /// Whether it goes ahead of those who do not.
    pub ahead: bool,
    /// The network that asks, by a number of the caller's choice. One network holds at most a
    /// quarter of the queue; a job of none is held to no share.
    pub network: Option<u64>,
}

/// What came of verifying a password.
#[derive(Clone, Copy, Debug)]
pub struct Verified {
    /// Whether the hash is one of the password.
    pub is_right: bool,
    /// When a thread began with it: the moment from which on its time tells of the hash, and no
    /// longer of the queue.
    pub began: Instant,
}

/// The pool could not be started.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StartError {
    /// A pool without threads would never answer.
    #[error("a hash pool needs at least one thread")]
    NoThreads,
    /// The system refused a thread.
    #[error("cannot start a hash thread")]
    Spawn(#[source] io::Error),
}

/// A job of the pool that came to nothing.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PoolError {
    /// More waits already than can begin within the pool's `max_wait`, or the network that asks
    /// holds its share of the queue. Said at once, before the first suspension.
    #[error("the hash queue is full for {retry_after:?}")]
    Full {
        /// When all that would begin before it is expected to have begun: earlier, the answer would
        /// most likely be the same.
        retry_after: Duration,
    },
    /// The pool was shut down.
    #[error("the hash pool was shut down")]
    Stopped,
    /// The job ran and failed.
    #[error(transparent)]
    Failed(#[from] HashError),
}

impl From<CostError> for PoolError {
    fn from(error: CostError) -> Self {
        Self::Failed(error.into())
    }
}

/// The pool at one moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Load {
    /// Jobs that wait.
    pub queued: usize,
    /// Jobs among the queued that go ahead.
    pub ahead: usize,
    /// Threads that hash.
    pub busy: usize,
    /// Threads there are.
    pub threads: usize,
    /// When a job that came now, and does not go ahead, would be expected to begin.
    pub expected_wait: Duration,
}

/// What the pool did since it was started. The counts only grow.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Counts {
    /// Jobs computed, failed ones included.
    pub done: u64,
    /// Jobs refused because the queue was full, or because their network held its share of it.
    pub refused: u64,
    /// Jobs among the refused that would have had room but for the share of their network.
    pub refused_by_share: u64,
    /// Jobs not computed because whoever asked had gone.
    pub abandoned: u64,
    /// Jobs among the done that panicked.
    pub panicked: u64,
    /// Time that threads spent on the done, all threads added up.
    pub hashing: Duration,
}

/// A bounded pool of hash threads. Cheap to clone; clones are the same pool.
///
/// Admission is by time, not by number: the pool measures how long each scheme takes on this machine,
/// under its present load, and refuses at once what it cannot expect to begin within
/// [`PoolSettings::max_wait`]. A job whose caller has gone (the future was dropped) is not computed.
/// The threads run at a lower priority than their process (Linux), so that whatever else it does
/// stays quick while every core hashes. A panic in a job fails that job alone.
///
/// Jobs that go ahead begin before the others, and only what goes ahead counts when they ask to be
/// admitted; each kind begins in the order in which it came. So a job of the others may begin later
/// than was expected when it came, but is overtaken by no more work than `max_wait` is for: then it
/// begins before those ahead. It waits twice `max_wait` at the most, and where that happens so may
/// one that goes ahead.
///
/// One network holds at most a quarter of the work that may wait (`max_wait` times the threads), so
/// that no single one fills the queue; one job of it may always wait.
///
/// When the last clone is dropped the threads finish what was admitted and end.
#[derive(Clone)]
pub struct Pool {
    owner: Arc<Owner>,
}

/// Closes the queue when the last [`Pool`] is gone; the threads hold the queue itself.
struct Owner {
    queue: Arc<Queue>,
    threads_left: watch::Receiver<usize>,
}

impl Drop for Owner {
    fn drop(&mut self) {
        self.queue.close();
    }
}

impl Pool {
    /// Starts the threads.
    pub fn start(settings: PoolSettings) -> Result<Self, StartError> {
        Self::start_observed(settings, |_, _| ())
    }

    /// The same, and tells `observe` of each job that ran: its scheme, and how long it took on its
    /// thread, without its wait. Called on the hash threads, so it must be quick and not panic.
    pub fn start_observed(
        settings: PoolSettings,
        observe: fn(Scheme, Duration),
    ) -> Result<Self, StartError> {
        if settings.threads == 0 {
            return Err(StartError::NoThreads);
        }
        let (alive, threads_left) = watch::channel(0);
        // Before the first thread: if a later one is refused, dropping this ends the earlier ones.
        let pool = Self {
            owner: Arc::new(Owner {
                queue: Arc::new(Queue::new(settings)),
                threads_left,
            }),
        };
        let alive = Arc::new(alive);
        for slot in 0..settings.threads {
            thread::spawn(slot, &pool.owner.queue, &alive, observe).map_err(StartError::Spawn)?;
        }
        Ok(pool)
    }

    /// A new Argon2id hash of `password`, as [`Hasher::hash`] makes it. The password is wiped when
    /// the job ends, however it ends.
    pub async fn hash(
        &self,
        password: Zeroizing<Vec<u8>>,
        cost: Cost,
        turn: Turn,
    ) -> Result<String, PoolError> {
        cost.check()?;
        let work = argon2::work(Scheme::Argon2id, &cost);
        let answer = self.submit(turn, work, move |hasher| hasher.hash(&password, &cost))?;
        finished(answer).await
    }

    /// Whether `stored` is a hash of `password`. For `None` the work of an Argon2id hash of cost
    /// `decoy` is done, and the answer is `false`, so that the time does not tell whether there was
    /// a hash. Where a stored hash is of another cost, it does.
    ///
    /// Whoever has `leisure` is kept from a yes for about so long at the most while other jobs wait, so that several are told
    /// in one go, and what they do next interrupts the threads once. A no is told at once.
    pub async fn verify(
        &self,
        password: Zeroizing<Vec<u8>>,
        stored: Option<StoredHash>,
        decoy: Cost,
        turn: Turn,
        leisure: Duration,
    ) -> Result<Verified, PoolError> {
        decoy.check()?;
        finished(self.submit_verify(password, stored, decoy, turn, leisure)?).await
    }

    /// Whether a hash of `cost` would be admitted now: for whoever has other work to do before they
    /// come with it, and would rather not do it for nothing. Nothing is kept for them. A refusal
    /// counts as one.
    pub fn admits(&self, cost: Cost, turn: Turn) -> Result<(), PoolError> {
        let work = argon2::work(Scheme::Argon2id, &cost);
        Ok(self.owner.queue.judge(turn, work)?)
    }

    pub(crate) fn submit_verify(
        &self,
        password: Zeroizing<Vec<u8>>,
        stored: Option<StoredHash>,
        decoy: Cost,
        turn: Turn,
        leisure: Duration,
    ) -> Result<Answer<Verified>, PoolError> {
        let work = stored
            .as_ref()
            .map_or_else(|| argon2::work(Scheme::Argon2id, &decoy), StoredHash::work);
        // Whether there is room must not tell what a hash of this password would cost.
        let held = argon2::work(Scheme::Argon2id, &decoy);
        let home = Handle::try_current().ok();
        let leisure = home.filter(|_| !leisure.is_zero()).map(|home| Leisure {
            at_most: leisure,
            home,
            allows: |verified: &Verified| verified.is_right,
        });
        let compute = move |hasher: &mut Hasher| {
            let began = Instant::now();
            let is_right = match stored {
                Some(stored) => {
                    hasher.keep_memory_for(&decoy)?;
                    hasher.verify(&password, &stored)?
                }
                None => hasher.decoy(&password, &decoy)?,
            };
            Ok(Verified { is_right, began })
        };
        self.submit_held(turn, [work, held], compute, leisure)
    }

    /// How long a thread would take now to verify a hash of `recipe`, by what hashes of its scheme
    /// took here last; by what they take elsewhere, while there were none.
    pub fn expected(&self, recipe: &Recipe) -> Duration {
        self.owner.queue.expected(recipe.work)
    }

    /// For how long a job of `turn` that came now would be expected to wait.
    pub fn expected_wait(&self, turn: Turn) -> Duration {
        self.owner.queue.expected_wait(turn)
    }

    /// The pool's queue and threads, now.
    pub fn load(&self) -> Load {
        self.owner.queue.load()
    }

    /// What was done so far.
    pub fn counts(&self) -> Counts {
        self.owner.queue.counts()
    }

    /// Admits no more, and returns when all that was admitted has been computed and the threads
    /// have ended.
    pub async fn shutdown(&self) {
        self.owner.queue.close();
        let mut threads_left = self.owner.threads_left.clone();
        // An error means that every thread's end of the channel is gone, which is what is waited
        // for.
        let _ = threads_left.wait_for(|&threads| threads == 0).await;
    }

    fn submit<T: Send + 'static>(
        &self,
        turn: Turn,
        work: Work,
        compute: impl FnOnce(&mut Hasher) -> Result<T, HashError> + Send + 'static,
    ) -> Result<Answer<T>, PoolError> {
        self.submit_held(turn, [work, work], compute, None)
    }

    /// The same for work that counts against its network for other work than it is.
    fn submit_held<T: Send + 'static>(
        &self,
        turn: Turn,
        works: [Work; 2],
        compute: impl FnOnce(&mut Hasher) -> Result<T, HashError> + Send + 'static,
        leisure: Option<Leisure<T>>,
    ) -> Result<Answer<T>, PoolError> {
        let (reply, answer) = oneshot::channel();
        self.owner
            .queue
            .admit(turn, works, job(compute, reply, leisure))?;
        Ok(answer)
    }
}

impl From<Refusal> for PoolError {
    fn from(refusal: Refusal) -> Self {
        match refusal {
            Refusal::Full(retry_after) => Self::Full { retry_after },
            Refusal::Closed => Self::Stopped,
        }
    }
}

pub(crate) type Answer<T> = oneshot::Receiver<Result<T, HashError>>;

async fn finished<T>(answer: Answer<T>) -> Result<T, PoolError> {
    // The sender is dropped unused only when the computation panicked.
    Ok(answer.await.unwrap_or(Err(HashError::Panicked))?)
}

#[cfg(test)]
mod tests;
