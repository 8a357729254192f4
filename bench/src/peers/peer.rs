//! What is compared, and how it is asked.
//!
//! `bench/peers/FOLDER/peer` does for each of them, by its first argument:
//!
//! * `install`: whatever has to be there before anything else, once for all variants.
//! * `prepare`: puts `PEOPLE` accounts into the folder `FOLDER`, `person0@example.com` and so on, all with the password `PASSWORD`
//!   and the variant's hash, and prints what to ask as one line of JSON ([`Told`]). `PORT` is free for it.
//! * `serve`: becomes the server of these accounts, on `127.0.0.1:PORT`.
//! * `raw`: prints how many hashes a second its own library makes in `LASTS` seconds with nothing else to do, or nothing where that
//!   cannot be had.
//!
//! The environment has what is written in capitals, and `VARIANT`.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use anyhow::{Context as _, ensure};
use serde::Deserialize;
use serde_json::Value;

use crate::http::{Answer, network};

const PASSWORD: &str = "a long walk by the sea";

/// One to compare: a folder of `bench/peers`, and a variant that it knows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Peer {
    pub(crate) folder: &'static str,
    pub(crate) variant: &'static str,
}

/// The first is what the others are compared with.
pub(crate) const PEERS: [Peer; 6] = [
    Peer {
        folder: "doorward",
        variant: "argon2id",
    },
    Peer {
        folder: "nestjs",
        variant: "argon2id",
    },
    Peer {
        folder: "nestjs",
        variant: "bcrypt",
    },
    Peer {
        folder: "better-auth",
        variant: "argon2id",
    },
    Peer {
        folder: "better-auth",
        variant: "scrypt",
    },
    Peer {
        folder: "glewlwyd",
        variant: "pbkdf2",
    },
];

/// What it says of itself when it is prepared.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Told {
    /// With its version and its hash.
    pub(crate) name: String,
    /// The path of a sign-in, which is a POST.
    sign_in: String,
    /// Its JSON; `{person}` is who signs in.
    body: String,
    /// Where in the answer the bearer token is; without it a cookie is the session.
    token: Option<String>,
    /// The path that says who asks, which is a GET.
    me: String,
}

/// A peer with its accounts, ready to be served.
pub(crate) struct Prepared {
    pub(crate) peer: Peer,
    pub(crate) told: Told,
    /// Where its data is.
    folder: PathBuf,
    pub(crate) people: usize,
}

impl Peer {
    /// As it is called on the command line.
    pub(crate) fn name(self) -> String {
        format!("{}/{}", self.folder, self.variant)
    }

    /// Installs it and makes its accounts in a folder within `work`.
    pub(crate) fn prepare(self, work: &Path, people: usize) -> anyhow::Result<Prepared> {
        // A peer works in a folder of its own.
        let folder = std::path::absolute(work.join(self.name().replace('/', "-")))?;
        std::fs::create_dir_all(&folder)?;
        let mut prepared = Prepared {
            peer: self,
            told: Told::nothing(),
            folder,
            people,
        };
        succeeded(prepared.command("install").output()?)?;
        let line = succeeded(
            prepared
                .command("prepare")
                .env("PORT", free_port()?.to_string())
                .output()?,
        )?;
        prepared.told = serde_json::from_str(line.trim())
            .with_context(|| format!("{} said {line:?}", self.name()))?;
        Ok(prepared)
    }
}

impl Told {
    const fn nothing() -> Self {
        Self {
            name: String::new(),
            sign_in: String::new(),
            body: String::new(),
            token: None,
            me: String::new(),
        }
    }

    /// The request by which person `number` signs in, each from a network of their own.
    pub(crate) fn sign_in(&self, host: &str, number: usize) -> String {
        let body = self.body.replace("{person}", &format!("person{number}"));
        format!(
            "POST {} HTTP/1.1\r\nHost: {host}\r\nX-Forwarded-For: {}\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
            self.sign_in,
            network(number),
            body.len()
        )
    }

    /// The request by which person `number`, whom this answer signed in, asks who they are.
    pub(crate) fn me(
        &self,
        host: &str,
        number: usize,
        signed_in: &Answer,
    ) -> anyhow::Result<String> {
        Ok(format!(
            "GET {} HTTP/1.1\r\nHost: {host}\r\nX-Forwarded-For: {}\r\n{}\r\n\r\n",
            self.me,
            network(number),
            self.session(signed_in)?
        ))
    }

