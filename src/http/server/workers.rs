//! The threads that connections are served on. Each has a runtime of its own, and a connection stays where it began: what
//! wakes it wakes that thread and no other. A runtime of many threads wakes one more for each, to look for work that there
//! is not, and under load every such look interrupts a hash. Each has a core of its own, if there is one for each: else the
//! kernel, to which a core that hashes is a busy one, has two of them wait for each other beside it.

use std::io;
use std::num::NonZero;
use std::process;
use std::sync::Arc;
use std::thread::{self, JoinHandle};

use tokio::runtime::{Builder, Handle};
use tokio::sync::oneshot;

use super::cores;

/// Threads, one for each core, or none. They end when this is dropped, and with them what is not finished.
pub struct Workers(Vec<Worker>);

struct Worker {
    runtime: Handle,
    /// Each of its connections holds one, too.
    load: Arc<()>,
    /// Dropped to end it.
    end: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Workers {
    /// Starts one for each core.
    ///
    /// # Errors
    /// When the system has no more threads or files.
    pub fn start() -> io::Result<Self> {
        let threads = thread::available_parallelism().map_or(1, NonZero::get);
        let cores = one_for_each(threads, cores::allowed());
        (0..threads)
            .map(|number| Worker::start(number, &cores))
            .collect::<io::Result<_>>()
            .map(Self)
    }

    /// None: connections are served where they are taken in.
    pub const fn none() -> Self {
        Self(Vec::new())
    }

    /// Lets the thread that has the fewest connections serve one more, to its end.
    pub(super) fn serve(&self, connection: impl Future<Output = ()> + Send + 'static) {
        let load = |worker: &&Worker| Arc::strong_count(&worker.load);
        let Some(worker) = self.0.iter().min_by_key(load) else {
            tokio::spawn(connection);
            return;
        };
        let counted = Arc::clone(&worker.load);
        worker.runtime.spawn(async move {
            connection.await;
            drop(counted);
        });
    }
}

impl Worker {
    /// On the core of that number, if there are any.
    fn start(number: usize, cores: &[usize]) -> io::Result<Self> {
        let mut runtime = Builder::new_current_thread();
        let own = cores.get(number).copied();
        if own.is_some() {
            // Threads that wait for a disk in its place would keep to its core: they are started from there.
            let all = cores.to_vec();
            runtime.on_thread_start(move || cores::stay_on(&all));
        }
        let runtime = runtime.enable_all().build()?;
        let handle = runtime.handle().clone();
        let (end, ended) = oneshot::channel::<()>();
        let thread = thread::Builder::new()
            .name(format!("http-{number}"))
            .spawn(move || {
                if let Some(core) = own {
                    cores::stay_on(&[core]);
                }
                // An error is the end, too: nobody sends anything.
                let _ = runtime.block_on(ended);
            })?;
        Ok(Self {
            runtime: handle,
            load: Arc::default(),
            end: Some(end),
            thread: Some(thread),
        })
    }
}

/// The cores, if they are as many. Where a process may use more cores than it has time for, as in a container with a quota, others
/// would choose the same ones: none then. Which is the first's, that of the first connection, differs from process to process.
fn one_for_each(threads: usize, mut cores: Vec<usize>) -> Vec<usize> {
    if cores.is_empty() || cores.len() != threads {
        return Vec::new();
    }
    cores.rotate_left(process::id() as usize % threads);
    cores
}

impl Drop for Worker {
    fn drop(&mut self) {
        drop(self.end.take());
        if self
            .thread
            .take()
            .is_some_and(|thread| thread.join().is_err())
        {
            tracing::error!("a thread that serves connections panicked");
        }
    }
}

#[cfg(test)]
mod tests {
    use std::future::pending;
    use std::sync::mpsc;

    use super::*;

    #[test]
    fn each_thread_has_its_part_and_ends_with_all_that_it_has() {
        let workers = Workers::start().expect("threads");
        let (tell, told) = mpsc::channel();
        for _ in 0..2 * workers.0.len() {
            let tell = tell.clone();
            workers.serve(async move {
                let name = thread::current().name().map(str::to_owned);
                tell.send(name).expect("somebody listens");
                pending::<()>().await;
                drop(tell);
            });
        }
        drop(tell);
        let mut names: Vec<_> = told.iter().take(2 * workers.0.len()).collect();
        names.sort();
        names.dedup();
        assert_eq!(names.len(), workers.0.len(), "{names:?}");
        drop(workers);
        assert_eq!(told.recv(), Err(mpsc::RecvError), "nothing goes on");
    }

    /// What one of them may use, as it says itself, and what those may who wait in its place.
    fn cores_of(workers: &Workers) -> [Vec<usize>; 2] {
        let (tell, told) = mpsc::channel();
        workers.serve(async move {
            let elsewhere = tokio::task::spawn_blocking(cores::allowed);
            let both = [cores::allowed(), elsewhere.await.expect("their cores")];
            tell.send(both).expect("somebody listens");
            pending::<()>().await;
        });
        told.recv().expect("its cores")
    }

    #[test]
    fn each_thread_has_a_core_of_its_own_if_there_is_one_for_each() {
        let all = cores::allowed();
        for allowed in [all.get(..1).unwrap_or_default(), &all] {
            cores::stay_on(allowed);
            let workers = Workers::start().expect("threads");
            let mut seen: Vec<_> = workers.0.iter().map(|_| cores_of(&workers)).collect();
            let expected = if workers.0.len() == allowed.len() {
                allowed
                    .iter()
                    .map(|&core| [vec![core], allowed.to_vec()])
                    .collect()
            } else {
                vec![[allowed.to_vec(), allowed.to_vec()]; workers.0.len()]
            };
            // Which is the first's differs from process to process.
            seen.sort();
            assert_eq!(seen, expected);
        }
    }

    #[test]
    fn where_there_is_less_time_than_cores_nobody_chooses() {
        assert_eq!(one_for_each(2, vec![0, 1, 2, 3]), [0_usize; 0]);
        assert_eq!(one_for_each(0, Vec::new()), [0_usize; 0]);
        let mut each = one_for_each(2, vec![1, 3]);
        each.sort_unstable();
        assert_eq!(each, [1, 3]);
    }
}
