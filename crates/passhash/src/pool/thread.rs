//! One hash thread.

use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use tokio::sync::watch;

use super::job::{self, Outcome};
use super::queue::{Call, Queue};
use crate::hasher::Hasher;
use crate::schemes::Scheme;

/// How much lower than its process's a hash thread's priority is, in steps of nice(2). Ten leave it
/// a tenth of a core for which other threads compete, and all of one that is free.
#[cfg(target_os = "linux")]
const NICE: i32 = 10;

/// How long a thread rests before it wipes.
const WIPED_AFTER: Duration = Duration::from_millis(10);

/// Starts the thread of `slot`. It holds `alive` one higher for as long as it lives.
pub(super) fn spawn(
    slot: usize,
    queue: &Arc<Queue>,
    alive: &Arc<watch::Sender<usize>>,
    observe: fn(Scheme, Duration),
) -> io::Result<()> {
    let life = Life::begin(Arc::clone(alive));
    let queue = Arc::clone(queue);
    thread::Builder::new()
        .name(format!("hash-{slot}"))
        .spawn(move || {
            let _life = life;
            lower_priority();
            work(slot, &queue, observe);
        })
        .map(drop)
}

/// Counted for as long as it exists, so that a thread's end is seen however it ends.
struct Life(Arc<watch::Sender<usize>>);

impl Life {
    fn begin(alive: Arc<watch::Sender<usize>>) -> Self {
        alive.send_modify(|threads| *threads += 1);
        Self(alive)
    }
}

impl Drop for Life {
    fn drop(&mut self) {
        self.0.send_modify(|threads| *threads -= 1);
    }
}

/// Offers its core to whoever waits for it again and again. The kernel alone takes it back at a tick, as late as 4 ms on: hashes
/// get their tenth of a busy core in pieces of that length otherwise, and everybody else's waits are as long.
fn hasher() -> Hasher {
    Hasher::default().with_pauses(thread::yield_now)
}

fn work(slot: usize, queue: &Queue, observe: fn(Scheme, Duration)) {
    let mut hasher = hasher();
    loop {
        let next = queue.begin(slot);
        job::deliver(queue.due(next.as_ref().map(|next| next.work)));
        let Some(mut next) = next else {
            match rest(slot, queue, &mut hasher) {
                Call::End => return,
                Call::Work | Call::None => continue,
            }
        };
        let outcome = catch_unwind(AssertUnwindSafe(|| next.job.compute(&mut hasher)))
            .unwrap_or(Outcome::Panicked);
        if outcome == Outcome::Panicked {
            // Nobody knows what the panic left in it.
            hasher = self::hasher();
        }
        let took = queue.end(slot, outcome);
        observe(next.work.scheme, took);
        if let Some(at_once) = queue.keep(next.job) {
            at_once.deliver();
        }
    }
}

/// Waits for a call, and wipes what the last hash left meanwhile. Under load there is no time for that, and each hash overwrites
/// the one before; nor right behind a hash, when whoever waited for it is being answered and the memory is wanted by them.
fn rest(slot: usize, queue: &Queue, hasher: &mut Hasher) -> Call {
    match queue.wait_for_call(slot, WIPED_AFTER) {
        Call::None => {}
        call => return call,
    }
    hasher.wipe_while(|| queue.rests(slot));
    queue.wait_for_call(slot, Duration::MAX)
}

/// nice(2) is about the calling thread on Linux, and about the whole process elsewhere.
fn lower_priority() {
    #[cfg(target_os = "linux")]
    if let Err(error) = rustix::process::nice(NICE) {
        tracing::debug!(%error, "hash thread keeps its process's priority");
    }
}
