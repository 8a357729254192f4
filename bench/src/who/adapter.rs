//! What starts a server, fills it and says what to ask it: the program `start` in an adapter's folder.
//!
//! It is told by `REQUESTS` how much is to be asked of each state of an account, and prints a JSON object a line: once
//! `{"is": "server", ...}`, then `{"is": "pair", ...}` for each pair, then `{"is": "ready"}`, and nothing more. When its
//! standard input ends, it ends what it started.

use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use anyhow::{Context as _, bail};
use serde::Deserialize;

use super::measure::Plan;
use crate::http::network;

/// A server under test, until this is dropped.
pub(super) struct Adapter {
    program: Child,
    pub(super) server: Server,
    pub(super) pairs: Vec<Pair>,
}

/// What is said of the server.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Server {
    /// What it is, in a few words.
    pub(super) name: String,
    /// Headers that differ between any two answers, in lower case: they are left out of the comparison.
    pub(super) aside: Vec<String>,
    /// Headers that count seconds, which may pass between the two of a pair: they may differ by one.
    pub(super) seconds: Vec<String>,
}

/// Two states of an account that a stranger must not be able to tell apart.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Pair {
    /// Its name on the command line.
    pub(super) name: String,
    /// `host:port`.
    pub(super) host: String,
    /// How many accounts there are in each state.
    pub(super) accounts: usize,
    /// One state.
    pub(super) one: Template,
    /// The other.
    pub(super) other: Template,
}

/// How an account in one state is asked about. In path, headers and body `{account}` stands for the number of an account, of
/// six digits and from 0 on, `{request}` for a number that no other request of the pair has, and `{network}` for an IPv4 address that has
/// hardly been used and is not of the network of the last ones.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Template {
    /// Which state that is.
    pub(super) of: String,
    method: String,
    path: String,
    headers: Vec<String>,
    body: String,
}

#[derive(Deserialize)]
#[serde(tag = "is", rename_all = "lowercase")]
enum Line {
    Server(Server),
    Pair(Box<Pair>),
    Ready,
}

impl Adapter {
    /// Starts the program in `folder` and waits until its server is ready.
    pub(super) fn start(folder: &Path, plan: &Plan) -> anyhow::Result<Self> {
        let path = folder.join("start");
        let mut program = Command::new(&path)
            .env("REQUESTS", plan.of_each_state().to_string())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .with_context(|| format!("cannot run {}", path.display()))?;
        let output = program.stdout.take().context("its output")?;
        let (mut server, mut pairs) = (None, Vec::new());
        for line in BufReader::new(output).lines() {
            let line = line?;
            match serde_json::from_str(&line).with_context(|| format!("the adapter said {line}"))? {
                Line::Server(said) => server = Some(said),
                Line::Pair(pair) => pairs.push(*pair),
                Line::Ready => {
                    let server = server.context("the adapter did not say what its server is")?;
                    return Ok(Self {
                        program,
                        server,
                        pairs,
                    });
                }
            }
        }
        bail!(
            "{} ended before its server was ready: {}",
            path.display(),
            program.wait()?
        )
    }
}

impl Drop for Adapter {
    fn drop(&mut self) {
        drop(self.program.stdin.take());
        let _ = self.program.wait(); // whatever it ended with, it is over
    }
}

impl Template {
    /// The request as it is sent, about this account, as the one of this number.
    pub(super) fn request(&self, host: &str, account: usize, number: usize) -> Vec<u8> {
        let account = format!("{account:06}");
        let (request, network) = (format!("{number:09}"), network(number));
        let fill = |text: &str| {
            text.replace("{account}", &account)
                .replace("{request}", &request)
                .replace("{network}", &network)
        };
        let body = fill(&self.body);
        let headers: String = self
            .headers
            .iter()
            .map(|header| fill(header) + "\r\n")
            .collect();
        let (method, path, length) = (&self.method, fill(&self.path), body.len());
        format!("{method} {path} HTTP/1.1\r\nHost: {host}\r\n{headers}Content-Length: {length}\r\n\r\n{body}").into_bytes()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_is_filled_in_and_always_as_long() {
        let line = r#"{"of": "unknown", "method": "POST", "path": "/in?{request}", "headers": ["X-From: {network}"],
            "body": "{\"email\": \"u{account}@example.com\"}"}"#;
        let template: Template = serde_json::from_str(line).expect("a template");
        let request = template.request("host:1", 42, 16_512);
        assert_eq!(
            String::from_utf8(request.clone()).expect("UTF-8"),
            "POST /in?000016512 HTTP/1.1\r\nHost: host:1\r\nX-From: 10.101.100.101\r\nContent-Length: 32\r\n\r\n\
             {\"email\": \"u000042@example.com\"}"
        );
        assert_eq!(
            template.request("host:1", 999_999, 40_000_000).len(),
            request.len()
        );
    }
}
