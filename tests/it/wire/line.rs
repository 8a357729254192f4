//! The other end of a connection: writes bytes as they are, and reads answers as strictly as a client should.

use std::io::{self, ErrorKind};
use std::time::Duration;

use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use tokio::io::{
    AsyncBufReadExt as _, AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _, BufReader,
};
use tokio::net::TcpStream;

use crate::harness::Answer;

/// When a test gives up on a server that says nothing. No answer of ours takes nearly as long.
const PATIENCE: Duration = Duration::from_mins(1);

/// A connection.
pub struct Line<S = TcpStream>(BufReader<S>);

impl<S: AsyncRead + AsyncWrite + Unpin> Line<S> {
    pub fn new(stream: S) -> Self {
        Self(BufReader::new(stream))
    }

    /// Writes as much as the other side takes; one that has said its last word takes no more.
    pub async fn write(&mut self, bytes: &[u8]) {
        let socket = self.0.get_mut();
        let _ = within(async {
            socket.write_all(bytes).await?;
            socket.flush().await
        })
        .await;
    }

    /// Says that nothing more will be written.
    pub async fn finish(&mut self) {
        let _ = within(self.0.get_mut().shutdown()).await;
    }

    /// The next answer; `None` when the connection has ended.
    pub async fn answer(&mut self) -> Option<Answer> {
        self.answer_to("GET").await
    }

    /// The same to a request by `method`: the answer to HEAD has no body, whatever its length is said to be.
    pub async fn answer_to(&mut self, method: &str) -> Option<Answer> {
        match within(self.read(method)).await {
            Ok(answer) => Some(answer),
            Err(error) if is_end(&error) => None,
            Err(error) => panic!("not an answer: {error}"),
        }
    }

    /// All answers until the connection ends.
    pub async fn answers(&mut self) -> Vec<Answer> {
        let mut answers = Vec::new();
        while let Some(answer) = self.answer().await {
            answers.push(answer);
        }
        answers
    }

    /// Every byte until the connection ends.
    pub async fn rest(&mut self) -> Vec<u8> {
        let mut rest = Vec::new();
        if let Err(error) = within(self.0.read_to_end(&mut rest)).await {
            assert!(is_end(&error), "{error}");
        }
        rest
    }

    async fn read(&mut self, method: &str) -> io::Result<Answer> {
        let line = self.text_line().await?;
        let (version, rest) = line.split_once(' ').ok_or_else(|| wrong(&line))?;
        if !["HTTP/1.0", "HTTP/1.1"].contains(&version) {
            return Err(wrong(&line));
        }
        let status = rest
            .get(..3)
            .and_then(|code| code.parse().ok())
            .ok_or_else(|| wrong(&line))?;
        let status = StatusCode::from_u16(status).map_err(|_| wrong(&line))?;
        let headers = self.headers().await?;
        let has_body =
            method != "HEAD" && !status.is_informational() && status != StatusCode::NO_CONTENT;
        let body = if has_body {
            self.body(&headers).await?
        } else {
            Vec::new()
        };
        let body = String::from_utf8(body).map_err(|_| wrong("a body that is not UTF-8"))?;
        Ok(Answer::new(status, headers, body))
    }

    async fn headers(&mut self) -> io::Result<HeaderMap> {
        let mut headers = HeaderMap::new();
        loop {
            let line = self.text_line().await?;
            if line.is_empty() {
                return Ok(headers);
            }
            let (name, value) = line.split_once(':').ok_or_else(|| wrong(&line))?;
            headers.append(
                HeaderName::from_bytes(name.as_bytes()).map_err(|_| wrong(&line))?,
                HeaderValue::from_str(value.trim()).map_err(|_| wrong(&line))?,
            );
        }
    }

    /// A body of the length that is said, or up to the end. Nothing here answers in chunks.
    async fn body(&mut self, headers: &HeaderMap) -> io::Result<Vec<u8>> {
        let mut body = Vec::new();
        if let Some(length) = headers.get("content-length") {
            let length = length.to_str().ok().and_then(|text| text.parse().ok());
            body.resize(length.ok_or_else(|| wrong("a length that is none"))?, 0);
            self.0.read_exact(&mut body).await?;
        } else {
            self.0.read_to_end(&mut body).await?;
        }
        Ok(body)
    }

    async fn text_line(&mut self) -> io::Result<String> {
        let mut line = Vec::new();
        self.0.read_until(b'\n', &mut line).await?;
        if line.is_empty() {
            return Err(ErrorKind::UnexpectedEof.into());
        }
        let line = String::from_utf8(line).map_err(|_| wrong("a line that is not UTF-8"))?;
        line.strip_suffix("\r\n")
            .map(str::to_owned)
            .ok_or_else(|| wrong(&line))
    }
}

/// How a connection ends that the other side has closed: as it should, or with what we sent still unread.
fn is_end(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        ErrorKind::UnexpectedEof | ErrorKind::ConnectionReset | ErrorKind::BrokenPipe
    )
}

async fn within<T>(work: impl Future<Output = T>) -> T {
    tokio::time::timeout(PATIENCE, work)
        .await
        .expect("the server said nothing")
}

fn wrong(what: &str) -> io::Error {
    io::Error::new(ErrorKind::InvalidData, what.to_owned())
}
