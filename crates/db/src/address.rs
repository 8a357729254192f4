//! Where a database is: a file or a server.

use std::path::PathBuf;

use crate::OpenError;

#[derive(Debug)]
pub(crate) enum Address {
    File(PathBuf),
}

impl Address {
    /// Reads `path`, `sqlite:path`, `sqlite:///path` or `postgres://...`.
    pub(crate) fn parse(url: &str) -> Result<Self, OpenError> {
        let refuse = |why: &str| Err(OpenError::Address(why.to_owned()));
        let path = match url.split_once(':') {
            Some(("postgres" | "postgresql", _)) => {
                return refuse("PostgreSQL is not built in yet");
            }
            Some(("sqlite", path)) => path.strip_prefix("//").unwrap_or(path),
            Some((scheme, rest)) if rest.starts_with("//") => {
                return refuse(&format!("`{scheme}` is neither `sqlite` nor `postgres`"));
            }
            _ => url,
        };
        if path.is_empty() || path.starts_with(":memory:") {
            return refuse("it names no file; give a path, such as sqlite:data/app.db");
        }
        if path.contains('?') {
            return refuse("a SQLite path takes no parameters (`?`)");
        }
        Ok(Address::File(PathBuf::from(path)))
    }
}
