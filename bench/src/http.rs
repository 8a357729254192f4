//! One connection to a server, kept, with one request at a time on it: HTTP/1.1 by hand (RFC 9112), so that nothing but the
//! server and two system calls is in the times.

use std::io::{Read as _, Write as _};
use std::net::{TcpStream, ToSocketAddrs as _};
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail, ensure};
use serde_json::Value;

/// Longer than any answer is waited for.
const PATIENCE: Duration = Duration::from_mins(1);
/// No answer that is asked for here comes near this, in bytes.
const MAX_ANSWER: usize = 1 << 20;

/// A connection that is kept open.
pub(crate) struct Connection {
    stream: TcpStream,
}

/// What came back.
#[derive(Debug, PartialEq)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    /// Names in lower case, in the order in which they came.
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
    pub(crate) took: Took,
}

/// How long an answer took, from the moment when the last byte of the request had been handed to the kernel.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Took {
    /// To its first byte.
    pub(crate) first: Duration,
    /// To its last.
    pub(crate) last: Duration,
}

impl Connection {
    /// Connects to `host:port`.
    pub(crate) fn to(host: &str) -> anyhow::Result<Self> {
        let address = host.to_socket_addrs()?.next().context("no such host")?;
        let stream = TcpStream::connect(address).with_context(|| format!("cannot reach {host}"))?;
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(PATIENCE))?;
        Ok(Self { stream })
    }

    /// Sends `request` and reads the whole answer.
    pub(crate) fn ask(&mut self, request: &[u8]) -> anyhow::Result<Answer> {
        let mut read = Vec::with_capacity(4096);
        self.stream.write_all(request)?;
        let sent = Instant::now();
        self.more(&mut read)?;
        let first = sent.elapsed();
        let head_end = loop {
            match read.windows(4).position(|four| four == b"\r\n\r\n") {
                Some(at) => break at + 4,
                None => self.more(&mut read)?,
            }
        };
        let (status, headers) = head(&read[..head_end])?;
        let mut body = read.split_off(head_end);
        let is_told = |name: &str| headers.iter().find(|(known, _)| known == name);
        if let Some((_, length)) = is_told("content-length") {
            let length: usize = length.parse().context("Content-Length")?;
            while body.len() < length {
                self.more(&mut body)?;
            }
            ensure!(body.len() == length, "more came than was announced");
        } else if is_told("transfer-encoding").is_some() {
            body = self.chunks(body)?;
        } else {
            ensure!(status == 204, "an answer without a length");
        }
        let last = sent.elapsed();
        let took = Took { first, last };
        Ok(Answer {
            status,
            headers,
            body,
            took,
        })
    }

    fn more(&mut self, read: &mut Vec<u8>) -> anyhow::Result<()> {
        let mut buffer = [0; 16 * 1024];
        let count = self.stream.read(&mut buffer)?;
        ensure!(count > 0, "the server hung up before it had answered");
        ensure!(read.len() + count <= MAX_ANSWER, "an answer without an end");
        read.extend_from_slice(&buffer[..count]);
        Ok(())
    }

    /// Reads a chunked body (RFC 9112 section 7.1) of which `raw` has come, to the end of its empty trailer.
    fn chunks(&mut self, mut raw: Vec<u8>) -> anyhow::Result<Vec<u8>> {
        let mut body = Vec::new();
        loop {
            let line_end = loop {
                match raw.windows(2).position(|two| two == b"\r\n") {
                    Some(at) => break at,
                    None => self.more(&mut raw)?,
                }
            };
            let size = std::str::from_utf8(&raw[..line_end])?
                .split(';')
                .next()
                .unwrap_or("");
            let size = usize::from_str_radix(size.trim(), 16).context("the size of a chunk")?;
            ensure!(size <= MAX_ANSWER, "a chunk without an end");
            let data = line_end + 2;
            while raw.len() < data + size + 2 {
                self.more(&mut raw)?;
            }
            body.extend_from_slice(&raw[data..data + size]);
            raw.drain(..data + size + 2);
            if size == 0 {
                return Ok(body);
            }
        }
    }
}

/// Where the request of this number says that it comes from: an address that is always of as many digits, in 16,384 networks (/24) by turns.
pub(crate) fn network(number: usize) -> String {
    let digit = |place: u32| 100 + number / 128_usize.pow(place) % 128;
    format!("10.{}.{}.{}", digit(1), digit(0), digit(2))
}

/// A request with a JSON body, from a client at `from` behind a proxy.
pub(crate) fn post(path: &str, host: &str, from: &str, body: &Value) -> Vec<u8> {
    let body = body.to_string();
    let length = body.len();
    format!(
        "POST {path} HTTP/1.1\r\nHost: {host}\r\nX-Forwarded-For: {from}\r\nContent-Type: application/json\r\n\
         Content-Length: {length}\r\n\r\n{body}"
    )
    .into_bytes()
}

type Head = (u16, Vec<(String, String)>);

fn head(bytes: &[u8]) -> anyhow::Result<Head> {
    let text = std::str::from_utf8(bytes).context("the head of an answer")?;
    let mut lines = text.trim_end().split("\r\n");
    let status = lines
        .next()
        .and_then(|line| line.strip_prefix("HTTP/1.1 ")?.get(..3)?.parse().ok());
    let Some(status) = status else {
        bail!("not an answer in HTTP/1.1");
    };
    let header = |line: &str| {
        let (name, value) = line.split_once(':').context("a header without a colon")?;
        Ok((name.to_ascii_lowercase(), value.trim().to_owned()))
    };
    Ok((status, lines.map(header).collect::<anyhow::Result<_>>()?))
}

#[cfg(test)]
mod tests {
    use std::net::TcpListener;
    use std::thread;

    use super::*;

    /// Asks a server that gives `pieces`, each in a write of its own.
    fn asked(pieces: &'static [&'static str]) -> anyhow::Result<Answer> {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let host = listener.local_addr().expect("its address").to_string();
        thread::scope(|threads| {
            threads.spawn(move || {
                let (mut stream, _) = listener.accept().expect("a caller");
                stream.set_nodelay(true).expect("no delay");
                let mut request = [0; 64];
                let _ = stream.read(&mut request).expect("a request");
                for piece in pieces {
                    stream.write_all(piece.as_bytes()).expect("written");
                }
            });
            Connection::to(&host)?.ask(b"GET / HTTP/1.1\r\n\r\n")
        })
    }

    #[test]
    fn an_answer_of_a_told_length_is_read_to_its_end() {
        let answer = asked(&[
            "HTTP/1.1 401 Unauth",
            "orized\r\nContent-Length: 4\r\nX-A: b c \r\n\r\n{\"",
            "a}",
        ]);
        let answer = answer.expect("an answer");
        assert_eq!(
            (answer.status, answer.body.as_slice()),
            (401, &b"{\"a}"[..])
        );
        assert_eq!(answer.headers[1], ("x-a".to_owned(), "b c".to_owned()));
        assert!(answer.took.first <= answer.took.last);
    }

    #[test]
    fn an_answer_in_chunks_is_put_together() {
        let answer = asked(&[
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r",
            "\nA;x=y\r\n0123456789\r\n0\r\n",
            "\r\n",
        ]);
        assert_eq!(answer.expect("an answer").body, b"abc0123456789");
    }

    #[test]
    fn what_is_cut_off_is_no_answer() {
        assert!(asked(&["HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nabc"]).is_err());
        assert!(asked(&["HTTP/1.1 200 OK\r\n"]).is_err());
        assert!(asked(&["HTTP/1.1 200 OK\r\n\r\n"]).is_err(), "no length");
    }
}
