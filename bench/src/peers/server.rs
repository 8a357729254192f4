//! A peer while it serves.

use std::fs;
use std::process::{Child, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail, ensure};
use rustix::process::{Pid, Signal, kill_process};

use super::peer::{Prepared, free_port};
use crate::http::Connection;

/// Longer than any of them takes to begin.
const PATIENCE: Duration = Duration::from_mins(1);
/// How long it has to end by itself.
const GRACE: Duration = Duration::from_secs(5);
const PAUSE: Duration = Duration::from_millis(2);

/// A process that serves, until this is dropped.
pub(crate) struct Server {
    child: Child,
    pub(crate) host: String,
    /// From its start to the first sign-in that it granted.
    pub(crate) started: Duration,
}

impl Server {
    /// Starts it, and has somebody sign in.
    pub(crate) fn start(prepared: &Prepared) -> anyhow::Result<Self> {
        let port = free_port()?;
        let host = format!("127.0.0.1:{port}");
        let began = Instant::now();
        let child = prepared
            .serve(port)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()?;
        let mut server = Self {
            child,
            host,
            started: Duration::ZERO,
        };
        let request = prepared.told.sign_in(&server.host, 0);
        let mut connection = server.listening(began)?;
        let answer = connection.ask(request.as_bytes())?;
        ensure!(
            answer.status == 200,
            "the first sign-in was answered {}",
            answer.status
        );
        server.started = began.elapsed();
        Ok(server)
    }

    fn listening(&mut self, began: Instant) -> anyhow::Result<Connection> {
        while began.elapsed() < PATIENCE {
            if let Ok(connection) = Connection::to(&self.host) {
                return Ok(connection);
            }
            if let Some(status) = self.child.try_wait()? {
                bail!("it ended before it served: {status}");
            }
            thread::sleep(PAUSE);
        }
        bail!("it does not serve after {} s", PATIENCE.as_secs())
    }

    pub(crate) fn process(&self) -> u32 {
        self.child.id()
    }

    /// Resident memory in MiB: now (`VmRSS`), and the most that it ever was (`VmHWM`), as proc_pid_status(5) has them.
    pub(crate) fn memory(&self) -> anyhow::Result<[f64; 2]> {
        let status = fs::read_to_string(format!("/proc/{}/status", self.process()))?;
        let field = |name: &str| -> anyhow::Result<f64> {
            let line = status.lines().find_map(|line| line.strip_prefix(name));
            let kibibytes: f64 = line
                .and_then(|line| line.split_whitespace().next()?.parse().ok())
                .with_context(|| name.to_owned())?;
            Ok(kibibytes / 1024.0)
        };
        Ok([field("VmRSS:")?, field("VmHWM:")?])
    }

    fn stop(&mut self) -> anyhow::Result<()> {
        if let Some(process) = Pid::from_raw(i32::try_from(self.child.id())?) {
            kill_process(process, Signal::TERM)?;
        }
        let asked = Instant::now();
        while asked.elapsed() < GRACE {
            if self.child.try_wait()?.is_some() {
                return Ok(());
            }
            thread::sleep(PAUSE);
        }
        self.child.kill()?;
        self.child.wait()?;
        Ok(())
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // One that is gone already is what was wanted.
        let _ = self.stop();
    }
}