    /// The header that carries the session.
    fn session(&self, signed_in: &Answer) -> anyhow::Result<String> {
        if let Some(name) = &self.token {
            let told: Value = serde_json::from_slice(&signed_in.body)?;
            let token = told[name]
                .as_str()
                .context("no token in the answer to a sign-in")?;
            return Ok(format!("Authorization: Bearer {token}"));
        }
        let mut cookies = signed_in
            .headers
            .iter()
            .filter(|(name, _)| name == "set-cookie");
        let (_, cookie) = cookies
            .next()
            .context("no cookie in the answer to a sign-in")?;
        Ok(format!(
            "Cookie: {}",
            cookie.split(';').next().unwrap_or_default()
        ))
    }
}

impl Prepared {
    /// How many hashes a second its library makes alone, where that can be known.
    pub(crate) fn raw(&self, seconds: usize) -> anyhow::Result<Option<f64>> {
        let told = succeeded(
            self.command("raw")
                .env("LASTS", seconds.to_string())
                .output()?,
        )?;
        let told = told.trim();
        if told.is_empty() {
            return Ok(None);
        }
        Ok(Some(told.parse().with_context(|| {
            format!("{} said {told:?}", self.peer.name())
        })?))
    }

    /// What becomes the server on that port.
    pub(crate) fn serve(&self, port: u16) -> Command {
        let mut command = self.command("serve");
        command.env("PORT", port.to_string());
        command
    }

    fn command(&self, what: &str) -> Command {
        let mut command = Command::new(format!("bench/peers/{}/peer", self.peer.folder));
        command
            .arg(what)
            .env("VARIANT", self.peer.variant)
            .env("FOLDER", &self.folder)
            .env("PEOPLE", self.people.to_string())
            .env("PASSWORD", PASSWORD);
        command
    }
}

/// One that nobody listens on at the moment.
pub(crate) fn free_port() -> anyhow::Result<u16> {
    Ok(std::net::TcpListener::bind("127.0.0.1:0")?
        .local_addr()?
        .port())
}

/// What it said, or what it died of: the first words that name an error, or else its last.
fn succeeded(output: Output) -> anyhow::Result<String> {
    let error = String::from_utf8_lossy(&output.stderr);
    let mut lines = error.lines().filter(|line| !line.trim().is_empty());
    let last = lines.clone().find(|line| line.contains("Error:"));
    let last = last.or_else(|| lines.next_back());
    ensure!(
        output.status.success(),
        "{}: {}",
        output.status,
        last.unwrap_or_default()
    );
    Ok(String::from_utf8(output.stdout)?)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::http::Took;

    fn told(token: Option<&str>) -> Told {
        Told {
            name: "a peer".to_owned(),
            sign_in: "/in".to_owned(),
            body: r#"{"who":"{person}"}"#.to_owned(),
            token: token.map(str::to_owned),
            me: "/me".to_owned(),
        }
    }

    fn answer(headers: &[(&str, &str)], body: &str) -> Answer {
        let took = Took {
            first: Duration::ZERO,
            last: Duration::ZERO,
        };
        let owned = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
        Answer {
            status: 200,
            headers: headers.iter().map(owned).collect(),
            body: body.as_bytes().to_vec(),
            took,
        }
    }

    #[test]
    fn a_sign_in_is_of_the_person_that_was_asked_for() {
        let request = told(None).sign_in("h:1", 12);
        let (head, body) = request.split_once("\r\n\r\n").expect("a head and a body");
        assert!(
            head.starts_with("POST /in HTTP/1.1\r\nHost: h:1\r\n"),
            "{head}"
        );
        assert_eq!(body, r#"{"who":"person12"}"#);
        assert!(
            head.ends_with(&format!("Content-Length: {}", body.len())),
            "{head}"
        );
    }

    #[test]
    fn a_session_is_a_bearer_or_the_first_cookie() {
        let bearer = told(Some("token")).me("h:1", 1, &answer(&[], r#"{"token":"abc"}"#));
        assert!(
            bearer
                .expect("a request")
                .ends_with("\r\nAuthorization: Bearer abc\r\n\r\n")
        );
        let cookie = told(None).me(
            "h:1",
            1,
            &answer(&[("set-cookie", "s=1; Path=/"), ("set-cookie", "t=2")], ""),
        );
        assert!(
            cookie
                .expect("a request")
                .ends_with("\r\nCookie: s=1\r\n\r\n")
        );
        assert!(told(None).me("h:1", 1, &answer(&[], "")).is_err());
        assert!(
            told(Some("token"))
                .me("h:1", 1, &answer(&[], "{}"))
                .is_err()
        );
    }
}
