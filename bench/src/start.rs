//! How soon a service answers after it was started.

use std::io::{BufRead as _, BufReader, Lines};
use std::process::{Child, ChildStderr, Command, Stdio};
use std::time::Instant;

use anyhow::{Context as _, bail, ensure};
use rustix::process::{Pid, Signal, kill_process};
use serde_json::json;

use crate::http::Connection;
use crate::say;

/// `start PROGRAM EMAIL STATUS`: starts the service, signs in once, expects that status, and ends it. Prints how many
/// milliseconds it took from before the program was started until it listened, and until the sign-in was answered.
///
/// # Errors
/// When it did not start, or answered otherwise.
pub(crate) fn run(arguments: impl Iterator<Item = String>) -> anyhow::Result<()> {
    let arguments: Vec<String> = arguments.collect();
    let [program, email, status] = arguments.as_slice() else {
        bail!("call it by dev/bench");
    };
    let body = json!({"email": email, "password": "a long walk by the sea"}).to_string();
    let began = Instant::now();
    let mut service = Service::start(program)?;
    let host = service.host()?;
    let listened = began.elapsed();
    let request = format!(
        "POST /auth/signin HTTP/1.1\r\nHost: {host}\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    );
    let answer = Connection::to(&host)?.ask(request.as_bytes())?;
    let answered = began.elapsed();
    ensure!(
        answer.status.to_string() == *status,
        "the sign-in was answered {}",
        answer.status
    );
    say(format_args!(
        "{:.3} {:.3}",
        listened.as_secs_f64() * 1e3,
        answered.as_secs_f64() * 1e3
    ));
    Ok(())
}

/// Told to stop with its owner.
struct Service {
    process: Child,
    words: Lines<BufReader<ChildStderr>>,
}

impl Service {
    fn start(program: &str) -> anyhow::Result<Self> {
        let mut process = Command::new(program)
            .args(["serve", "--dev", "--listen", "127.0.0.1:0"])
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()?;
        let words = process.stderr.take().context("its words")?;
        Ok(Self {
            process,
            words: BufReader::new(words).lines(),
        })
    }

    /// Waits until it says where it listens.
    fn host(&mut self) -> anyhow::Result<String> {
        let mut all = String::new();
        for line in &mut self.words {
            let line = line?;
            if let Some(host) = line.strip_prefix("Listening on http://") {
                return Ok(host.to_owned());
            }
            all += &line;
        }
        bail!("the service did not start: {all}")
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = kill_process(Pid::from_child(&self.process), Signal::TERM);
        let _ = self.process.wait();
    }
}
