//! The threads that connections are served on. Each has a runtime of its own, and a connection stays where it began: what
//! wakes it wakes that thread and no other. A runtime of many threads wakes one more for each, to look for work that there
//! is not, and under load every such look interrupts a hash.

use std::io;
use std::num::NonZero;
use std::sync::Arc;
use std::thread::{self, JoinHandle};

use tokio::runtime::{Builder, Handle};
use tokio::sync::oneshot;

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
        let cores = thread::available_parallelism().map_or(1, NonZero::get);
        (0..cores)
            .map(Worker::start)
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
    fn start(number: usize) -> io::Result<Self> {
        let runtime = Builder::new_current_thread().enable_all().build()?;
        let handle = runtime.handle().clone();
        let (end, ended) = oneshot::channel::<()>();
        let thread = thread::Builder::new()
            .name(format!("http-{number}"))
            .spawn(move || {
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
}
