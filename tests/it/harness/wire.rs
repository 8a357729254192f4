//! HTTP/1.1 as bytes on a connection: for tests of the real binary, and for those that must send what no client sends.

use std::io::{self, BufRead as _, BufReader, ErrorKind, Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use serde_json::Value;

use super::answer::Answer;

/// When a test gives up on a server that says nothing. No answer of ours takes nearly as long.
const PATIENCE: Duration = Duration::from_mins(1);

/// A connection to a server; it blocks, so its place is a thread.
pub struct Connection(BufReader<TcpStream>);

impl Connection {
    /// Connects.
    pub fn open(address: SocketAddr) -> io::Result<Self> {
        let stream = TcpStream::connect(address)?;
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(PATIENCE))?;
        stream.set_write_timeout(Some(PATIENCE))?;
        Ok(Self(BufReader::new(stream)))
    }

    /// Sends a request and reads its answer, whole.
    pub fn call(
        &mut self,
        method: &str,
        path: &str,
        token: Option<&str>,
        body: Option<&Value>,
    ) -> io::Result<Answer> {
        self.send(&request(method, path, token, body))?;
        self.answer()
    }

    /// Sends bytes as they are.
    pub fn send(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.0.get_mut().write_all(bytes)
    }

    /// Reads one answer, whole. An error says that none came, or not all of it.
    pub fn answer(&mut self) -> io::Result<Answer> {
        let line = self.line()?;
        let status = line.split(' ').nth(1).and_then(|text| text.parse().ok());
        let status =
            StatusCode::from_u16(status.ok_or_else(|| wrong(&line))?).map_err(|_| wrong(&line))?;
        let mut headers = HeaderMap::new();
        loop {
            let line = self.line()?;
            if line.is_empty() {
                break;
            }
            let (name, value) = line.split_once(':').ok_or_else(|| wrong(&line))?;
            headers.append(
                name.parse::<HeaderName>().map_err(|_| wrong(&line))?,
                HeaderValue::from_str(value.trim()).map_err(|_| wrong(&line))?,
            );
        }
        let body = self.body(status, &headers)?;
        Ok(Answer::new(status, headers, body))
    }

    fn body(&mut self, status: StatusCode, headers: &HeaderMap) -> io::Result<String> {
        let is_bodiless = status.is_informational() || status == StatusCode::NO_CONTENT;
        let length = match headers.get("content-length") {
            Some(length) => length.to_str().ok().and_then(|text| text.parse().ok()),
            None => is_bodiless.then_some(0),
        };
        let length = length.ok_or_else(|| wrong("an answer without a length"))?;
        let mut body = vec![0; length];
        self.0.read_exact(&mut body)?;
        String::from_utf8(body).map_err(|_| wrong("a body that is not UTF-8"))
    }

    /// A line without its end. The end of the connection instead of one is an error.
    fn line(&mut self) -> io::Result<String> {
        let mut line = String::new();
        self.0.read_line(&mut line)?;
        match line.strip_suffix("\r\n") {
            Some(line) => Ok(line.to_owned()),
            None => Err(ErrorKind::UnexpectedEof.into()),
        }
    }
}

/// A request as bytes; with a body it is JSON.
pub fn request(method: &str, path: &str, token: Option<&str>, body: Option<&Value>) -> Vec<u8> {
    use std::fmt::Write as _;
    let mut text = format!("{method} {path} HTTP/1.1\r\nHost: localhost\r\n");
    if let Some(token) = token {
        let _ = write!(text, "Authorization: Bearer {token}\r\n");
    }
    match body.map(ToString::to_string) {
        Some(body) => {
            let length = body.len();
            let _ = write!(
                text,
                "Content-Type: application/json\r\nContent-Length: {length}\r\n\r\n{body}"
            );
        }
        None => text.push_str("\r\n"),
    }
    text.into_bytes()
}

fn wrong(what: &str) -> io::Error {
    io::Error::new(ErrorKind::InvalidData, what.to_owned())
}
